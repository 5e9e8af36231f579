import type { Sample } from "../system.ts";

const brick = (host: string, role: "data" | "arbiter") => ({
  role,
  brick: `${host}:/data00/styles`,
  online: true,
});
const volume = {
  started: true,
  bricks: [brick("prodapp01", "data"), brick("prodapp02", "data"), brick("websvr", "arbiter")],
  backlog: 0,
  splitBrain: [],
  clients: [],
};

/** Two copies and an arbiter; the two mount it. */
export const volumeSample: Sample = {
  hosts: ["prodapp01", "prodapp02", "websvr"],
  entry: {
    servers: ["prodapp01", "prodapp02"],
    arbiter: "websvr",
    brick: "/data00/styles",
    mounts: { prodapp01: "/srv/styles", prodapp02: "/srv/styles" },
    owner: "root",
  },
  facts: {
    "gluster/probe": {
      right: {
        glusterd: true,
        rules: "loaded",
        peers: [],
        brick: "ours",
        volume,
        mounted: true,
        foreign: null,
        old: null,
      },
      wrong: { glusterd: false, peers: [], volume: null, mounted: false, foreign: null, old: null },
    },
  },
};
