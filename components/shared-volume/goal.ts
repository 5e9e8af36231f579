import type * as pulumi from "@pulumi/pulumi";
import type { SharedVolume } from "./config.ts";

export type BrickRole = "data" | "arbiter";

/** A brick of the goal: its host, and the folder there. */
export interface GoalBrick {
  readonly host: string;
  readonly role: BrickRole;
  readonly path: string;
}

/** The bricks of a volume. The host of the first one runs the gluster commands. */
export function bricksOf(volume: SharedVolume): GoalBrick[] {
  const { servers, arbiter, brick, bricks } = volume;
  const at = (host: string, role: BrickRole): GoalBrick => ({ host, role, path: bricks[host] ?? brick });
  return [
    ...servers.map((host) => at(host, "data")),
    ...(arbiter === undefined ? [] : [at(arbiter, "arbiter")]),
  ];
}

/** All hosts of a volume: a `server` has a brick, a `client` only mounts. */
export function rolesOf(volume: SharedVolume): Readonly<Record<string, "server" | "client">> {
  return Object.fromEntries([
    ...Object.keys(volume.mounts).map((host): [string, "client"] => [host, "client"]),
    ...bricksOf(volume).map(({ host }): [string, "server"] => [host, "server"]),
  ]);
}

/** The keeper of the volume's option that says who may mount it: addresses with commas. */
export const allowKeeper = "option.auth.allow";

/**
 * Options of the volume. Users go on when one server dies (docs/decisions/0013): a write needs two of three bricks, a
 * silent server is given up soon, and no server stops its own brick because other servers are away.
 */
export function optionsOf(volume: SharedVolume): Readonly<Record<string, string>> {
  const several = bricksOf(volume).length > 1;
  return {
    "nfs.disable": "on",
    "network.ping-timeout": String(volume.pingSeconds),
    // The mount caches for half a second, so all hosts see a change within a second.
    "performance.md-cache-timeout": "0",
    ...(several
      ? {
          "cluster.quorum-type": "auto",
          "cluster.server-quorum-type": "none",
          "cluster.heal-timeout": "60",
          "cluster.favorite-child-policy": "none",
        }
      : {}),
  };
}

/** Where the folder that the volume replaces is kept. */
export function keptAs(name: string, { replaces, kept }: SharedVolume): string {
  return kept ?? `${replaces ?? ""}.before-${name}`;
}

/** Hosts that mount the volume, the one of `copyFrom` first. */
export function mountOrder({ mounts, copyFrom }: SharedVolume): string[] {
  const hosts = Object.keys(mounts).sort();
  return [...hosts.filter((host) => host === copyFrom), ...hosts.filter((host) => host !== copyFrom)];
}

/** What a pool passes to the volumes that its servers mount: by host, what must be finished before its mount changes. */
export interface MountedBy {
  readonly beforeMount: ReadonlyMap<string, readonly pulumi.Resource[]>;
}

/** Volumes that one of these hosts mounts or unmounts. */
export const mountedOn = (volumes: Readonly<Record<string, unknown>>, hosts: readonly string[]): string[] =>
  Object.entries(volumes as Readonly<Record<string, SharedVolume>>)
    .filter(([, { mounts }]) => hosts.some((host) => Object.hasOwn(mounts, host)))
    .map(([name]) => name);

/** Where a host mounts volumes. */
export const mountsAt = (volumes: Readonly<Record<string, unknown>>, host: string): string[] =>
  Object.values(volumes as Readonly<Record<string, SharedVolume>>)
    .flatMap(({ mounts }) => mounts[host] ?? [])
    .filter((path) => path !== "none")
    .sort();
