import * as pulumi from "@pulumi/pulumi";
import { declareEstate } from "./components/estate.ts";
import { lastLook } from "./components/looked.ts";
import { shortStackTraces } from "./components/stacks.ts";
import { readConfig, requireOrderlyLeave, requireSafeBackend } from "./config.ts";
import { platformOf } from "./platforms/platforms.ts";

shortStackTraces();
const config = readConfig();
requireSafeBackend(config);
await requireOrderlyLeave(config);
// A preview dials nothing; what the operator saw before it is shown beside, and no step depends on it.
if (pulumi.runtime.isDryRun()) for (const line of lastLook(pulumi.getStack())) void pulumi.log.info(line);
const estate = declareEstate(config, await platformOf(config));

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
  dns,
  targets,
} = estate;
