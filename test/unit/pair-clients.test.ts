import { describe, expect, it } from "vitest";
import { mayConnect, remarksOfPair } from "../../components/pair/clients.ts";
import type { Pair } from "../../components/pair/config.ts";
import { decidePair, type PairFacts, type PairWanted } from "../../components/pair/decide.ts";
import type { PairExpected } from "../../components/pair/verify.ts";
import { sourceTowards } from "../../config/source-address.ts";
import { entriesOf, parseConfig } from "../../config.ts";

const key = (last: string) =>
  `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBtXRbgnNPmDKSxN2X5bQ4z2WZeAIajIRNmytGVXSC${last}K`;

/** A pair whose service address is on this machine, so that the way to it is known. */
const pairWith = (more: object = {}): Pair =>
  entriesOf(
    parseConfig(
      {
        platform: "inventory",
        hosts: {
          alpha: { address: "192.0.2.11", hostKey: key("Q") },
          beta: { address: "192.0.2.12", hostKey: key("g") },
        },
        pairs: {
          shop: {
            ...{ primary: "alpha", secondary: "beta", production: "alpha", serviceAddress: "127.0.0.1" },
            ...more,
          },
        },
      },
      "Pulumi.office.yaml",
    ),
    "pairs",
  ).shop as Pair;

describe("an address", () => {
  it.each([
    ["192.0.2.7", ["192.0.2.0/24"], true],
    ["192.0.2.7", ["198.51.100.0/24", "192.0.2.7/32"], true],
    ["192.0.3.7", ["192.0.2.0/24"], false],
    ["192.0.2.7", [], false],
    ["192.0.2.7", ["0.0.0.0/0"], true],
    ["fe80::1", ["0.0.0.0/0"], false],
  ])("%s may connect as a client of %j: %s", (address, clients, may) => {
    expect(mayConnect(address, clients)).toBe(may);
  });

  it("of this machine towards another one is found without a packet", async () => {
    expect(await sourceTowards("127.0.0.1")).toBe("127.0.0.1");
    expect(await sourceTowards("255.255.255.255")).toBeUndefined();
  });
});

describe("a preview of an operator who may not look at the database", () => {
  const command = "npx pulumi config set --path 'changeover:pairs.shop.clients[1]' 127.0.0.1/32";

  it("warns before the first switch, with the line to paste", async () => {
    const [remark, ...more] = await remarksOfPair("shop", pairWith({ clients: ["192.0.2.0/24"] }), undefined);
    expect(more).toEqual([]);
    expect(remark).toContain("reaches 127.0.0.1 from 127.0.0.1, which may not connect to the database");
    expect(remark).toContain("(allowed: 192.0.2.0/24)");
    expect(remark).toMatch(RegExp(`${command.replace(/[[\].']/g, "\\$&")}$`));
  });

  it("warns before a flip, and of nothing in a stack where no switch is planned", async () => {
    const before = (alpha: string, beta: string) =>
      ({ component: "shop", address: "127.0.0.1", statuses: { alpha, beta } }) as PairExpected;
    const flipped = before("production_as_standby", "standby_as_production");
    expect(await remarksOfPair("shop", pairWith(), flipped)).toHaveLength(1);
    expect(await remarksOfPair("shop", pairWith(), before("production", "standby"))).toEqual([]);
  });

  it.each([
    ["is a client", { clients: ["127.0.0.0/8"] }],
    ["leaves the check to a host", { checksFrom: "alpha" }],
  ])("warns of nothing to an operator who %s", async (_, more) => {
    expect(await remarksOfPair("shop", pairWith(more), undefined)).toEqual([]);
  });
});

describe("a preflight of an operator who may not look at the database", () => {
  const facts: PairFacts = {
    host: "alpha",
    ...{ now_ms: 0, stack: null, claim: null, done: {}, holder: null, epoch: 0 },
    cluster: "absent",
    postgres: "stopped",
    ...{ in_recovery: null, standby_signal: false, system_id: null, streaming: null },
    ...{ fence: null, holds_address: false, free_mib: 9000, address_in_network_files: null, down: null },
    ...{ half_made: false, last_commit_s: null, copies: {}, stands_still: false, client: "192.0.2.7" },
  };
  const wanted: PairWanted = {
    ...{ component: "shop", transition: "provision", stack: "5ac4", production: "alpha", standby: "beta" },
    ...{ maxLagMiB: 16, maxClockSkewSeconds: 5, minFreeMiB: 512, copies: [], maxCopyAgeMinutes: 60 },
    operator: { clients: ["198.51.100.0/24"], address: "10.0.0.7", behindBastion: false },
  };
  const refusals = (change: Partial<PairWanted> = {}, seen: Partial<PairFacts> = {}) =>
    decidePair(
      ["alpha", "beta"].map((host) => ({ host, facts: { ...facts, host, ...seen } })),
      { ...wanted, ...change },
    ).refusals;
  const line =
    "this machine checks shop after the switch, and its address 192.0.2.7 may not connect to the database (allowed: 198.51.100.0/24); admit it: npx pulumi config set --path 'changeover:pairs.shop.clients[1]' 192.0.2.7/32";

  it("refuses the provisioning before the first switch, and any planned switch", () => {
    expect(refusals()).toEqual([line]);
    const streams = { cluster: "ours", postgres: "running", in_recovery: false } as const;
    expect(refusals({ transition: "switch" }, streams)).toContain(line);
  });

  it.each([
    ["a provisioning that no switch follows", {}, { done: { switch: "5b" } }],
    ["an address that the machines see and that may connect", { clients: ["192.0.2.0/24"] }, {}],
    ["an own address that may connect", { clients: ["10.0.0.0/24"] }, {}],
    ["an operator whom no machine sees, behind a bastion", { behindBastion: true }, {}],
    ["an answer without the address", {}, { client: null }],
  ])("does not refuse %s", (_, operator, seen) => {
    expect(refusals({ operator: { ...wanted.operator!, ...operator } }, seen)).toEqual([]);
  });

  it("does not refuse an emergency, nor a check from a host", () => {
    expect(refusals({ lost: "beta" })).toEqual([]);
    expect(refusals({ operator: undefined })).toEqual([]);
  });
});
