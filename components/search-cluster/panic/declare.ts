import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { root } from "../../../config/places.ts";
import { keepersOf, prefixed } from "../../../transition/table.ts";
import type { Transition } from "../../../transition/transition.ts";
import type { Cluster } from "../cluster.ts";
import { askerOf } from "../goal.ts";
import type { RetentionRule } from "./config.ts";
import { deleteComponent, queriesComponent, rescueOrder, writersComponent } from "./goal.ts";
import { cancelStory, deleteStory, pauseStory, rescueStory } from "./stories.ts";
import { cancelTable, deleteTable, pauseTable, rescueTable, resumeTable } from "./table.ts";
import type { PanicExpected } from "./verify.ts";

/** What is declared for a cluster in trouble: what it waits for, and what waits for it. */
export interface Panic {
  /** Nodes restart by other transitions only after these. */
  readonly rescued: readonly pulumi.Resource[];
  readonly finished: readonly pulumi.Resource[];
  readonly hosts: readonly string[];
}

/** Hosts of writers that something may dial. */
const writersOf = ({ config, site }: Cluster): readonly string[] =>
  Object.keys(config.writers)
    .filter((host) => !site.isLost(host))
    .sort();

/** A pause and a rescue wait for no other transition: they are for the time when those fail. */
export function declarePanic(cluster: Cluster, formed: readonly pulumi.Resource[]): Panic {
  const { config } = cluster;
  const paused = writersOf(cluster).length > 0 ? [pause(cluster)] : [];
  const rescued = config.rescue === undefined ? [] : [rescue(cluster, config.rescue)];
  const cancelled = config.queries?.cancel === undefined ? [] : [cancel(cluster, config.queries.cancel)];
  const before = [...rescued, ...cancelled].map(({ finished }) => finished);
  const deleted = Object.entries(config.retention)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .reduce<readonly pulumi.Resource[]>(
      (after, [name, rule]) =>
        rule.now === undefined ? after : [remove(cluster, name, rule, after).finished],
      [...formed, ...before],
    );
  return {
    rescued: rescued.map(({ finished }) => finished),
    finished: [...paused.map(({ finished }) => finished), ...before, ...deleted],
    hosts: Object.keys(config.writers),
  };
}

/** Programs stop writing until `paused` is taken away. */
function pause(cluster: Cluster): Transition {
  const { name, config, site } = cluster;
  const { paused } = config;
  const hosts = writersOf(cluster);
  const asker = cluster.asker();
  const isPaused = paused !== undefined;
  return cluster.transition({
    component: writersComponent(name),
    transition: "pause",
    kind: "panic",
    hosts: isPaused && asker !== undefined ? [...new Set([...hosts, asker])] : hosts,
    sets: { writers: hosts, asker: asker === undefined ? [] : [asker] },
    story: pauseStory(name, isPaused),
    keepers: keepersOf<string>({
      state: isPaused ? "paused" : "running",
      reason: paused,
      ...prefixed("units.", unitsByHost(cluster)),
    }),
    table: isPaused ? pauseTable(cluster.tables) : resumeTable(cluster.tables),
    after: site.ready(hosts),
  });
}

const unitsByHost = ({ config }: Cluster): Record<string, string> =>
  Object.fromEntries(Object.entries(config.writers).map(([host, units]) => [host, units.join("+")]));

/** Nodes that are not in are started, with writers stopped and shards held. */
function rescue(cluster: Cluster, reason: string): Transition {
  const { name, config, site } = cluster;
  const order = rescueOrder(config).filter((host) => !site.isLost(host));
  const writers = writersOf(cluster);
  const hosts = [...new Set([...order, ...writers])];
  return cluster.transition({
    component: name,
    transition: "rescue",
    kind: "panic",
    // A roll that broke the cluster goes on when it is whole again.
    pauses: "roll",
    hosts,
    sets: {
      writers,
      asker: [cluster.asker() ?? order[0] ?? ""],
      ...Object.fromEntries(order.map((host) => [`node-${host}`, [host]])),
    },
    story: rescueStory,
    keepers: keepersOf<string>({ rescue: reason }),
    table: rescueTable({ ...cluster.tables, order, writers: writers.length > 0 }),
    settings: { "search/pause-writers": (host) => config.writers[host] ?? [] },
    after: site.ready(hosts),
  });
}

/** Who asks for what is done once: always the same node, or it would be done again. */
const asksOnce = ({ config }: Cluster): string => askerOf(config) ?? "";

function cancel(cluster: Cluster, reason: string): Transition {
  const asker = asksOnce(cluster);
  return cluster.transition({
    component: queriesComponent(cluster.name),
    transition: "cancel",
    kind: "panic",
    hosts: [asker],
    sets: { asker: [asker] },
    story: cancelStory,
    keepers: keepersOf<string>({ cancel: reason, slow_seconds: String(cluster.config.queries?.slowSeconds) }),
    table: cancelTable(cluster.tables),
    after: cluster.site.ready([asker]),
  });
}

function remove(
  cluster: Cluster,
  name: string,
  rule: RetentionRule,
  after: readonly pulumi.Resource[],
): Transition {
  const asker = asksOnce(cluster);
  const { index, field, olderThanDays, query, limit, now, withoutSnapshot } = rule;
  return cluster.transition({
    component: deleteComponent(cluster.name, name),
    transition: "delete",
    kind: "panic",
    hosts: [asker],
    sets: { asker: [asker] },
    story: deleteStory,
    keepers: keepersOf<string>({
      now,
      index,
      field,
      days: olderThanDays === undefined ? undefined : String(olderThanDays),
      query: query === undefined ? undefined : queryIn(query),
      limit: String(limit),
      snapshot: withoutSnapshot === undefined ? "needed" : "without",
    }),
    table: deleteTable(cluster.tables),
    after: [...cluster.site.ready([asker]), ...after],
  });
}

/** @throws pulumi.RunError when the file is missing, no JSON, or too long for a word of a script. */
function queryIn(path: string): string {
  try {
    const text = JSON.stringify(JSON.parse(readFileSync(resolve(root, path), "utf8")));
    if (text.length <= 8000 && text.startsWith("{")) return text;
  } catch (error) {
    throw new pulumi.RunError(
      `retention: ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  throw new pulumi.RunError(
    `retention: ${path} is no query (allowed: one JSON object of at most 8000 characters)`,
  );
}

/** What the state says of it; a file that uses none of it says nothing. */
export function panicExpected({ config, last }: Cluster): PanicExpected {
  const { writers, paused } = config;
  if (Object.keys(writers).length === 0) return {};
  const since = last?.paused?.since ?? new Date().toISOString().replace(/\.\d+Z$/, "Z");
  return { writers, ...(paused === undefined ? {} : { paused: { since, reason: paused } }) };
}
