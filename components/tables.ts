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
} from "./app-pool/table.ts";
import { cacheLeaveTable, cacheNodeTable, cacheRingTable } from "./cache/table.ts";
import { aloneTable, type CarriedRows, provisionTable, switchTable } from "./pair/table.ts";
import { bricksTable, mountTable, unmountTable, volumeHostTable } from "./shared-volume/table.ts";
import { stagedUpgradeTable, upgradeHostTable } from "./staged-upgrade/table.ts";
import type { Table } from "../transition/table.ts";

const everything: CarriedRows = { files: true, services: true, checks: true, snapshot: true };

const limits: PoolLimits = {
  ...{ pool: "crossbow", drainSeconds: 60, policy: "fail", minHealthy: 1, readySeconds: 60, upSeconds: 30 },
  ...{ bakeSeconds: 15, groupBakeSeconds: 1, path: "/", host: "localhost" },
};

/** Every transition there is, for the documents and for the tests that hold over all of them. */
export const tables: Readonly<Record<string, { title: string; table: Table }>> = {
  provision: {
    title: "Pair: provision (with software, services and files)",
    table: provisionTable({ software: "demo/sounz", carries: true }),
  },
  switch: {
    title: "Pair: switch (the host itself takes the service address)",
    table: switchTable({ platformMovesAddress: false, checksFromHost: false }),
  },
  "switch-carries": {
    title: "Pair: switch (with directories, indexes, services and checks; the database as a snapshot)",
    table: switchTable({ platformMovesAddress: false, checksFromHost: false, carried: everything }),
  },
  "switch-aws": {
    title: "Pair: switch (the platform moves the service address, the check runs on a host)",
    table: switchTable({ platformMovesAddress: true, checksFromHost: true }),
  },
  "alone-carries": {
    title:
      "Pair: switch without the other machine, which is sick and may still answer, with services and checks (no fence)",
    table: aloneTable({
      ...{ platformMovesAddress: false, checksFromHost: false, fencedBy: "nobody" },
      ...{ carried: everything, grab: "attempt" },
    }),
  },
  alone: {
    title: "Pair: switch without the other machine (`unreachable`; a command of the operator's cuts it off)",
    table: aloneTable({ platformMovesAddress: false, checksFromHost: false, fencedBy: "operator" }),
  },
  "alone-aws": {
    title: "Pair: switch without the other machine (the platform stops it and moves the service address)",
    table: aloneTable({ platformMovesAddress: true, checksFromHost: false, fencedBy: "platform" }),
  },
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
  "volume-provision": { title: "Shared volume: provision (each of its hosts)", table: volumeHostTable },
  "volume-bricks": { title: "Shared volume: bricks (made, added, replaced, removed)", table: bricksTable },
  "volume-client": {
    title: "Shared volume: client (mounts it, and links the folder that it takes the place of)",
    table: mountTable("copies"),
  },
  "volume-client-none": { title: "Shared volume: client (mounts it no more)", table: unmountTable },
  "cache-node": { title: "Cache: a node (one after the other)", table: cacheNodeTable },
  "cache-ring": { title: "Cache: the ring (all clients)", table: cacheRingTable },
  "upgrade-host": {
    title: "Staged upgrade: a host is told what it is (with software)",
    table: upgradeHostTable("scalr", "demo/scalr"),
  },
  upgrade: {
    title: "Staged upgrade: one version on all hosts (and the way back)",
    table: stagedUpgradeTable(
      {
        ...{ name: "scalr", main: "db", others: ["app1", "app2", "proxy", "worker"] },
        groups: [
          ["app1", "app2"],
          ["proxy", "worker"],
        ],
        smoke: [{ name: "farm", on: "app1", seconds: 60, command: "farm launch", cleanUp: "farm terminate" }],
      },
      {
        ...{ stop: 300, package: 1800, reconfigure: 3600, healthy: 300, backup: 14400 },
        ...{ backupMinutes: 60, silenceMinutes: 240, back: "" },
      },
    ),
  },
  "cache-leave": { title: "Cache: a host that is no node any more", table: cacheLeaveTable },
};
