import { describe, expect, it } from "vitest";
import { decidePair, type Look, type PairFacts, type PairWanted } from "../../components/pair/decide.ts";

const wanted: PairWanted = {
  component: "sounz",
  transition: "switch",
  stack: "5ac4",
  production: "megadeth",
  standby: "slayer",
  maxLagMiB: 16,
  maxClockSkewSeconds: 5,
  minFreeMiB: 512,
  copies: [],
  maxCopyAgeMinutes: 60,
};

const writer: PairFacts = {
  host: "slayer",
  now_ms: 0,
  stack: "5ac4",
  claim: { id: "old", epoch: 4, transition: "switch" },
  done: { switch: "old" },
  holder: null,
  cluster: "ours",
  postgres: "running",
  in_recovery: false,
  standby_signal: false,
  system_id: "77",
  streaming: null,
  fence: null,
  holds_address: true,
  free_mib: 9000,
  address_in_network_files: null,
  epoch: 4,
  down: null,
  half_made: false,
  last_commit_s: 0.5,
  copies: {},
  stands_still: false,
};
const standby: PairFacts = {
  ...writer,
  host: "megadeth",
  in_recovery: true,
  standby_signal: true,
  streaming: { from: "slayer", lag_bytes: 0 },
  holds_address: false,
};
const open = { claim: { id: "new", epoch: 5, transition: "switch" } };
const stopped = { postgres: "stopped", in_recovery: null, streaming: null, standby_signal: true } as const;

const looks = (slayer: Partial<PairFacts> = {}, megadeth: Partial<PairFacts> = {}): Look[] => [
  { host: "slayer", facts: { ...writer, ...slayer }, skewMs: 3 },
  { host: "megadeth", facts: { ...standby, ...megadeth }, skewMs: -3 },
];
const refusals = (seen: Look[], change: Partial<PairWanted> = {}) =>
  decidePair(seen, { ...wanted, ...change }).refusals;

