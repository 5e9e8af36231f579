import * as pulumi from "@pulumi/pulumi";
import { lastState } from "./config/last-outputs.ts";

// The CLI needs a second to open what it keeps of the last update; meanwhile the program is loaded.
const left = lastState();
const { openingsOf, readConfig, requireAdmitted, requireOrderlyLeave, requireSafeBackend, requireSoftware } =
  await import("./config.ts");
const { declareEstate } = await import("./estate.ts");
const { faceOf } = await import("./platforms/platforms.ts");
const { shortStackTraces } = await import("./transition/short-stacks.ts");
const { tellOutcome, tellRunBooks } = await import("./tell.ts");

shortStackTraces();
const config = readConfig();
requireSafeBackend(config);
requireSoftware(config);
const last = await left;
requireOrderlyLeave(config, last.outputs);
await requireAdmitted(config, last.outputs);
const platform = await faceOf(config.platform)?.load(config, openingsOf(config));
if (!platform) throw new pulumi.RunError(`no platform ${config.platform}`);

const estate = await declareEstate(config, platform, last);
const dry = pulumi.runtime.isDryRun();
if (dry) await tellRunBooks(estate, last.outputs.stackId);

/** The outputs of the stack. */
export default dry ? estate.outputs : tellOutcome(estate);
