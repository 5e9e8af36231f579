import {
  at,
  type Draft,
  type Fields,
  fieldsOf,
  mapped,
  nameTaken,
  noHost,
  word,
  wrongNames,
} from "../../config/draft.ts";
import { allowedWords, type Problem, shown } from "../../config/problems.ts";
import { hostNames } from "../../config/schema.ts";
import { partNames, upgradeNames } from "./config.ts";

/** What is wrong between a staged upgrade and the rest of a stack file. */
export function upgradeProblems(draft: Draft): Problem[] {
  const { pairs, pools: appPools, volumes: sharedVolumes, caches } = draft;
  return [
    ...wrongNames(["stagedUpgrades"], draft.upgrades, upgradeNames),
    ...Object.entries(draft.upgrades).flatMap(([name, upgrade]) => [
      ...nameTaken("stagedUpgrades", name, { pairs, appPools, sharedVolumes, caches }),
      ...members(name, upgrade, draft),
      ...roles(name, upgrade),
      ...places(name, upgrade),
      ...overrides(name, upgrade),
      ...silence(name, upgrade),
    ]),
  ];
}

function members(name: string, upgrade: Fields, { hosts, absent, upgrades }: Draft): Problem[] {
  const path = ["stagedUpgrades", name, "hosts"];
  const own = Object.keys(fieldsOf(upgrade.hosts));
  const other = Object.entries(upgrades).find(
    ([before, { package: its, hosts: theirs }]) =>
      before < name &&
      its === upgrade.package &&
      Object.keys(fieldsOf(theirs)).some((host) => own.includes(host)),
  );
  return [
    ...wrongNames(path, fieldsOf(upgrade.hosts), hostNames),
    ...own.flatMap((host) => {
      if (!Object.hasOwn(hosts, host)) return [at([...path, host], noHost(host, { hosts }))];
      if (!absent.includes(host)) return [];
      return [
        at([...path, host], `${shown(host)} is in changeover:absent; take it out of the upgrade first`),
      ];
    }),
    ...(other === undefined
      ? []
      : [
          at(
            ["stagedUpgrades", name, "package"],
            `${shown(upgrade.package)} is changeover:stagedUpgrades.${other[0]} on one of its hosts already`,
          ),
        ]),
  ];
}

/** Each role of a host says what must run there. */
function roles(name: string, { hosts, services }: Fields): Problem[] {
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
}

/** Hosts that other fields name are hosts of the upgrade. */
function places(name: string, { hosts, main, silence: quiet, smoke, kinds }: Fields): Problem[] {
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
}

/** An override is for the version that is wanted, and goes with it. */
function overrides(name: string, { soak, version }: Fields): Problem[] {
  const [override, wanted] = [word(fieldsOf(soak).override), word(version)];
  if (override === undefined || wanted === undefined || override.startsWith(`${wanted}: `)) return [];
  return [
    at(
      ["stagedUpgrades", name, "soak", "override"],
      `${shown(override)} is not for version ${wanted}; write "${wanted}: why", or leave it out`,
    ),
  ];
}

/** What was silenced must be told again. */
function silence(name: string, { silence: quiet }: Fields): Problem[] {
  const { on, off } = fieldsOf(quiet);
  if ((on === undefined) === (off === undefined)) return [];
  const missing = on === undefined ? "on" : "off";
  return [
    at(
      ["stagedUpgrades", name, "silence", missing],
      `missing; who says ${missing === "on" ? "off" : "on"} says both`,
    ),
  ];
}
