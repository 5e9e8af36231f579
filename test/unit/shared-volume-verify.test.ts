import { describe, expect, it } from "vitest";
import type { BrickFacts, MountFacts } from "../../components/shared-volume/decide.ts";
import {
  describeVolume,
  looksOfVolume,
  volumeDifferences,
  type VolumeExpected,
} from "../../components/shared-volume/verify.ts";
import type { LookRequest, Seen } from "../../components/system.ts";

const expected: VolumeExpected = {
  bricks: [
    { host: "prodapp01", role: "data", path: "/data00/styles" },
    { host: "prodapp02", role: "data", path: "/data00/styles" },
    { host: "crossbow", role: "arbiter", path: "/srv/styles" },
  ],
  mounts: { prodapp01: "/m", prodapp03: "none" },
};

type Volume = NonNullable<BrickFacts["volume"]>;

const records = { now_ms: 0, stack: "5ac4", claim: null, done: {}, holder: null, epoch: 0, fuse: true };
const volume: Volume = {
  started: true,
  bricks: [
    { role: "data", brick: "192.0.2.1:/data00/styles", online: true },
    { role: "data", brick: "192.0.2.2:/data00/styles", online: true },
    { role: "arbiter", brick: "192.0.2.4:/srv/styles", online: true },
  ],
  backlog: 0,
  splitBrain: [],
  clients: [],
};
const ofBrick = (change: Partial<BrickFacts> = {}): BrickFacts => ({
  ...records,
  glusterd: true,
  peers: [],
  rules: "loaded",
  volume,
  brick: "ours",
  ownFileSystem: true,
  ...change,
});
const ofMount = (change: Partial<MountFacts> = {}): MountFacts => ({
  ...records,
  mounted: true,
  covered: null,
  foreign: null,
  hidden: 0,
  users: [],
  old: null,
  ...change,
});

type Answer = Partial<BrickFacts> | Partial<MountFacts>;

/** Every look at the volume, each host as the state says except for the changes: `brick prodapp01`, `mount prodapp01`. */
const seen = (changes: Readonly<Record<string, Answer | "dead">> = {}): Seen[] =>
  looksOfVolume("styles", expected).map((request): Seen => {
    const kind = request.words.at(-1)?.split("=")[0] ?? "";
    const change = changes[`${kind} ${request.host}`] ?? {};
    if (change === "dead") return { request, look: { host: request.host, failure: "no answer in 10 s" } };
    const gone = request.words.includes("mount=none");
    const facts = kind === "brick" ? ofBrick(change) : ofMount({ mounted: !gone, ...change });
    return { request, look: { host: request.host, facts } };
  });

const differences = (changes: Readonly<Record<string, Answer | "dead">> = {}): string[] =>
  volumeDifferences("styles", expected, seen(changes));

/** The same volume in the answer of each server. */
const everywhere = (change: Partial<Volume>): Record<string, Answer> =>
  Object.fromEntries(
    expected.bricks.map(({ host }) => [`brick ${host}`, { volume: { ...volume, ...change } }]),
  );

const bricksAgain = "start again: npx pulumi up --replace '**::styles-volume-bricks-id'";
const mountAgain = (host: string) =>
  `start again: npx pulumi up --replace '**::styles-${host}-mount-client-id'`;

describe("the looks at a shared volume", () => {
  it("are one at each brick and one at each mount, also where the volume is unmounted", () => {
    expect(
      looksOfVolume("styles", expected).map(({ host, words }: LookRequest) => [host, ...words].join(" ")),
    ).toEqual([
      "prodapp01 styles-volume styles brick=/data00/styles",
      "prodapp02 styles-volume styles brick=/data00/styles",
      "crossbow styles-volume styles brick=/srv/styles",
      "prodapp01 styles-prodapp01-mount styles mount=/m",
      "prodapp03 styles-prodapp03-mount styles mount=none",
    ]);
  });
});

