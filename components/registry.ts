import { appPool } from "./app-pool/index.ts";
import { cache } from "./cache/index.ts";
import { pair } from "./pair/index.ts";
import { searchCluster } from "./search-cluster/index.ts";
import { sharedVolume } from "./shared-volume/index.ts";
import { stagedUpgrade } from "./staged-upgrade/index.ts";
import type { System } from "./system.ts";

/** The one list of systems. What a system needs of another it asks for, so the order is that of the documents. */
export const registry = [pair, appPool, sharedVolume, cache, searchCluster, stagedUpgrade] as const;

type Registered = (typeof registry)[number];

/** The entries of all systems, by their key in the stack file. */
export type Entries = {
  readonly [One in Registered as One["key"]]: Readonly<
    Record<string, One extends System<string, infer Entry, infer _> ? Entry : never>
  >;
};

/** The same list, where only what all systems have in common matters. */
export const systems: readonly System[] = registry;
