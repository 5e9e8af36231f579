import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Bench, planned } from "./bench.ts";
import { standIn } from "./plugins.ts";
import type { WantedResource } from "./wanted.ts";

const estate = (active: "slayer" | "megadeth", type = "m7i.large"): WantedResource[] => {
  const machine = (name: string): WantedResource => ({
    name,
    type: "aws.Instance",
    args: {
      ami: "ami-0123456789abcdef0",
      instanceType: type,
      subnetId: { $ref: "subnet.id" },
      userData: { $secret: "hunter2-secret" },
    },
  });
  return [
    { name: "vpc", type: "aws.Vpc", args: { cidrBlock: "10.20.0.0/16" } },
    { name: "subnet", type: "aws.Subnet", args: { vpcId: { $ref: "vpc.id" }, cidrBlock: "10.20.3.0/28" } },
    machine("slayer"),
    machine("megadeth"),
    { name: "address", type: "aws.Eip", args: { domain: "vpc" } },
    {
      name: "holder",
      type: "aws.EipAssociation",
      args: { allocationId: { $ref: "address.id" }, instanceId: { $ref: `${active}.id` } },
    },
    {
      name: "step",
      type: "local.Command",
      args: { create: "true", triggers: [{ $ref: "slayer.privateIp" }, { $ref: "address.publicIp" }] },
    },
  ];
};

const fence = (instanceId: unknown): WantedResource => ({
  name: "fence",
  type: "aws.InstanceState",
  args: { instanceId, state: "stopped" },
});

// The real plugin would ask for an account.
describe.runIf(standIn("aws"))("the recording of AWS", () => {
  let bench: Bench;
  let file: string;

  beforeAll(async () => {
    bench = await Bench.start();
    file = join(bench.folder, "recording.jsonl");
    Object.assign(bench.project.env, { CHANGEOVER_AWS_RECORDING: file, AWS_REGION: "eu-central-1" });
  });

  afterAll(() => bench.stop());

  const outputs = (name: string) => bench.stateOf(name)?.outputs ?? {};

  test("plans without an account, and with addresses and ids unknown", async () => {
    const plan = await bench.preview(...estate("slayer"));
    expect(plan.filter(({ op }) => op === "create")).toHaveLength(8);
    const { output } = await bench.project.pulumi(["preview"]);
    expect(output).toContain("recording: nothing on AWS is looked at or changed");
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    expect(plan.find(({ urn }) => urn.endsWith("::step"))?.newState?.inputs?.triggers).toEqual([
      unknown,
      unknown,
    ]);
  });

  test("makes what AWS could have made, says of each that it is a recording, and records it without secrets", async () => {
    const { code, output } = await bench.up(...estate("slayer"));
    expect(code, output).toBe(0);
    expect(outputs("slayer")).toMatchObject({
      privateIp: expect.stringMatching(/^10\.20\.3\.([4-9]|1[0-4])$/) as string,
      availabilityZone: "eu-central-1a",
    });
    expect(bench.stateOf("slayer")?.id).toMatch(/^i-[0-9a-f]{17}$/);
    expect(outputs("megadeth").privateIp).not.toBe(outputs("slayer").privateIp);
    expect(outputs("address").publicIp).toMatch(/^203\.0\.113\.\d+$/);
    expect(outputs("holder")).toMatchObject({
      publicIp: outputs("address").publicIp,
      privateIpAddress: outputs("slayer").privateIp,
    });
    expect(output.match(/recording, nothing is changed on AWS: create/g)?.length).toBeGreaterThanOrEqual(6);
    const recorded = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(recorded).toHaveLength(6);
    expect(recorded.join()).not.toContain("hunter2-secret");
  });

  test("updates what AWS changes in place, and replaces what it cannot change", async () => {
    const before = outputs("slayer");
    const plan = await bench.preview(...estate("megadeth", "m7i.xlarge"));
    expect(["slayer", "holder", "vpc"].map((name) => planned(plan, name))).toEqual([
      "update",
      "replace",
      undefined,
    ]);
    const { code, output } = await bench.up(...estate("slayer", "m7i.xlarge"));
    expect(code, output).toBe(0);
    expect(outputs("slayer")).toMatchObject({ instanceType: "m7i.xlarge", privateIp: before.privateIp });
  });

  test("moves no address and fences no instance: such an update fails, and names the cure", async () => {
    const moved = await bench.up(...estate("megadeth", "m7i.xlarge"));
    expect(moved.code).not.toBe(0);
    expect(moved.output).toContain("holder would move an address to i-");
    expect(moved.output).toContain("pulumi plugin install resource aws");
    expect(outputs("holder").privateIpAddress).toBe(outputs("slayer").privateIp);
    const fenced = await bench.up(...estate("slayer", "m7i.xlarge"), fence({ $ref: "megadeth.id" }));
    expect(fenced.code).not.toBe(0);
    expect(fenced.output).toContain("fence would fence an instance, and none is stopped by it");
  });

  test("touches nothing that it did not make, whatever the state says", async () => {
    const foreign = await bench.up(...estate("slayer", "m7i.xlarge"), fence("i-0a1b2c3d4e5f60718"));
    expect(foreign.code).not.toBe(0);
    expect(foreign.output).toContain("fence names i-0a1b2c3d4e5f60718, which is not in its recording");
    // A state of real machines, at night, on a machine without the real plugin.
    Object.assign(bench.project.env, { CHANGEOVER_AWS_RECORDING: join(bench.folder, "another.jsonl") });
    const { code, output } = await bench
      .preview(...estate("megadeth", "m7i.large"))
      .then(() => bench.project.pulumi(["refresh", "--yes", "--skip-preview"]));
    expect(code).not.toBe(0);
    expect(output).toContain("is not in its recording, so nothing is known of it");
    const updated = await bench.up(...estate("slayer", "m7i.large"));
    expect(updated.code).not.toBe(0);
    expect(updated.output).toMatch(/i-[0-9a-f]{17} is not in its recording/);
    const down = await bench.project.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(down.code).not.toBe(0);
    expect(bench.stateOf("vpc")?.id).toMatch(/^vpc-/);
  });

  test("makes nothing unless a recording was asked for", async () => {
    delete bench.project.env.CHANGEOVER_AWS_RECORDING;
    expect((await bench.preview(...estate("slayer"))).length).toBeGreaterThan(0);
    const { code, output } = await bench.up(...estate("slayer"), {
      name: "more",
      type: "aws.Vpc",
      args: { cidrBlock: "10.30.0.0/16" },
    });
    expect(code).not.toBe(0);
    expect(output).toContain("set CHANGEOVER_AWS_RECORDING to a file");
    Object.assign(bench.project.env, { CHANGEOVER_AWS_RECORDING: file });
    const down = await bench.project.pulumi(["destroy", "--yes", "--skip-preview"]);
    expect(down.code, down.output).toBe(0);
  });
});