describe("verify of a shared volume", () => {
  it("finds nothing when all is as the state says", () => {
    expect(differences()).toEqual([]);
  });

  it("says nothing of a host that gave no answer", () => {
    expect(differences({ "brick prodapp01": "dead", "mount prodapp01": "dead" })).toEqual([]);
  });

  it("finds a stopped glusterd, and asks another server about the volume", () => {
    expect(differences({ "brick prodapp01": { glusterd: false, volume: null } })).toEqual([
      "prodapp01: glusterd does not run; start it: systemctl start glusterd",
    ]);
    expect(
      differences({
        ...everywhere({ started: false }),
        "brick prodapp01": { glusterd: false, volume: null },
      }),
    ).toEqual([
      "prodapp01: glusterd does not run; start it: systemctl start glusterd",
      "styles is stopped; start it: gluster volume start styles",
    ]);
  });

  it("finds a server that does not know the volume", () => {
    expect(differences({ "brick prodapp02": { volume: null } })).toEqual([
      `prodapp02: glusterd does not know styles; ${bricksAgain}`,
    ]);
  });

  it("finds a stopped volume once, not once for each server", () => {
    expect(differences(everywhere({ started: false }))).toEqual([
      "styles is stopped; start it: gluster volume start styles",
    ]);
  });

  it("finds an offline brick", () => {
    const bricks = volume.bricks.map((brick, index) => ({ ...brick, online: index !== 1 }));
    expect(differences(everywhere({ bricks }))).toEqual([
      "192.0.2.2:/data00/styles of styles is offline; start its server",
    ]);
  });

  it("finds other bricks than the state has", () => {
    const expectedBricks =
      "(expected: prodapp01:/data00/styles, prodapp02:/data00/styles, crossbow:/srv/styles)";
    expect(differences(everywhere({ bricks: volume.bricks.slice(0, 2) }))).toEqual([
      `styles has the bricks 192.0.2.1:/data00/styles, 192.0.2.2:/data00/styles ${expectedBricks}; ${bricksAgain}`,
    ]);
    const moved = [
      ...volume.bricks.slice(0, 2),
      { role: "arbiter" as const, brick: "192.0.2.4:/other", online: true },
    ];
    expect(differences(everywhere({ bricks: moved }))).toEqual([
      `styles has the bricks 192.0.2.1:/data00/styles, 192.0.2.2:/data00/styles, 192.0.2.4:/other ${expectedBricks}; ${bricksAgain}`,
    ]);
  });

  it("finds files in split brain", () => {
    expect(differences(everywhere({ backlog: 2, splitBrain: ["/a.css", "/b.css"] }))).toEqual([
      'styles has 2 file(s) in split brain (allowed: 0); see docs/runbook.md, "split brain"',
    ]);
  });

  it("finds a host that does not mount the volume", () => {
    expect(differences({ "mount prodapp01": { mounted: false } })).toEqual([
      `prodapp01: does not mount styles at /m; ${mountAgain("prodapp01")}`,
    ]);
  });

  it("finds a host that still mounts the volume where it should be unmounted", () => {
    expect(differences({ "mount prodapp03": { old: { path: "/srv/old", users: [] } } })).toEqual([
      `prodapp03: still mounts styles at /srv/old (expected: unmounted); ${mountAgain("prodapp03")}`,
    ]);
    expect(differences({ "mount prodapp03": { mounted: true } })).toEqual([
      `prodapp03: still mounts styles at a folder (expected: unmounted); ${mountAgain("prodapp03")}`,
    ]);
  });
});

describe("look at a shared volume", () => {
  const lines = (changes: Readonly<Record<string, Answer>> = {}) => seen(changes).map(describeVolume);

  it("has a line for each brick and each mount", () => {
    const healthy = "started, 3 of 3 bricks online, 0 entries to heal, 0 in split brain";
    expect(lines()).toEqual([healthy, healthy, healthy, "mounted", "not mounted"]);
  });

  it("has what is wrong", () => {
    const bricks = volume.bricks.map((brick, index) => ({ ...brick, online: index === 0 }));
    const [first, second, third, mount] = lines({
      "brick prodapp01": { glusterd: false, volume: null },
      "brick prodapp02": { volume: null },
      "brick crossbow": {
        volume: { started: false, bricks, backlog: null, splitBrain: ["/a.css"], clients: [] },
      },
      "mount prodapp01": { mounted: false },
    });
    expect([first, second, third, mount]).toEqual([
      "glusterd does not run",
      "glusterd does not know the volume",
      "stopped, 1 of 3 bricks online, entries to heal unknown, 1 in split brain",
      "not mounted",
    ]);
    expect(lines(everywhere({ backlog: 14 }))[0]).toContain("14 entries to heal");
  });
});
