import * as pulumi from "@pulumi/pulumi";
import { lastOutputs } from "./config/last-outputs.ts";

// The CLI needs a second to open what it keeps of the last update; meanwhile the program is loaded.
const last = lastOutputs();
const { openingsOf, readConfig, requireAdmitted, requireOrderlyLeave, requireSafeBackend, requireSoftware } =
  await import("./config.ts");
const { declareEstate } = await import("./estate.ts");
const { faceOf } = await import("./platforms/platforms.ts");
const { lastLook } = await import("./transition/last-look.ts");
const { shortStackTraces } = await import("./transition/short-stacks.ts");

shortStackTraces();
const config = readConfig();
requireSafeBackend(config);
requireSoftware(config);
requireOrderlyLeave(config, await last);
await requireAdmitted(config, await last);
// A preview dials nothing; what the operator saw before it is shown beside, and no step depends on it.
if (pulumi.runtime.isDryRun()) for (const line of lastLook(pulumi.getStack())) void pulumi.log.info(line);
const platform = await faceOf(config.platform)?.load(config, openingsOf(config));
if (!platform) throw new pulumi.RunError(`no platform ${config.platform}`);

/** The outputs of the stack. */
export default await declareEstate(config, platform, await last);
