import type { FolderUse, HostUse, PortUse, Rule } from "../system.ts";
import { type Fields, fieldsOf, word, wordsOf } from "../../config/draft.ts";
import { allowedWords, type Problem, shown } from "../../config/problems.ts";

/** Where a volume names hosts. */
export function hostsOfVolume(volume: Fields): HostUse[] {
  const servers = wordsOf(volume.servers).map((host, index) => ({ path: ["servers", String(index)], host }));
  const single = ["arbiter", "copyFrom"].flatMap((key): HostUse[] => {
    const host = word(volume[key]);
    return host === undefined ? [] : [{ path: [key], host }];
  });
  const maps = ["bricks", "mounts"].flatMap((key) =>
    Object.keys(fieldsOf(volume[key])).map((host) => ({ path: [key, host], host })),
  );
  return [...servers, ...single, ...maps];
}

/** Hosts with a brick. */
const brickHosts = (volume: Fields): string[] => [
  ...wordsOf(volume.servers),
  ...[word(volume.arbiter)].filter((host) => host !== undefined),
];

/** Components of a volume: its bricks, each host, each mount. */
export function componentsOfVolume(name: string, volume: Fields): string[] {
  const mounts = Object.keys(fieldsOf(volume.mounts));
  const hosts = new Set([...brickHosts(volume), ...mounts]);
  return [
    `${name}-volume`,
    ...[...hosts].map((host) => `${name}-${host}`),
    ...mounts.map((host) => `${name}-${host}-mount`),
  ];
}

/** Port of glusterd on every host with a brick, for all volumes alike. */
const glusterPort = 24007;

export const portsOfVolume = (volume: Fields): PortUse[] => [
  {
    path: ["servers"],
    port: glusterPort,
    purpose: "glusterd, from hosts of the volume",
    hosts: brickHosts(volume),
    from: ["members"],
    shared: "glusterd",
  },
];

/** Three copies, or two and an arbiter; one copy only with a reason. */
const copies: Rule = (name, volume) => {
  const path = ["sharedVolumes", name];
  const servers = wordsOf(volume.servers);
  if (!Array.isArray(volume.servers)) return [];
  const [arbiter, reason] = [word(volume.arbiter), word(volume.singleBrick)];
  const twice = servers.find((host, index) => servers.indexOf(host) < index);
  if (twice !== undefined)
    return [
      {
        path: [...path, "servers"],
        text: `${shown(twice)} is listed twice; allowed: one brick of a volume on a host`,
      },
    ];
  if (arbiter !== undefined && servers.includes(arbiter))
    return [{ path: [...path, "arbiter"], text: `${shown(arbiter)} is also a server; name a third host` }];
  if (servers.length === 1 && arbiter === undefined)
    return reason === undefined
      ? [
          {
            path: [...path, "servers"],
            text: "one copy is lost when its server is lost; allowed: three servers, or two and an arbiter, or one with a reason in singleBrick",
          },
        ]
      : [];
  if (reason !== undefined)
    return [
      {
        path: [...path, "singleBrick"],
        text: "allowed only for one server, but the volume has more; remove singleBrick",
      },
    ];
  if (servers.length === 3 && arbiter === undefined) return [];
  if (servers.length === 2 && arbiter !== undefined) return [];
  const text =
    servers.length === 2
      ? "two copies can disagree, and no third vote decides; add a third server or an arbiter"
      : `${String(servers.length)} servers${arbiter === undefined ? "" : " and an arbiter"}; allowed: three servers, or two and an arbiter`;
  return [{ path: [...path, "servers"], text }];
};

/** A folder that is replaced is copied from one host. */
const folders: Rule = (name, volume) => {
  const path = ["sharedVolumes", name];
  const [replaces, copyFrom, kept] = [word(volume.replaces), word(volume.copyFrom), word(volume.kept)];
  const mounts = fieldsOf(volume.mounts);
  const problems: Problem[] = [];
  if (replaces === undefined && copyFrom !== undefined)
    problems.push({ path: [...path, "copyFrom"], text: "needs replaces: the folder that is copied" });
  if (replaces === undefined && kept !== undefined)
    problems.push({ path: [...path, "kept"], text: "needs replaces: the folder that is kept" });
  if (replaces !== undefined && copyFrom === undefined)
    problems.push({
      path: [...path, "copyFrom"],
      text: "missing; name the host whose folder is copied to the volume",
    });
  if (copyFrom !== undefined && !Object.hasOwn(mounts, copyFrom))
    problems.push({
      path: [...path, "copyFrom"],
      text: `${shown(copyFrom)} does not mount the volume; ${allowedWords(copyFrom, Object.keys(mounts))}`,
    });
  return problems;
};

/** Folders that a volume uses on hosts: its bricks, its mounts, and the folder that it replaces. */
export function foldersOfVolume(volume: Fields): FolderUse[] {
  const own = fieldsOf(volume.bricks);
  const mounts = Object.entries(fieldsOf(volume.mounts));
  const others = ["replaces", "kept"].flatMap((key): FolderUse[] => {
    const folder = word(volume[key]);
    return folder === undefined ? [] : [{ path: [key], folder, hosts: mounts.map(([host]) => host) }];
  });
  return [
    ...[...new Set(brickHosts(volume))].map((host) => ({
      path: Object.hasOwn(own, host) ? ["bricks", host] : ["brick"],
      folder: word(own[host]) ?? word(volume.brick) ?? "",
      hosts: [host],
    })),
    ...mounts.flatMap(([host, mount]) =>
      mount === "none" ? [] : [{ path: ["mounts", host], folder: word(mount) ?? "", hosts: [host] }],
    ),
    ...others,
  ];
}

/** What is checked between the fields of a volume and the rest of the stack file. */
export const volumeRules: readonly Rule[] = [copies, folders];
