import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { declareEstate } from "../../estate.ts";
import { openingsOf, parseConfig } from "../../config.ts";
import type { AwsConfig } from "../../platforms/aws/config.ts";
import { awsPlatform } from "../../platforms/aws/index.ts";
import type { Host, Platform } from "../../platforms/platform.ts";
import { type Declared, declaredBy } from "../support/mocks.ts";
import { committedStack } from "../support/stack-file.ts";

const hosts = ["prodapp01", "prodapp02", "prodapp03", "websvr"];

const platform: Platform = {
  hosts: new Map(
    hosts.map((name, index): [string, Host] => [
      name,
      {
        ssh: pulumi.output({ host: name, port: 22, user: "root", hostKey: "ssh-ed25519 AAAA" }),
        name,
        identity: pulumi.output(`${name}-machine`),
        ready: [],
        address: pulumi.output(`192.0.2.${String(index + 1)}`),
      },
    ]),
  ),
  serviceAddress: () => {
    throw new Error("there is no pair");
  },
  fence: () => undefined,
  outputs: {},
};

async function declaredIn(cache: object, more: object = {}): Promise<Declared[]> {
  const config = parseConfig(
    {
      platform: "local",
      hosts: Object.fromEntries(hosts.map((name) => [name, {}])),
      caches: { sessions: { clients: ["websvr", "prodapp01"], ...cache } },
      ...more,
    },
    "Pulumi.test.yaml",
  );
  const { declared } = await declaredBy(() => declareEstate(config, platform));
  return declared;
}

/** Everything that a resource waits for, however indirectly. */
function before(declared: readonly Declared[], name: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const walk = (of: string): void => {
    for (const one of declared.find((found) => found.name === of)?.dependsOn ?? []) {
      if (seen.has(one)) continue;
      seen.add(one);
      walk(one);
    }
  };
  walk(name);
  return seen;
}

const keepersIn = (declared: readonly Declared[], name: string) =>
  declared.find((one) => one.name === name)?.inputs.keepers as Record<string, string>;

describe("the resources of a cache", () => {
  const three = { nodes: { prodapp02: "in", prodapp01: "in", prodapp03: "out" } };

  it("change one node after the other, then the ring, and then take the servers away that nobody uses", async () => {
    const declared = await declaredIn(three);
    const second = before(declared, "sessions-prodapp02-node-configure");
    expect(second).toContain("sessions-prodapp01-node-done-prodapp01");
    const ring = before(declared, "sessions-ring-ring-websvr");
    for (const step of ["sessions-prodapp02-node-done-prodapp02", "sessions-ring-reach-prodapp01"])
      expect(ring).toContain(step);
    expect(ring).not.toContain("sessions-prodapp03-node-leave");
    expect(before(declared, "sessions-prodapp03-node-leave")).toContain("sessions-ring-done-prodapp01");
  });

  it("give each transition what it is about, and nothing of the others", async () => {
    const declared = await declaredIn(three);
    expect(keepersIn(declared, "sessions-prodapp01-node-id")).toEqual({
      address: "192.0.2.1",
      cache: "sessions",
      clients: "192.0.2.1,192.0.2.4",
      connections: "1024",
      "machine.prodapp01": "prodapp01-machine",
      memory_mib: "64",
      place: "192.0.2.1:11211",
      port: "11211",
      copier: "prodapp01",
      copySeconds: "120",
      node: "prodapp01",
      settleSeconds: "2",
      state: "in",
    });
    expect(keepersIn(declared, "sessions-ring-id")).toMatchObject({
      ring: "192.0.2.1:11211,192.0.2.2:11211",
      clients: "prodapp01,websvr",
      present: "prodapp01,websvr",
      copier: "prodapp01",
    });
    const more = await declaredIn({ ...three, memoryMiB: 128 });
    expect(keepersIn(more, "sessions-ring-id")).toEqual(keepersIn(declared, "sessions-ring-id"));
    expect(keepersIn(more, "sessions-prodapp03-node-id")).toEqual(
      keepersIn(declared, "sessions-prodapp03-node-id"),
    );
  });

  it("dial no host that is unreachable, and begin the ring anew when it is back", async () => {
    const declared = await declaredIn(three, { unreachable: ["prodapp01"] });
    const remote = declared.filter(({ type }) => type === "command:remote:Command").map(({ name }) => name);
    expect(remote.filter((name) => name.endsWith("-prodapp01"))).toEqual([]);
    expect(keepersIn(declared, "sessions-ring-id")).toMatchObject({ present: "websvr", copier: "websvr" });
    expect(keepersIn(declared, "sessions-ring-id").ring).toBe("192.0.2.1:11211,192.0.2.2:11211");
  });
});

it("hosts of a cache reach each other's port on aws", async () => {
  const config = parseConfig(
    {
      ...committedStack("Pulumi.prod.yaml"),
      ssh: { privateKeyPath: import.meta.filename },
      caches: { sessions: { nodes: { slayer: "in" }, clients: ["megadeth"] } },
    },
    "Pulumi.prod.yaml",
  );
  const { declared } = await declaredBy(
    () => awsPlatform({ ...(config as unknown as AwsConfig), openings: openingsOf(config) }),
    (type) =>
      type === "random:index/randomBytes:RandomBytes"
        ? { base64: Buffer.alloc(32, 7).toString("base64") }
        : {},
  );
  const of = (name: string) =>
    declared.find((one) => one.name === name && one.type.startsWith("aws:"))?.inputs;
  expect(of("cache-sessions")?.ingress).toEqual([
    {
      protocol: "tcp",
      fromPort: 11211,
      toPort: 11211,
      self: true,
      description: "memcached, from hosts of the cache",
    },
  ]);
  for (const host of ["slayer", "megadeth"])
    expect(of(host)?.vpcSecurityGroupIds).toContain("cache-sessions-id");
});
