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

/** The bricks are one component, each host and each mount are others. */
export function componentsOfVolume(name: string, volume: Fields): string[] {
  const mounts = Object.keys(fieldsOf(volume.mounts));
  const hosts = new Set([...brickHosts(volume), ...mounts]);
  return [
    `${name}-volume`,
    ...[...hosts].map((host) => `${name}-${host}`),
    ...mounts.map((host) => `${name}-${host}-mount`),
  ];
}

/** Where glusterd listens on every host with a brick, whatever the volume. */
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

/** Three copies, or two and an arbiter; one only with a reason (rows 001-055 to 001-061). */
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
        text: `${shown(twice)} is named twice; a host has one brick of a volume`,
      },
    ];
  if (arbiter !== undefined && servers.includes(arbiter))
    return [{ path: [...path, "arbiter"], text: `${shown(arbiter)} is a server too; name a third host` }];
  if (servers.length === 1 && arbiter === undefined)
    return reason === undefined
      ? [
          {
            path: [...path, "servers"],
            text: "one copy is gone with its server; allowed: three servers, or two and an arbiter, or one with singleBrick, which says why",
          },
        ]
      : [];
  if (reason !== undefined)
    return [{ path: [...path, "singleBrick"], text: "is for one server; leave it out, the volume has more" }];
  if (servers.length === 3 && arbiter === undefined) return [];
  if (servers.length === 2 && arbiter !== undefined) return [];
  const text =
    servers.length === 2
      ? "two copies can disagree, and nobody could say which is right; add a third server, or an arbiter"
      : `${String(servers.length)} servers${arbiter === undefined ? "" : " and an arbiter"}; allowed: three servers, or two and an arbiter`;
  return [{ path: [...path, "servers"], text }];
};

/** A folder that is replaced is copied from somewhere, and goes nowhere into the volume itself. */
const folders: Rule = (name, volume) => {
  const path = ["sharedVolumes", name];
  const [replaces, copyFrom, kept] = [word(volume.replaces), word(volume.copyFrom), word(volume.kept)];
  const mounts = fieldsOf(volume.mounts);
  const problems: Problem[] = [];
  if (replaces === undefined && copyFrom !== undefined)
    problems.push({ path: [...path, "copyFrom"], text: "needs replaces, the folder that is copied" });
  if (replaces === undefined && kept !== undefined)
    problems.push({ path: [...path, "kept"], text: "needs replaces, the folder that is kept" });
  if (replaces !== undefined && copyFrom === undefined)
    problems.push({ path: [...path, "copyFrom"], text: "missing; the host whose folder is copied" });
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
          text: `${folder} and the mount at ${shown(mount)} on ${host} are in each other`,
        });
  }
  if (replaces !== undefined && kept !== undefined && overlap(replaces, kept))
    problems.push({ path: [...path, "kept"], text: `${kept} and ${replaces} are in each other` });
  return problems;
};

/** What a volume is mounted on is no place of its own bricks. */
const apart: Rule = (name, volume) =>
  Object.entries(fieldsOf(volume.mounts)).flatMap(([host, mount]) => {
    const brick = word(fieldsOf(volume.bricks)[host]) ?? word(volume.brick) ?? "";
    return overlap(brick, word(mount) ?? "")
      ? [
          {
            path: ["sharedVolumes", name, "mounts", host],
            text: `${shown(mount)} and the brick ${brick} are in each other`,
          },
        ]
      : [];
  });

/** Folders that a volume takes on hosts, with where they stand. */
function placesOf(name: string, volume: Fields): { host: string; folder: string; at: string[] }[] {
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

/** Two volumes have no folder on one host in common. */
const places: Rule = (name, volume, { entries }) => {
  const all = Object.entries(entries("sharedVolumes"));
  const before = all.slice(0, Object.keys(entries("sharedVolumes")).indexOf(name));
  return placesOf(name, volume).flatMap(({ host, folder, at }) => {
    const other = before.find(([of, fields]) =>
      placesOf(of, fields).some((place) => place.host === host && overlap(place.folder, folder)),
    );
    return other ? [{ path: at, text: `${folder} on ${host} is in use by sharedVolumes.${other[0]}` }] : [];
  });
};

/** What is wrong between a volume and the rest of a stack file. */
export const volumeRules: readonly Rule[] = [copies, folders, apart, places];
