import type { HostUse, Rule } from "../system.ts";
import { hostNames } from "../../config/common-fields.ts";
import { at, type Fields, fieldsOf, mapped, word, wrongNames } from "../../config/draft.ts";
import { allowedWords, shown } from "../../config/problems.ts";
import { partNames } from "./config.ts";

/** Where a staged upgrade names hosts. */
export const hostsOfUpgrade = (upgrade: Fields): HostUse[] =>
  Object.keys(fieldsOf(upgrade.hosts)).map((host) => ({ path: ["hosts", host], host }));

/** The upgrade itself, and each host that is told what it is. */
export const componentsOfUpgrade = (name: string, upgrade: Fields): string[] => [
  name,
  ...Object.keys(fieldsOf(upgrade.hosts)).map((host) => `${name}-${host}`),
];

/** Two upgrades of one package on one host would undo each other. */
const onePackage: Rule = (name, upgrade, { entries }) => {
  const own = Object.keys(fieldsOf(upgrade.hosts));
  const other = Object.entries(entries("stagedUpgrades")).find(
    ([before, { package: its, hosts }]) =>
      before < name &&
      its === upgrade.package &&
      Object.keys(fieldsOf(hosts)).some((host) => own.includes(host)),
  );
  if (other === undefined) return [];
  return [
    at(
      ["stagedUpgrades", name, "package"],
      `${shown(upgrade.package)} is changeover:stagedUpgrades.${other[0]} on one of its hosts already`,
    ),
  ];
};

const hostKeys: Rule = (name, { hosts }) =>
  wrongNames(["stagedUpgrades", name, "hosts"], fieldsOf(hosts), hostNames);

/** Each role of a host says what must run there. */
const roles: Rule = (name, { hosts, services }) => {
  const path = ["stagedUpgrades", name];
  const known = Object.keys(fieldsOf(services));
  return [
    ...wrongNames([...path, "services"], fieldsOf(services), partNames),
    ...Object.entries(fieldsOf(hosts)).flatMap(([host, value]) => {
      const role = word(value);
      if (role === undefined || known.includes(role)) return [];
      return [at([...path, "hosts", host], `${shown(role)} has no services; ${allowedWords(role, known)}`)];
    }),
  ];
};

/** Hosts that other fields name are hosts of the upgrade. */
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
      return [at(where, `${shown(host)} is no host of the upgrade; ${allowedWords(host, own)}`)];
    }),
  ];
};

/** An override is for the version that is wanted, and goes with it. */
const overrides: Rule = (name, { soak, version }) => {
  const [override, wanted] = [word(fieldsOf(soak).override), word(version)];
  if (override === undefined || wanted === undefined || override.startsWith(`${wanted}: `)) return [];
  return [
    at(
      ["stagedUpgrades", name, "soak", "override"],
      `${shown(override)} is not for version ${wanted}; write "${wanted}: why", or leave it out`,
    ),
  ];
};

/** What was silenced must be told again. */
const silence: Rule = (name, { silence: quiet }) => {
  const { on, off } = fieldsOf(quiet);
  if ((on === undefined) === (off === undefined)) return [];
  const missing = on === undefined ? "on" : "off";
  return [
    at(
      ["stagedUpgrades", name, "silence", missing],
      `missing; who says ${missing === "on" ? "off" : "on"} says both`,
    ),
  ];
};

/** What is wrong between a staged upgrade and the rest of a stack file. */
export const upgradeRules: readonly Rule[] = [hostKeys, onePackage, roles, places, overrides, silence];
