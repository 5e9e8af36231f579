import { resolve } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { rootOn } from "../../../transition/start.ts";
import { fileCopy } from "../../../transition/step.ts";
import { keepersOf } from "../../../transition/table.ts";
import type { Cluster } from "../cluster.ts";
import { nodeComponent } from "../goal.ts";
import { type Body, bodyOf } from "./body.ts";
import type { SearchIndex } from "./config.ts";
import { indexStory } from "./stories.ts";
import { indexTable } from "./table.ts";

const project = resolve(import.meta.dirname, "..", "..", "..");

/** Each index becomes the version of the file, one after the other: two copies at once would count on each other's room. */
export const indexes = (cluster: Cluster, after: readonly pulumi.Resource[]): readonly pulumi.Resource[] =>
  Object.entries(cluster.config.indexes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .reduce((before, [alias, index]) => [declare(cluster, alias, index, before)], after);

function declare(
  cluster: Cluster,
  alias: string,
  index: SearchIndex,
  after: readonly pulumi.Resource[],
): pulumi.Resource {
  const { name, config } = cluster;
  const where = `searchClusters.${name}.indexes.${alias}`;
  // All of them: a wrong file is found before its version is wanted.
  const bodies = Object.fromEntries(
    Object.entries(index.versions).map(([version, { body }]) => [
      version,
      bodyOf(body, project, `${where}.versions.${version}.body`),
    ]),
  );
  const body = bodies[index.version];
  const asker = cluster.asker() ?? Object.keys(config.nodes)[0] ?? "";
  if (body === undefined)
    throw new Error(`${where}: ${index.version} has no body, which its rules have refused`);
  const copied = copyOf(cluster, alias, asker, body);
  const { how, from, maxBlockSeconds, keepOld, docsPerSecond } = index;
  const told = () => copied.to.apply((path) => [path]);
  return cluster.transition({
    component: nodeComponent(name, alias),
    transition: "index",
    kind: "index",
    hosts: [asker],
    sets: { asker: [asker] },
    story: indexStory(name, alias, index, cluster.last?.indexes?.[alias]),
    keepers: keepersOf<string>({ alias, version: index.version, sha256: body.sha256, how, from }),
    table: indexTable({ cluster: name, alias, how, maxBlockSeconds, keepOld, docsPerSecond }),
    settings: { "search/check-index": told, "search/create-index": told, "search/update-index": told },
    wanted: { alias },
    after: [...after, copied.resource],
  }).finished;
}

/** The body on the host that makes the index. */
function copyOf({ name, site, parent }: Cluster, alias: string, on: string, { path, sha256 }: Body) {
  const { host, scripts } = site.member(on);
  const to = host.ssh.apply((ssh) => `${rootOn(ssh)}/${sha256}.json`);
  const resource = fileCopy(
    `${name}-body-${alias}`,
    host,
    { path, sha256, to },
    { parent, dependsOn: [...host.ready, ...(scripts ? [scripts] : [])] },
  );
  return { to, resource };
}
