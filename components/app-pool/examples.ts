import type { Example } from "../system.ts";
import { addressTable, edgeTable, maintenanceTable } from "./tables/edge.ts";
import { balancerHostTable, balancersTable, serverHostTable } from "./tables/host.ts";
import { memberTable, type PoolLimits, upgradeTable } from "./tables/member.ts";
import { releaseTable, singleReleaseTable } from "./tables/release.ts";

const limits: PoolLimits = {
  pool: "crossbow",
  drainSeconds: 60,
  policy: "fail",
  minHealthy: 1,
  readySeconds: 60,
  upSeconds: 30,
  bakeSeconds: 15,
  groupBakeSeconds: 1,
  path: "/",
  host: "localhost",
};

/** The transitions of a pool, as the documents show them. */
export const poolExamples: Readonly<Record<string, Example>> = {
  "pool-balancer": { title: "Pool: install a balancer", table: balancerHostTable },
  "pool-server": {
    title: "Pool: install a server",
    table: serverHostTable({ pool: "crossbow" }),
  },
  "pool-balancers": {
    title: "Pool: configure the balancers (here two)",
    table: balancersTable("crossbow", ["websvr", "websvr2"]),
  },
  "pool-edge": {
    title: "Pool: cut over from Apache to HAProxy",
    table: edgeTable({ pool: "crossbow", host: "localhost", edge: "haproxy", apache: "kept" }),
  },
  "pool-edge-back": {
    title: "Pool: go back from HAProxy to Apache",
    table: edgeTable({ pool: "crossbow", host: "localhost", edge: "apache", apache: "kept" }),
  },
  "pool-edge-retire": {
    title: "Pool: retire Apache",
    table: edgeTable({ pool: "crossbow", host: "localhost", edge: "haproxy", apache: "retired" }),
  },
  "pool-release-single": {
    title: "Pool: release while Apache serves",
    table: singleReleaseTable(limits),
  },
  "pool-release": {
    title: "Pool: release (here three servers: the canary, then two)",
    table: releaseTable(limits, [["prodapp01"], ["prodapp02", "prodapp03"]]),
  },
  "pool-enter": { title: "Pool: a server enters", table: memberTable(limits, "prodapp02", "in") },
  "pool-leave": { title: "Pool: a server leaves", table: memberTable(limits, "prodapp02", "out") },
  "pool-upgrade": {
    title: "Pool: upgrade a server's system packages (server by server)",
    table: upgradeTable(limits, "prodapp01", "sessions"),
  },
  "pool-address": {
    title: "Pool: release an address (before the balancers' configuration drops it)",
    table: addressTable("crossbow", { bind: "203.0.113.7:80", deadline: "2026-12-24" }),
  },
  "pool-maintenance": {
    title: "Pool: switch the site's maintenance on or off",
    table: maintenanceTable("crossbow"),
  },
};
