import { describe, expect, it } from "vitest";
import {
  type BrickFacts,
  type BricksWanted,
  decideBricks,
  decideMount,
  type MountFacts,
} from "../../components/shared-volume/decide.ts";

const records = { now_ms: 0, stack: null, claim: null, done: {}, holder: null, epoch: 0, fuse: true };
const wanted: BricksWanted = {
  component: "styles-volume",
  transition: "bricks",
  stack: "s",
  volume: "styles",
  allowed: ["192.0.2.1", "192.0.2.2", "192.0.2.4"],
  first: "prodapp01",
  bricks: [
    { role: "data", brick: "192.0.2.1:/b" },
    { role: "data", brick: "192.0.2.2:/b" },
    { role: "arbiter", brick: "192.0.2.4:/b" },
  ],
};
const volume = {
  started: true,
  bricks: wanted.bricks.map((brick) => ({ ...brick, online: true })),
  backlog: 0,
  splitBrain: [],
  clients: [],
};
const replaced: BricksWanted = {
  ...wanted,
  bricks: wanted.bricks.map(({ role, brick }) => ({ role, brick: brick.replace(".2:", ".3:") })),
};
const facts = (change: Partial<BrickFacts> = {}): BrickFacts => ({
  ...records,
  glusterd: true,
  peers: [],
  rules: "loaded",
  volume,
  brick: "ours",
  ownFileSystem: true,
  ...change,
});
const looks = (...changes: Partial<BrickFacts>[]) =>
  ["prodapp01", "prodapp02", "crossbow"].map((host, index) => ({ host, facts: facts(changes[index]) }));

describe("bricks", () => {
  it("are made where nothing is", () => {
    const blank = { volume: null, brick: "absent" } as const;
    expect(decideBricks(looks(blank, blank, blank), wanted)).toEqual({ refusals: [], notes: [], epoch: 1 });
  });

  it("are not made over anything else", () => {
    const blank = { volume: null, brick: "absent" } as const;
    const { refusals } = decideBricks(
      looks({ ...blank, brick: "foreign" }, { ...blank, ownFileSystem: false }, { ...blank, brick: "left" }),
      wanted,
    );
    expect(refusals).toEqual([
      expect.stringMatching(/^prodapp01 has files at the path of its brick that are not a brick/),
      expect.stringMatching(/^prodapp02 has the path of its brick on the root file system/),
      expect.stringMatching(/^crossbow has a brick of a volume that no server knows; move the brick away/),
    ]);
  });

  it("are changed by a server that knows the volume", () => {
    const { refusals } = decideBricks(looks({ volume: null, brick: "absent" }), wanted);
    expect(refusals).toEqual([
      "prodapp01 does not know styles, but prodapp02 does; name prodapp02 first in servers, and new servers after it",
    ]);
  });

  it("wait for a heal backlog, and are refused while a brick is offline or a file is in split brain", () => {
    expect(decideBricks(looks({ volume: { ...volume, backlog: 14 } }), replaced)).toMatchObject({
      refusals: [],
      notes: [
        "192.0.2.2:/b leaves styles; its data stays on its host",
        "192.0.2.3:/b joins styles",
        "styles has 14 entries to heal; its bricks change when 0 are left",
      ],
    });
    const down = volume.bricks.map((brick, index) => ({ ...brick, online: index !== 1 }));
    expect(
      decideBricks(looks({ volume: { ...volume, bricks: down, splitBrain: ["/a.css"] } }), replaced).refusals,
    ).toEqual([
      expect.stringMatching(/^192\.0\.2\.2:\/b of styles is offline/),
      expect.stringMatching(/split brain \(allowed: 0\); decide about each .*: \/a\.css$/),
    ]);
    expect(decideBricks(looks({ volume: { ...volume, bricks: down } }), wanted).refusals).toEqual([]);
  });

  it("are for private networks and the hosts of the volume, and need their disks and members", () => {
    const refusals = (change: Partial<BrickFacts>, goal: Partial<BricksWanted> = {}) =>
      decideBricks(looks(change), { ...wanted, ...goal }).refusals;
    expect(
      refusals({}, { allowed: ["10.0.0.1", "8.8.8.8", "2001:4860::1", "fd00::1", "172.32.0.1"] }),
    ).toEqual([
      "styles would be served at 8.8.8.8, 2001:4860::1, 172.32.0.1, and GlusterFS is for private networks; give its hosts private addresses",
    ]);
    const clients = ["127.0.0.1", "192.0.2.1", "192.0.2.99"];
    expect(refusals({ volume: { ...volume, clients } })).toEqual([
      "192.0.2.99 uses styles, and is no host of it; name that host in `mounts`, or unmount the volume there",
    ]);
    expect(refusals({ brick: "lost" })).toEqual([
      "prodapp01 has no data at the path of its brick: its disk is not mounted, or is a new one; mount the disk, or name another path in `bricks`",
    ]);
    const peer = { names: ["192.0.2.4"], state: "6", said: "Peer Rejected" };
    expect(refusals({ peers: [peer] })).toEqual([
      'prodapp01 says that 192.0.2.4 is in state Peer Rejected; see docs/runbook.md, "peer rejected", and run again',
    ]);
    // One that is on its way in is waited for.
    expect(refusals({ peers: [{ ...peer, state: "4", said: "Accepted peer request" }] })).toEqual([]);
  });

  it("never change all at once", () => {
    const others = wanted.bricks.map(({ role, brick }) => ({
      role,
      brick: brick.replace("192.0.2", "198.51.100"),
    }));
    expect(decideBricks(looks(), { ...wanted, bricks: others }).refusals).toEqual([
      expect.stringMatching(/^styles would lose all its bricks at once/),
    ]);
  });
});

describe("a mount", () => {
  const goal = { component: "c", transition: "client", stack: "s", volume: "styles", path: "/m" };
  const mount = (change: Partial<MountFacts> = {}): MountFacts => ({
    ...records,
    mounted: false,
    covered: null,
    foreign: null,
    hidden: 0,
    users: [],
    old: null,
    ...change,
  });
  const decide = (change: Partial<MountFacts>) =>
    decideMount([{ host: "prodapp01", facts: mount(change) }], goal).refusals;

  it("covers no files and no other mount", () => {
    expect(decide({})).toEqual([]);
    expect(decide({ hidden: 3, covered: "/dev/sdb1" })).toEqual([
      "prodapp01 has /dev/sdb1 mounted at /m; name another path",
      "prodapp01 has 3 file(s) in /m, which the mount would hide; move them away first",
    ]);
  });

  it("is at no place that another account chooses", () => {
    expect(
      decide({ foreign: "/home/x belongs to user 1000; root follows only what belongs to root" }),
    ).toEqual([
      "prodapp01 can't mount at /m safely: /home/x belongs to user 1000; root follows only what belongs to root; give every folder above /m to root, or name another path",
    ]);
  });

  it("is not touched while anything uses it, and the refusal says the cure", () => {
    expect(decide({ old: { path: "/old", users: ["12 python3"] } })).toEqual([
      "prodapp01 has the volume at /old in use by 12 python3; take the server out of its pool first (changeover:appPools), or stop these processes",
    ]);
  });
});
