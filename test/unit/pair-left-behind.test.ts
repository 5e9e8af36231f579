import { describe, expect, it } from "vitest";
import { decidePair, type PairFacts, type PairWanted } from "../../components/pair/decide.ts";
import { type Belongings, leftBehind } from "../../components/pair/left-behind.ts";

const same: Belongings = {
  version: "15.8",
  machine: "x86_64",
  zones: "2024a",
  settings: { work_mem: "4MB", archive_mode: "off", ssl: "on", max_replication_slots: "10" },
  slots: [],
  unlogged: [],
  missing: [],
  extensions: [],
  subscriptions: [],
  unseen: [],
  collations: { "default (sounz)": "2.36" },
};
const logical = { name: "cdc_shop", type: "logical", active: true } as const;
const barman = { name: "barman", type: "physical", active: false } as const;
const settings = (change: Record<string, string>) => ({ settings: { ...same.settings, ...change } });
const found = (slayer: Partial<Belongings>, megadeth: Partial<Belongings> = {}, isAccepted = false) =>
  leftBehind(
    { host: "slayer", has: { ...same, ...slayer } },
    { host: "megadeth", has: { ...same, ...megadeth } },
    { isAccepted, command: (why) => `accept "${why}"` },
  );

describe("what a switch would lose or leave behind", () => {
  it("is nothing between equal machines, with the slots of the pair", () => {
    const own = { slots: [{ ...barman, name: "megadeth" }] };
    expect(found(own)).toEqual({ refusals: [], notes: [] });
  });

  it.each<[string, Partial<Belongings>, Partial<Belongings>, string]>([
    [
      "unlogged tables with rows",
      { unlogged: ["sounz.u_sessions"] },
      {},
      "sounz.u_sessions; make them logged",
    ],
    [
      "logical slots",
      { slots: [logical] },
      {},
      "megadeth will not have: cdc_shop; let their consumers read all",
    ],
    [
      "an archive that would end",
      settings({ archive_mode: "on", archive_command: "…8a1b2c" }),
      settings({ archive_command: "" }),
      "slayer archives its log and megadeth would not (archive_mode off)",
    ],
    [
      "an order of text that makes indexes wrong",
      {},
      { collations: { "default (sounz)": "2.31" } },
      "default (sounz) 2.36 and 2.31; install the same release",
    ],
  ])("is refused until it is accepted: %s", (_, slayer, megadeth, words) => {
    const { refusals } = found(slayer, megadeth);
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toContain(words);
    expect(refusals[0]).toMatch(/To accept that: accept "/);
    const accepted = found(slayer, megadeth, true);
    expect(accepted.refusals).toEqual([]);
    expect(accepted.notes[0]).toMatch(/^accepted: slayer/);
  });

  it.each<[string, Partial<Belongings>, Partial<Belongings>, string]>([
    [
      "a library that the standby lacks",
      {},
      { missing: ["$libdir/acme_digest (sounz)"] },
      "megadeth lacks files that the database uses: $libdir/acme_digest (sounz)",
    ],
    [
      "a library that only production loads",
      settings({ shared_preload_libraries: "pg_stat_statements, pg_cron" }),
      settings({ shared_preload_libraries: "pg_stat_statements" }),
      "megadeth does not load pg_cron",
    ],
    ["no TLS on the standby", {}, settings({ ssl: "off" }), "megadeth offers no TLS"],
    [
      "commits that would wait for somebody else",
      {},
      settings({ synchronous_standby_names: "barman" }),
      "would wait for other standbys at each commit (synchronous_standby_names barman)",
    ],
    [
      "writes that would be rejected",
      {},
      settings({ default_transaction_read_only: "on" }),
      "would reject writes (default_transaction_read_only on)",
    ],
    [
      "no room for the old production's slot",
      {},
      { ...settings({ max_replication_slots: "1" }), slots: [barman] },
      "megadeth has no room for the slot of slayer (max_replication_slots 1, in use: barman)",
    ],
  ])("is refused with its cure, and can't be accepted: %s", (_, slayer, megadeth, words) => {
    for (const accepted of [false, true]) {
      const { refusals } = found(slayer, megadeth, accepted);
      expect(refusals).toHaveLength(1);
      expect(refusals[0]).toContain(words);
    }
  });

  it.each<[string, Partial<Belongings>, Partial<Belongings>, string]>([
    ["a slot of a backup", { slots: [barman] }, {}, "slayer keeps log for others in barman"],
    [
      "a setting",
      settings({ work_mem: "77MB" }),
      {},
      "settings differ: work_mem 77MB on slayer, 4MB on megadeth",
    ],
    ["another release", {}, { version: "15.6" }, "PostgreSQL: 15.8 on slayer, 15.6 on megadeth"],
    ["other time zones", {}, { zones: "2025b" }, "time zones: 2024a on slayer, 2025b on megadeth"],
    ["a subscription", { subscriptions: ["sounz.feed"] }, {}, "megadeth goes on with the subscriptions"],
    ["a database that gives no answer", { unseen: ["big"] }, {}, "slayer gave no answer in databases big"],
    ["files of an extension", {}, { extensions: ["postgis (sounz)"] }, "can't update extensions"],
  ])("is told: %s", (_, slayer, megadeth, words) => {
    const { refusals, notes } = found(slayer, megadeth);
    expect(refusals).toEqual([]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(words);
  });

  it("has no part in what both machines lack, and names a dozen at most", () => {
    expect(
      found({ missing: ["$libdir/old (sounz)"] }, { missing: ["$libdir/old (sounz)"] }).refusals,
    ).toEqual([]);
    const many = Array.from({ length: 40 }, (_, index) => `sounz.t${String(index)}`);
    expect(found({ unlogged: many }).refusals[0]).toContain("sounz.t11 and 28 more");
  });
});

describe("a preflight that finds unlogged tables", () => {
  const facts: PairFacts = {
    ...{ host: "slayer", now_ms: 0, stack: "5ac4", claim: null, done: { switch: "old" }, holder: null },
    ...{ cluster: "ours", postgres: "running", in_recovery: false, standby_signal: false, system_id: "77" },
    ...{ streaming: null, fence: null, holds_address: true, free_mib: 9000, address_in_network_files: null },
    ...{ epoch: 4, down: null, half_made: false, last_commit_s: 1, copies: {}, stands_still: false },
    belongings: { ...same, unlogged: ["sounz.u"] },
  };
  const standby: PairFacts = {
    ...facts,
    ...{ host: "megadeth", in_recovery: true, streaming: { from: "slayer", lag_bytes: 0 }, belongings: same },
  };
  const wanted: PairWanted = {
    ...{ component: "sounz", transition: "switch", stack: "5ac4", production: "megadeth", standby: "slayer" },
    ...{ maxLagMiB: 16, maxClockSkewSeconds: 5, minFreeMiB: 512, copies: [], maxCopyAgeMinutes: 60 },
  };
  const refusals = (more: Partial<PairWanted> = {}, half: Partial<PairFacts> = {}) =>
    decidePair(
      [
        { host: "slayer", facts: { ...facts, ...half }, skewMs: 0 },
        { host: "megadeth", facts: { ...standby, ...half }, skewMs: 0 },
      ],
      { ...wanted, ...more },
    ).refusals;

  it("prints the line to paste, which is for this epoch only", () => {
    expect(refusals().join()).toContain(
      'npx pulumi config set --path changeover:pairs.sounz.acceptDataLoss "5: who can do without their rows"',
    );
    expect(refusals({ acceptDataLoss: "5: a cache" })).toEqual([]);
    expect(refusals({ acceptDataLoss: "4: last time" })).toHaveLength(1);
  });

  it("never holds up the rest of a switch that stopped half-way", () => {
    expect(refusals({}, { claim: { id: "new", epoch: 5, transition: "switch" } })).toEqual([]);
  });
});