describe("preflight of a switch", () => {
  it("lets a healthy pair go on, with an epoch above all that were seen", () => {
    const decision = decidePair(looks({}, { epoch: 7 }), wanted);
    expect(decision.refusals).toEqual([]);
    expect(decision.epoch).toBe(8);
  });

  it.each([
    [
      "a standby that does not stream",
      {},
      { streaming: null },
      "megadeth cannot become production: it does not stream from slayer; see its PostgreSQL log",
    ],
    [
      "a standby that is stopped",
      {},
      { ...stopped },
      "megadeth cannot become production: its PostgreSQL is stopped; start PostgreSQL on megadeth",
    ],
    [
      "a standby that stepped down",
      {},
      { ...stopped, down: "the peer was made production later" },
      "megadeth is down (the peer was made production later) and must follow first: set production: slayer, update, then switch",
    ],
    [
      "a standby that lags",
      {},
      { streaming: { from: "slayer", lag_bytes: 20 * 1024 * 1024 } },
      "megadeth is 20.0 MiB behind slayer (allowed: 16 MiB); wait until it has caught up",
    ],
    [
      "a full disk",
      {},
      { free_mib: 3 },
      "megadeth has 3 MiB free for its database (needed: 512 MiB); make room",
    ],
    [
      "a lock that is held",
      { holder: "switch 1f since 03:00" },
      {},
      "slayer is busy: switch 1f since 03:00 holds the lock; wait for it, or end it, then run again",
    ],
    [
      "another stack's host",
      { stack: "beef" },
      {},
      "slayer is operated by stack beef, not by this one (5ac4); to take it over: npx pulumi config set adopt beef",
    ],
    [
      "a cluster that is not ours",
      {},
      { cluster: "foreign" as const, streaming: null },
      "megadeth has a database cluster that this program did not create; move it away, or name another machine",
    ],
    [
      "a machine without a cluster",
      {},
      { cluster: "absent" as const, ...stopped },
      "megadeth has no database cluster of this pair: provisioning has not run on it",
    ],
    [
      "a service address in the machine's own files",
      { address_in_network_files: "/etc/network/interfaces" },
      {},
      "slayer has the service address in its own network file /etc/network/interfaces, and would take it at boot in any role; remove it from that file",
    ],
    [
      "a paused replay",
      {},
      { replay: { kind: "paused" as const, why: "replay is paused by hand; resume it here" } },
      "megadeth cannot become production: replay is paused by hand; resume it here",
    ],
    [
      "a replay that a report holds, though it is not a byte behind",
      {},
      { replay: { kind: "held" as const, why: "replay is held by a query (pid 7 of alice)" } },
      "megadeth cannot become production: replay is held by a query (pid 7 of alice)",
    ],
    [
      "a standby that has lost its database",
      {},
      { cluster: "absent" as const, ...stopped, configured: true, unusable: "/data has no database" },
      "megadeth cannot become production: /data has no database; it must follow first: set production: slayer, update, then switch",
    ],
    [
      "a standby whose control file is broken",
      {},
      { ...stopped, unusable: "the control file of /data is broken" },
      "megadeth cannot become production: the control file of /data is broken; it must follow first: set production: slayer, update, then switch",
    ],
    [
      "two databases",
      {},
      { system_id: "78" },
      "megadeth and slayer have different databases (system identifiers 78 and 77); find out which one belongs to this pair, and move the other one away",
    ],
  ])("refuses %s", (_, slayer, megadeth, line) => {
    expect(refusals(looks(slayer, megadeth))).toEqual([line]);
  });

  it("refuses a clock that is off by more than the limit", () => {
    const [slayer, megadeth] = looks();
    const late = { ...megadeth, host: "megadeth", skewMs: -6100 };
    expect(refusals([slayer as Look, late])).toEqual([
      "megadeth has a clock that is off by -6.1 s (allowed: 5 s); set the clock, and repair time synchronisation",
    ]);
  });

  it("refuses a machine that gave no answer, with what was tried", () => {
    const [slayer] = looks();
    const dead = { host: "megadeth", failure: "ssh: connect to host 10.64.0.3 port 22: timed out" };
    expect(refusals([slayer as Look, dead])).toEqual([
      "megadeth: ssh: connect to host 10.64.0.3 port 22: timed out",
    ]);
  });

  it("refuses two that accept writes, whatever is open", () => {
    const both = looks(open, { in_recovery: false, streaming: null, ...open });
    expect(refusals(both)[0]).toContain("megadeth and slayer both accept writes; decide which one is right");
  });

  it("refuses a pair in which nobody writes and nothing is open", () => {
    expect(refusals(looks(stopped))[0]).toContain(
      "neither megadeth nor slayer accepts writes, and no switch is open",
    );
  });

  it("takes a stack over on purpose", () => {
    expect(refusals(looks({ stack: "beef" }, { stack: "beef" }), { adopt: "beef" })).toEqual([]);
  });

  it("reports everything that is wrong at once, a line each", () => {
    const bad: Look[] = Array.from({ length: 10 }, (_, index) => ({
      host: `host${String(index)}`,
      facts: { ...standby, host: `host${String(index)}`, free_mib: 1, holder: "somebody" },
    }));
    expect(refusals(bad)).toHaveLength(20);
  });

  describe("of a switch that stopped half-way", () => {
    const halves: [string, Partial<PairFacts>, Partial<PairFacts>][] = [
      ["after the claim", open, open],
      ["after the fence", { ...open, ...stopped, holds_address: false }, open],
      [
        "after the fence, read-only again",
        { ...open, in_recovery: true, holds_address: false },
        { ...open, streaming: null },
      ],
      [
        "after the promotion",
        { ...open, ...stopped, holds_address: false },
        { ...open, in_recovery: false, streaming: null },
      ],
      [
        "after the address moved",
        { ...open, ...stopped, holds_address: false },
        { ...open, in_recovery: false, streaming: null, holds_address: true },
      ],
      [
        "after the old one follows",
        { ...open, in_recovery: true, streaming: { from: "megadeth", lag_bytes: 0 }, holds_address: false },
        { ...open, in_recovery: false, streaming: null, holds_address: true },
      ],
    ];
    it.each(halves)("%s: may go on, and may go back", (_, slayer, megadeth) => {
      const seen = looks(slayer, megadeth);
      expect(refusals(seen)).toEqual([]);
      expect(refusals(seen, { production: "slayer", standby: "megadeth" })).toEqual([]);
    });
  });
});

