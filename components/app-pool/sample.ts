import type { Sample } from "../system.ts";

const balancer = {
  running: true,
  socket: null,
  agrees: null,
  misplaced: null,
  serves: { "192.0.2.3:80": ["haproxy"] },
  servers: { prodapp01: { status: "UP", admin: "ready", wanted: "in" } },
};
const server = {
  current: "1",
  ready: true,
  answer: null,
  runs_configured: true,
  firewall: null,
  links_wrong: [],
  reach: {},
  public: [],
};

/** One balancer and two servers. */
export const poolSample: Sample = {
  hosts: ["websvr", "prodapp01", "prodapp02"],
  entry: {
    balancers: ["websvr"],
    servers: { prodapp01: "in", prodapp02: "in" },
    host: "www.example.org",
    release: "1",
    releases: { "1": { archive: "https://archives.example.org/1.tar.gz", sha256: "0".repeat(64) } },
  },
  facts: {
    "haproxy/probe": { right: balancer, wrong: { ...balancer, running: false } },
    "app/probe": { right: server, wrong: { ...server, ready: false } },
  },
};
