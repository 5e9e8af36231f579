import { type Draft, type Fields, fieldsOf, noHost, word, wordsOf } from "../../config/draft.ts";
import { allowedWords, pathText, type Problem, shown } from "../../config/problems.ts";

/** What is wrong between the parts of the shared volumes of a stack file. */
export function volumeProblems(draft: Draft): Problem[] {
  return [
    ...Object.entries(draft.volumes).flatMap(([name, volume]) =>
      [namedHosts, copies, folders, apart].flatMap((rule) => rule(["sharedVolumes", name], volume, draft)),
    ),
    ...places(draft),
  ];
}

type Rule = (path: readonly string[], volume: Fields, draft: Draft) => Problem[];

/** Every host that a volume names, with where. */
function hostsIn(path: readonly string[], volume: Fields): [string[], string][] {
  const lists = wordsOf(volume.servers).map((host, index): [string[], string] => [
    [...path, "servers", String(index)],
    host,
  ]);
  const single = ["arbiter", "copyFrom"].flatMap((key): [string[], string][] => {
    const host = word(volume[key]);
    return host === undefined ? [] : [[[...path, key], host]];
  });
  const maps = ["bricks", "mounts"].flatMap((key) =>
    Object.keys(fieldsOf(volume[key])).map((host): [string[], string] => [[...path, key, host], host]),
  );
  return [...lists, ...single, ...maps];
}

const namedHosts: Rule = (path, volume, { hosts, absent }) =>
  hostsIn(path, volume).flatMap(([at, host]) => {
    if (!Object.hasOwn(hosts, host)) return [{ path: at, text: noHost(host, { hosts }) }];
    const index = absent.indexOf(host);
    if (index < 0) return [];
    return [
      {
        path: ["absent", String(index)],
        text: `${shown(host)} is in ${pathText(at)}; name another host there, update, and let it go then`,
      },
    ];
  });

/** Three copies, or two and an arbiter; one only with a reason (rows 001-055 to 001-061). */
const copies: Rule = (path, volume) => {
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
const folders: Rule = (path, volume) => {
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
const apart: Rule = (path, volume) =>
  Object.entries(fieldsOf(volume.mounts)).flatMap(([host, mount]) => {
    const brick = word(fieldsOf(volume.bricks)[host]) ?? word(volume.brick) ?? "";
    return overlap(brick, word(mount) ?? "")
      ? [
          {
            path: [...path, "mounts", host],
            text: `${shown(mount)} and the brick ${brick} are in each other`,
          },
        ]
      : [];
  });

const within = (one: string, folder: string): boolean => one === folder || one.startsWith(`${folder}/`);
const overlap = (one: string, other: string): boolean =>
  one !== "" && other !== "" && (within(one, other) || within(other, one));

/** Two volumes have nothing on one host in common, and no name that records would share. */
function places({ volumes, hosts }: Draft): Problem[] {
  const taken = new Map<string, string>();
  const components = new Map<string, string>();
  return Object.entries(volumes).flatMap(([name, volume]) => {
    const path = ["sharedVolumes", name];
    const bricks = [
      ...wordsOf(volume.servers),
      ...(word(volume.arbiter) ? [word(volume.arbiter) ?? ""] : []),
    ].map((host): [string, string, string[]] => [
      host,
      word(fieldsOf(volume.bricks)[host]) ?? word(volume.brick) ?? "",
      [...path, Object.hasOwn(fieldsOf(volume.bricks), host) ? "bricks" : "brick"],
    ]);
    const mounts = Object.entries(fieldsOf(volume.mounts)).map(
      ([host, mount]): [string, string, string[]] => [host, word(mount) ?? "", [...path, "mounts", host]],
    );
    const both = [...bricks, ...mounts].flatMap(([host, folder, at]) => {
      const other = [...taken].find(
        ([place, owner]) =>
          place.startsWith(`${host}:`) && owner !== name && overlap(place.slice(host.length + 1), folder),
      );
      taken.set(`${host}:${folder}`, name);
      return other ? [{ path: at, text: `${folder} on ${host} is in use by sharedVolumes.${other[1]}` }] : [];
    });
    const names = [
      `${name}-volume`,
      ...Object.keys(hosts).flatMap((host) => [`${name}-${host}`, `${name}-${host}-mount`]),
    ];
    const same = names.filter((one, index) => components.has(one) || names.indexOf(one) < index);
    for (const one of names) components.set(one, name);
    return [
      ...both,
      ...same.map((one) => ({
        path,
        text: `${shown(one)} would be two components; give the host another name`,
      })),
    ];
  });
}
