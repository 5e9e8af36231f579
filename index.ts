import * as pulumi from "@pulumi/pulumi";
import { lastOutputs } from "./config/last-outputs.ts";

// The CLI needs a second to open what it keeps of the last update; meanwhile the program is loaded.
const last = lastOutputs();
const { readConfig, requireOrderlyLeave, requireSafeBackend, requireSoaked, requireSoftware } =
  await import("./config.ts");
const { declareEstate } = await import("./estate.ts");
const { lastLook } = await import("./transition/last-look.ts");
const { shortStackTraces } = await import("./transition/short-stacks.ts");
const { platformOf } = await import("./platforms/platforms.ts");

shortStackTraces();
const config = readConfig();
requireSafeBackend(config);
requireSoftware(config);
requireOrderlyLeave(config, await last);
await requireSoaked(config, await last);
// A preview dials nothing; what the operator saw before it is shown beside, and no step depends on it.
if (pulumi.runtime.isDryRun()) for (const line of lastLook(pulumi.getStack())) void pulumi.log.info(line);
const estate = declareEstate(config, await platformOf(config), await last);

export const {
  stackId,
  machines,
  sshConfig,
  serviceAddresses,
  statuses,
  outcome,
  ownerPasswords,
  expected,
  marks,
  expectedPools,
  caches,
  upgrades,
  dns,
  addresses,
  targets,
} = estate;
