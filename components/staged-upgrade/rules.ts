import type { FolderUse, HostUse, Rule } from "../system.ts";
import { hostNames } from "../../config/common-fields.ts";
import { at, type Fields, fieldsOf, mapped, word, wrongNames } from "../../config/draft.ts";
import { allowedWords, shown } from "../../config/problems.ts";
import { partNames } from "./config.ts";

/** The hosts of a staged upgrade, with their places in the file. */
export const hostsOfUpgrade = (upgrade: Fields): HostUse[] =>
  Object.keys(fieldsOf(upgrade.hosts)).map((host) => ({ path: ["hosts", host], host }));

/** The folder of backups, on the main host. */
export const foldersOfUpgrade = ({ main, backup }: Fields): FolderUse[] => {
  const [host, folder] = [word(main), word(fieldsOf(backup).folder)];
  return host === undefined || folder === undefined
    ? []
    : [{ path: ["backup", "folder"], folder, hosts: [host], shared: "backups" }];
};

/** The upgrade itself, and its part on each host. */
export const componentsOfUpgrade = (name: string, upgrade: Fields): string[] => [
  name,
  ...Object.keys(fieldsOf(upgrade.hosts)).map((host) => `${name}-${host}`),
];

/** Two upgrades of one package on one host would undo each other. */
const onePackage: Rule = (name, upgrade, { entries }) => {
  const own = Object.keys(fieldsOf(upgrade.hosts));
  for (const [other, { package: packageName, hosts }] of Object.entries(entries("stagedUpgrades"))) {
    const shared = Object.keys(fieldsOf(hosts)).find((host) => own.includes(host));
    if (other >= name || packageName !== upgrade.package || shared === undefined) continue;
    const text = `changeover:stagedUpgrades.${other} already upgrades ${shown(packageName)} on ${shared}; allowed: one upgrade of a package on each host`;
    return [at(["stagedUpgrades", name, "package"], text)];
  }
  return [];
};

const hostKeys: Rule = (name, { hosts }) =>
  wrongNames(["stagedUpgrades", name, "hosts"], fieldsOf(hosts), hostNames);

/** Each role of a host has its list of services. */
const roles: Rule = (name, { hosts, services }) => {
  const path = ["stagedUpgrades", name];
  const known = Object.keys(fieldsOf(services));
  return [
    ...wrongNames([...path, "services"], fieldsOf(services), partNames),
    ...Object.entries(fieldsOf(hosts)).flatMap(([host, value]) => {
      const role = word(value);
      if (role === undefined || known.includes(role)) return [];
      return [
        at([...path, "hosts", host], `${shown(role)} has no entry in services; ${allowedWords(role, known)}`),
      ];
    }),
  ];
};

/** A host that another field names is a host of the upgrade. */
const places: Rule = (name, { hosts, main, silence: quiet, smoke, kinds }) => {
  const path = ["stagedUpgrades", name];
  const own = Object.keys(fieldsOf(hosts));
  const named: [string[], unknown][] = [
    [[...path, "main"], main],
    [[...path, "silence", "from"], fieldsOf(quiet).from],
    ...Object.keys(fieldsOf(kinds)).map((host): [string[], unknown] => [[...path, "kinds", host], host]),
    ...Object.entries(mapped(smoke)).map(([test, fields]): [string[], unknown] => [
      [...path, "smoke", test, "on"],
      fields.on,
    ]),
  ];
  return [
    ...wrongNames([...path, "smoke"], fieldsOf(smoke), partNames),
    ...named.flatMap(([where, value]) => {
      const host = word(value);
      if (host === undefined || own.includes(host)) return [];
      return [at(where, `${shown(host)} is not a host of this upgrade; ${allowedWords(host, own)}`)];
    }),
  ];
};

/** An override names the wanted version, so that it ends with that version. */
const overrides: Rule = (name, { soak, version }) => {
  const [override, wanted] = [word(fieldsOf(soak).override), word(version)];
  if (override === undefined || wanted === undefined || override.startsWith(`${wanted}: `)) return [];
  return [
    at(
      ["stagedUpgrades", name, "soak", "override"],
      `${shown(override)} is not for version ${wanted}; write "${wanted}: why", or remove it`,
    ),
  ];
};

/** A silence needs a way to end it. */
const silence: Rule = (name, { silence: quiet }) => {
  const { on, off } = fieldsOf(quiet);
  if ((on === undefined) === (off === undefined)) return [];
  const missing = on === undefined ? "on" : "off";
  return [
    at(
      ["stagedUpgrades", name, "silence", missing],
      `missing; silence.${missing === "on" ? "off" : "on"} is set, and one needs the other`,
    ),
  ];
};

/** The rules between a staged upgrade and the rest of a stack file. */
export const upgradeRules: readonly Rule[] = [hostKeys, onePackage, roles, places, overrides, silence];
