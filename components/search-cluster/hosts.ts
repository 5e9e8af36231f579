import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { rootOn } from "../../transition/start.ts";
import { fileCopy } from "../../transition/step.ts";
import { keepersOf, prefixed } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import type { Cluster } from "./cluster.ts";
import type { SearchCluster } from "./config.ts";
import { dataFolder, heaps, isManager, running, settingsOf } from "./goal.ts";
import { formStory, hostStory } from "./stories.ts";
import { formTable, hostTable } from "./table.ts";

const joined = (words: readonly string[]): string => words.join("+") || "none";

/** Hosts get the version and the settings of their node. Nothing starts or stops. */
export function hosts(cluster: Cluster, after: readonly pulumi.Resource[]): Transition {
  const { config, site } = cluster;
  const { archive = "", sha256 = "" } = config.versions[config.version] ?? {};
  const names = running(config.nodes);
  const copies = new Map(
    /^https?:/.test(archive)
      ? []
      : names.map((host) => [host, copyOf(cluster, host, archive, sha256)] as const),
  );
  return cluster.transition({
    component: cluster.name,
    transition: "host",
    kind: "host",
    hosts: names,
    story: hostStory(archive),
    keepers: keepersOf<pulumi.Input<string>>(hostKeepers(cluster)),
    table: hostTable(cluster.tables),
    settings: {
      "search/stage-version": (host) =>
        pulumi.output(copies.get(host)?.to ?? archive).apply((source) => [source]),
    },
    wanted: { heapMiB: heaps(config) },
    after: [...site.ready(names), ...after, ...[...copies.values()].map(({ resource }) => resource)],
  });
}

function copyOf({ name, site, parent }: Cluster, on: string, archive: string, sha256: string) {
  const { host, scripts } = site.member(on);
  const to = host.ssh.apply((ssh) => `${rootOn(ssh)}/${sha256}.tar.gz`);
  const resource = fileCopy(
    `${name}-archive-${on}`,
    host,
    { path: resolve(import.meta.dirname, "..", "..", archive), sha256, to },
    { parent, dependsOn: [...host.ready, ...(scripts ? [scripts] : [])] },
  );
  return { to, resource };
}

/** The managers form the cluster, once. */
export function form(cluster: Cluster, after: readonly pulumi.Resource[]): Transition {
  const managers = running(cluster.config.nodes).filter((host) => isManager(cluster.node(host)));
  return cluster.transition({
    component: cluster.name,
    transition: "form",
    kind: "form",
    hosts: managers,
    sets: { managers },
    story: formStory,
    keepers: keepersOf<string>({ cluster: cluster.name }),
    table: formTable(cluster.tables),
    wanted: { managers },
    after,
  });
}

/** All that `search/configure-node` is told. */
function hostKeepers({ name, config, site }: Cluster): Record<string, pulumi.Input<string> | undefined> {
  const names = running(config.nodes);
  const members = Object.keys(config.nodes).sort();
  const addresses = pulumi.all(members.map((host) => site.member(host).host.address));
  const conf: Record<string, pulumi.Input<string>> = {
    ...settingsOf(config),
    engine: config.engine,
    port: String(config.port),
    transport_port: String(config.transportPort),
    coordinator: config.coordinator ?? "",
    attribute: config.attribute,
    awareness: config.awareness ? "yes" : "no",
    spot_zones: config.spotZones.join(","),
    owner: config.owner,
    owner_uid: String(config.ownerUid),
    data: dataFolder(name, config.data),
    logs: `/var/log/${name}`,
    single_manager: config.singleManager === undefined ? "no" : "yes",
    ...(config.queries ? { slow_seconds: String(config.queries.slowSeconds) } : {}),
    accept: Object.keys(config.accept).sort().join(","),
    clients: [...config.clients].sort().join(","),
    stop_seconds: String(config.seconds.stop),
    start_seconds: String(config.seconds.start),
    cover_seconds: String(config.seconds.cover),
    nodes: addresses.apply((places) =>
      members.map((host, index) => memberWord(config, host, places[index] ?? "")).join(","),
    ),
  };
  const own = names.map((host): [string, pulumi.Input<string>] => [
    `own.${host}.address`,
    site.member(host).host.address,
  ]);
  return {
    version: config.version,
    sha256: config.versions[config.version]?.sha256,
    ...prefixed("conf.", conf),
    ...Object.fromEntries(own),
    ...site.machines(names),
  };
}

/** One node as hosts are told of it: name, address, zone, roles, state. */
const memberWord = ({ nodes }: SearchCluster, host: string, address: string): string => {
  const node = nodes[host];
  return [host, address, node?.zone ?? "", joined(node?.roles ?? []), node?.is ?? "out"].join(":");
};
