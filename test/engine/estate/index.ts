import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { declareEstate } from "../../../estate.ts";
import { shortStackTraces } from "../../../transition/short-stacks.ts";
import { lastState } from "../../../config/last-outputs.ts";
import { requireOrderlyLeave, type StackConfig } from "../../../config.ts";
import type { Host, Platform, SshTarget } from "../../../platforms/platform.ts";

/** The program of the engine tests about a whole estate: the real one, on stand-in hosts that a file names. */
const file = process.env.SCENARIO;
if (!file) throw new Error("SCENARIO names no file");
shortStackTraces();
const { hosts, ...told } = JSON.parse(readFileSync(file, "utf8")) as Pick<
  StackConfig,
  "absent" | "unreachable"
> & {
  hosts: Record<string, SshTarget>;
};
const nothing = { pairs: {}, appPools: {}, sharedVolumes: {}, caches: {}, stagedUpgrades: {}, suspect: [] };
const config = { platform: "inventory", ...nothing, hosts, ...told } as unknown as StackConfig;
requireOrderlyLeave(config, (await lastState()).outputs);

const machines = Object.entries(hosts).map(([name, ssh]): [string, Host] => [
  name,
  {
    name,
    ssh: pulumi.output(ssh),
    identity: pulumi.output(`${name}-1`),
    address: pulumi.output(ssh.host),
    ready: [],
  },
]);
const platform: Platform = {
  hosts: new Map(machines),
  serviceAddress: () => ({ address: pulumi.output("none"), movedBy: "platform" }),
  fence: () => undefined,
  outputs: {},
};

export default (await declareEstate(config, platform)).outputs;
