import type { HostUse, PortUse, Rule } from "../system.ts";
import { type Fields, fieldsOf, overlap, word, wordsOf } from "../../config/draft.ts";
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

/** A folder that is replaced is copied from one host, and does not overlap the mount. */
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
  for (const [host, mount] of Object.entries(mounts)) {
    for (const [key, folder] of [["replaces", replaces] as const, ["kept", kept] as const])
      if (folder !== undefined && overlap(folder, word(mount) ?? ""))
        problems.push({
          path: [...path, key],
          text: `${folder} overlaps the mount at ${shown(mount)} on ${host}; name another folder`,
        });
  }
  if (replaces !== undefined && kept !== undefined && overlap(replaces, kept))
    problems.push({ path: [...path, "kept"], text: `${kept} overlaps ${replaces}; name another folder` });
  return problems;
};

/** A mount does not overlap the volume's own brick. */
const mountsBesideBricks: Rule = (name, volume) =>
  Object.entries(fieldsOf(volume.mounts)).flatMap(([host, mount]) => {
    const brick = word(fieldsOf(volume.bricks)[host]) ?? word(volume.brick) ?? "";
    return overlap(brick, word(mount) ?? "")
      ? [
          {
            path: ["sharedVolumes", name, "mounts", host],
            text: `${shown(mount)} overlaps the brick ${brick}; name another path`,
          },
        ]
      : [];
  });

/** Folders that a volume uses on hosts, with the field that names each. */
function foldersOf(name: string, volume: Fields): { host: string; folder: string; at: string[] }[] {
  const path = ["sharedVolumes", name];
  const own = fieldsOf(volume.bricks);
  return [
    ...brickHosts(volume).map((host) => ({
      host,
      folder: word(own[host]) ?? word(volume.brick) ?? "",
      at: [...path, Object.hasOwn(own, host) ? "bricks" : "brick"],
    })),
    ...Object.entries(fieldsOf(volume.mounts)).map(([host, mount]) => ({
      host,
      folder: word(mount) ?? "",
      at: [...path, "mounts", host],
    })),
  ];
}

/** Folders of two volumes on one host do not overlap. */
const foldersOfOthers: Rule = (name, volume, { entries }) => {
  const volumes = Object.entries(entries("sharedVolumes"));
  const before = volumes.slice(0, Object.keys(entries("sharedVolumes")).indexOf(name));
  return foldersOf(name, volume).flatMap(({ host, folder, at }) => {
    const other = before.find(([earlier, fields]) =>
      foldersOf(earlier, fields).some((used) => used.host === host && overlap(used.folder, folder)),
    );
    return other
      ? [
          {
            path: at,
            text: `${folder} on ${host} overlaps a folder of sharedVolumes.${other[0]}; name another path`,
          },
        ]
      : [];
  });
};

/** What is checked between the fields of a volume and the rest of the stack file. */
export const volumeRules: readonly Rule[] = [copies, folders, mountsBesideBricks, foldersOfOthers];
