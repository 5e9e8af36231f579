import { describe, expect, it } from "vitest";
import type { Look } from "../../components/pair/facts.ts";
import { differences, type VerifiedFacts } from "../../components/pair/verify.ts";

const expected = {
  component: "sounz",
  statuses: { slayer: "production_as_standby", megadeth: "standby_as_production" },
  address: "192.0.2.46",
} as const;
const writer: VerifiedFacts = {
  ...{ host: "megadeth", now_ms: 0, stack: "5ac4", claim: null, done: {}, holder: null, expired: [] },
  ...{ cluster: "ours", postgres: "running", in_recovery: false, standby_signal: false, system_id: "77" },
  ...{ streaming: null, fence: null, holds_address: true, free_mib: 9000, address_in_network_files: null },
  ...{ epoch: 4, down: null, half_made: false, last_commit_s: 1, copies: {}, stands_still: false },
  status: "standby_as_production",
};
const standby: VerifiedFacts = {
  ...writer,
  ...{ host: "slayer", in_recovery: true, holds_address: false, status: "production_as_standby" },
  streaming: { from: "megadeth", lag_bytes: 0 },
};
const stopped = { postgres: "stopped", in_recovery: null, streaming: null, holds_address: false } as const;
const found = (slayer: Partial<VerifiedFacts> = {}, megadeth: Partial<VerifiedFacts> = {}): string[] => {
  const looks: Look[] = [
    { host: "slayer", facts: { ...standby, ...slayer } },
    { host: "megadeth", facts: { ...writer, ...megadeth } },
  ];
  return differences(expected, looks);
};
const again = "start the switch again: npx pulumi up --replace '**::sounz-switch-id'";

describe("verify of a pair", () => {
  it("says nothing of one that is as the state says", () => {
    expect(found()).toEqual([]);
  });

  it("names a standby that follows nobody, why, and the cure", () => {
    expect(found({ ...stopped, down: "the peer was made production later" })).toEqual([
      `slayer: does not follow production (the peer was made production later; PostgreSQL stopped); ${again}`,
    ]);
    expect(found({ ...stopped, unusable: "/data has no database" })).toEqual([
      `slayer: does not follow production (/data has no database; PostgreSQL stopped); ${again}`,
    ]);
    expect(found({ streaming: null })).toEqual([
      `slayer: does not follow production, see its PostgreSQL log; ${again}`,
    ]);
  });

  it("names a replay that stands still, though the standby streams", () => {
    expect(found({ replay: { kind: "paused", why: "replay is paused by hand" } })).toEqual([
      "slayer: replay is paused by hand",
    ]);
    expect(found({ replay: { kind: "delayed", why: "replay is 60 s late on purpose" } })).toEqual([]);
  });

  it("never names a switch as the cure while nobody writes, since that would be refused", () => {
    const lines = found({}, stopped);
    expect(lines.join("\n")).not.toContain("--replace");
    expect(lines.join("\n")).toContain("start PostgreSQL on the machine that was production last");
  });

  it("says to start a server that a person stopped, and no switch", () => {
    const unit = "postgresql@15-sounz";
    const start = (host: string) => `a person stopped it; start it on ${host}: systemctl start ${unit}`;
    expect(found({ ...stopped, stopped_by_hand: unit, standby_signal: true })).toEqual([
      `slayer: does not follow production (PostgreSQL stopped); ${start("slayer")}`,
    ]);
    expect(found({ standby_signal: true }, { ...stopped, stopped_by_hand: unit })).toEqual([
      `megadeth: rejects writes (PostgreSQL stopped), but the state has standby_as_production; ${start("megadeth")}`,
      `megadeth: does not hold 192.0.2.46; ${start("megadeth")}`,
    ]);
  });

  it("never says to start a second server that would accept writes", () => {
    expect(found({ ...stopped, stopped_by_hand: "postgresql@15-sounz", standby_signal: false })).toEqual([
      `slayer: does not follow production (PostgreSQL stopped); ${again}`,
    ]);
    const other = { in_recovery: false, holds_address: true };
    expect(found(other, { ...stopped, stopped_by_hand: "postgresql@15-sounz" }).join()).not.toContain(
      "systemctl",
    );
  });

  it("says that the port of the peer is open, or will be", () => {
    const anew = "start again: npx pulumi up --replace '**::sounz-provision-id'";
    expect(found({ peer_port: "missing" }, { peer_port: "unwatched" })).toEqual([
      `slayer: lets every host reach the port of its peer: its rules of nftables are not loaded; ${anew}`,
      `megadeth: lets every host reach the port of its peer after the next flush of nftables: nothing loads its rules again; ${anew}`,
    ]);
    expect(found({ peer_port: "loaded" }, { peer_port: null })).toEqual([]);
  });
});
