import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { systems as registry } from "../../../components/registry.ts";
import type { System } from "../../../components/system.ts";
import { parseConfig, requireOrderlyLeave } from "../../../config.ts";
import { lastState } from "../../../config/last-outputs.ts";
import { declareEstate } from "../../../estate.ts";
import { tellOutcome, tellRunBooks } from "../../../tell.ts";
import type { Host, Platform, SshTarget } from "../../../platforms/platform.ts";
import { shortStackTraces } from "../../../transition/short-stacks.ts";
import { toy } from "../../fixtures/systems/toy/index.ts";

/** The real program with one more system in its list, on stand-in hosts that a file names. */
const file = process.env.SCENARIO;
if (!file) throw new Error("SCENARIO names no file");
shortStackTraces();
const { keys, targets } = JSON.parse(readFileSync(file, "utf8")) as {
  readonly keys: Record<string, unknown>;
  readonly targets: Readonly<Record<string, SshTarget>>;
};
const systems: readonly System[] = [...registry, toy];
const config = parseConfig(keys, "Pulumi.test.yaml", systems);
const last = await lastState();
requireOrderlyLeave(config, last.outputs, systems);

const platform: Platform = {
  hosts: new Map(
    Object.keys(config.hosts).map((name): [string, Host] => {
      const ssh = targets[name];
      if (!ssh) throw new Error(`no target ${name}`);
      const address = pulumi.output(ssh.host);
      return [
        name,
        { name, ssh: pulumi.output(ssh), identity: pulumi.output(`${name}-1`), address, ready: [] },
      ];
    }),
  ),
  serviceAddress: () => ({ address: pulumi.output("none"), movedBy: "platform" }),
  fence: () => undefined,
  outputs: {},
};

const estate = await declareEstate(config, platform, last, systems);
const dry = pulumi.runtime.isDryRun();
if (dry) await tellRunBooks(estate, last.outputs.stackId, systems);

/** The outputs of the stack. */
export default dry ? estate.outputs : tellOutcome(estate);