describe("preflight of a switch to the machine that serves already", () => {
  const back = { production: "slayer", standby: "megadeth" };

  it.each([
    { unusable: "/data has no database", cluster: "absent", configured: true } as const,
    { unusable: "the control file of /data is broken" },
    { unusable: "/data is of PostgreSQL 13, not 15" },
  ])("takes the other one in again, whatever its data is: $unusable", (found) => {
    const decision = decidePair(looks({}, { ...stopped, ...found }), { ...wanted, ...back });
    expect(decision.refusals).toEqual([]);
    expect(decision.notes).toContain(
      `megadeth: ${found.unusable}; it gets a copy of slayer, and what it has is set aside`,
    );
  });

  it("is refused while a machine was never provisioned", () => {
    const blank = { ...stopped, cluster: "absent", configured: false, unusable: null } as const;
    expect(refusals(looks({}, blank), back).join()).toContain("provisioning has not run on it");
  });

  it("promotes nobody after a production that can't say what it wrote last", () => {
    const seen = looks({ ...open, ...stopped, unusable: "the control file of /data is broken" }, open);
    expect(refusals(seen).join()).toContain("slayer was production and cannot say what it wrote last");
  });
});

describe("preflight of provisioning", () => {
  it("takes blank machines", () => {
    const blank = {
      cluster: "absent",
      ...stopped,
      claim: null,
      done: {},
      stack: null,
      system_id: null,
      epoch: 0,
    } as const;
    const decision = decidePair(looks(blank, blank), { ...wanted, transition: "provision" });
    expect(decision.refusals).toEqual([]);
    expect(decision.epoch).toBe(1);
  });

  it("refuses a blank machine whose data folder no copy could replace later", () => {
    const mounted = { ...stopped, cluster: "absent", data_is_mount: true } as const;
    expect(refusals(looks({}, mounted), { transition: "provision" }).join()).toContain(
      "megadeth has a mount point as the folder of its database",
    );
    expect(refusals(looks({}, { data_is_mount: true }), { transition: "provision" })).toEqual([]);
  });

  it("refuses data that it did not make", () => {
    const found = refusals(looks({}, { cluster: "foreign", streaming: null }), { transition: "provision" });
    expect(found).toEqual([
      "megadeth has a database cluster that this program did not create; move it away, or name another machine",
    ]);
  });
});

describe("preflight of a switch without the other machine", () => {
  const alone = { ...wanted, lost: "slayer", fenced: true };
  const only = (megadeth: Partial<PairFacts> = {}): Look[] => looks({}, megadeth).slice(1);

  it("lets a standby go on that has nobody to ask, and says how old its data is", () => {
    const { refusals: none, notes, epoch } = decidePair(only({ streaming: null }), alone);
    expect(none).toEqual([]);
    expect(notes.join()).toContain("megadeth: its last transaction is from 0.5 s ago");
    expect(epoch).toBe(5);
  });

  it("lets production go on without its standby", () => {
    const looked = looks({}, {}).slice(0, 1);
    const decision = decidePair(looked, {
      ...alone,
      production: "slayer",
      standby: "megadeth",
      lost: "megadeth",
    });
    expect(decision).toMatchObject({ refusals: [], tail: { serving: "slayer" } });
  });

  it("asks for a reason of this epoch where nothing can cut the lost machine off", () => {
    const [asked] = decidePair(only(), { ...alone, fenced: false }).refusals;
    expect(asked).toContain(
      'npx pulumi config set --path changeover:pairs.sounz.acceptSplitBrainRisk "5: how you know that slayer is off"',
    );
    const said = (acceptSplitBrainRisk: string) =>
      decidePair(only(), { ...alone, fenced: false, acceptSplitBrainRisk }).refusals;
    expect(said("4: last time")).toHaveLength(1);
    expect(said("5: I pulled its plug")).toEqual([]);
  });

  it("takes no standby whose settings PostgreSQL refuses, and says which; a pause by hand is no reason", () => {
    const short = {
      kind: "short" as const,
      why: "replay stands: max_connections is 100 here (needed: 200, as on production)",
    };
    expect(decidePair(only({ streaming: null, replay: short }), alone).refusals).toEqual([
      `megadeth: ${short.why}`,
    ]);
    const paused = { kind: "paused" as const, why: "replay is paused by hand" };
    expect(decidePair(only({ streaming: null, replay: paused }), alone).refusals).toEqual([]);
  });

  it("takes no machine whose data is known to be old, or half there", () => {
    const down = { down: "the peer was made production later" };
    expect(decidePair(only(down), alone).refusals.join()).toContain(
      'acceptDataLoss "5: why slayer will never come back"',
    );
    expect(decidePair(only(down), { ...alone, acceptDataLoss: "5: its disks are gone" }).refusals).toEqual(
      [],
    );
    expect(decidePair(only({ half_made: true }), alone).refusals.join()).toContain(
      "has an incomplete database and cannot serve",
    );
  });
});
