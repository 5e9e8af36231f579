import type { Example } from "../system.ts";
import {
  addressTable,
  balancerHostTable,
  balancersTable,
  edgeTable,
  maintenanceTable,
  memberTable,
  type PoolLimits,
  releaseTable,
  serverHostTable,
  singleReleaseTable,
  upgradeTable,
} from "./table.ts";

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
  "pool-balancer": { title: "Pool: a balancer made ready", table: balancerHostTable },
  "pool-server": {
    title: "Pool: a server made ready",
    table: serverHostTable({ pool: "crossbow" }),
  },
  "pool-balancers": {
    title: "Pool: the balancers' configuration (two of them)",
    table: balancersTable("crossbow", ["websvr", "websvr2"]),
  },
  "pool-edge": {
    title: "Pool: the cut-over from Apache to HAProxy",
    table: edgeTable({ pool: "crossbow", host: "localhost", edge: "haproxy", apache: "kept" }),
  },
  "pool-edge-back": {
    title: "Pool: the way back to Apache",
    table: edgeTable({ pool: "crossbow", host: "localhost", edge: "apache", apache: "kept" }),
  },
  "pool-edge-retire": {
    title: "Pool: Apache is retired",
    table: edgeTable({ pool: "crossbow", host: "localhost", edge: "haproxy", apache: "retired" }),
  },
  "pool-release-single": {
    title: "Pool: a release while Apache serves",
    table: singleReleaseTable(limits),
  },
  "pool-release": {
    title: "Pool: a release (three servers: the canary, then two)",
    table: releaseTable(limits, [["prodapp01"], ["prodapp02", "prodapp03"]]),
  },
  "pool-enter": { title: "Pool: a server comes in", table: memberTable(limits, "prodapp02", "in") },
  "pool-leave": { title: "Pool: a server leaves", table: memberTable(limits, "prodapp02", "out") },
  "pool-upgrade": {
    title: "Pool: a server's system packages are upgraded (one server after the other)",
    table: upgradeTable(limits, "prodapp01", "sessions"),
  },
  "pool-address": {
    title: "Pool: an address is released (before its balancer's configuration has it no more)",
    table: addressTable("crossbow", { bind: "203.0.113.7:80", deadline: "2026-12-24" }),
  },
  "pool-maintenance": {
    title: "Pool: the site goes into maintenance, or out of it",
    table: maintenanceTable("crossbow"),
  },
};
