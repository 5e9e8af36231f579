import { contains, networkOf } from "../platforms/ipv4.ts";
import { publicKeyType, withoutComment } from "../platforms/public-key.ts";
import { vpcPrefixes } from "../platforms/subnets.ts";
import { allowedWords, pathText, type Problem, shown } from "./problems.ts";
import { cacheProblems } from "../components/cache/rules.ts";
import { cacheNames } from "../components/cache/config.ts";
import { carriedNames, carriedPorts } from "../components/pair/carried-config.ts";
import {
  at,
  type Draft,
  draftOf,
  type Fields,
  fieldsOf,
  mapped,
  noHost,
  word,
  wordsOf,
  wrongNames,
} from "./draft.ts";
import { poolRules } from "../components/app-pool/rules.ts";
import { defaultPorts, hostNames, pairNames } from "./schema.ts";
import { upgradeProblems } from "../components/staged-upgrade/rules.ts";
import { volumeNames } from "../components/shared-volume/config.ts";
import { volumeProblems } from "../components/shared-volume/rules.ts";

/** What is wrong between the parts of a stack file, beyond the shape of each. */
export function crossCheck(raw: Fields): Problem[] {
  const draft = draftOf(raw);
  const rules = [
    names,
    unreachableHosts,
    absentHosts,
    machinesApart,
    pairHosts,
    witnesses,
    serviceAddresses,
    ports,
    carriedThings,
    carriedPaths,
    carriedServices,
    volumeProblems,
    cacheProblems,
    inventoryBastions,
    awsBastion,
    awsZones,
    awsNetworkSize,
    awsClients,
    awsRoutes,
    poolRules,
    upgradeProblems,
    notOnAws,
  ];
  return rules.flatMap((rule) => rule(draft));
}

/** The hosts that the fields of a pair name, as far as they are words. */
const named = (pair: Fields, ...keys: string[]): (readonly [string, string])[] =>
  keys.flatMap((key): [string, string][] => {
    const name = word(pair[key]);
    return name === undefined ? [] : [[key, name]];
  });

function names({ hosts, pairs, volumes, caches }: Draft): Problem[] {
  const carried = Object.entries(pairs).flatMap(([pair, fields]) =>
    ["directories", "indexes", "services", "checks"].flatMap((map) =>
      wrongNames(["pairs", pair, map], fieldsOf(fields[map]), carriedNames),
    ),
  );
  const operator = "operator is the machine that runs `up`; give the host another name";
  return [
    ...wrongNames(["hosts"], hosts, hostNames),
    ...wrongNames(["pairs"], pairs, pairNames),
    ...wrongNames(["sharedVolumes"], volumes, volumeNames),
    ...wrongNames(["caches"], caches, cacheNames),
    ...carried,
    ...(Object.hasOwn(hosts, "operator") ? [at(["hosts", "operator"], operator)] : []),
  ];
}

function unreachableHosts(draft: Draft): Problem[] {
  const dead = draft.unreachable.length - draft.suspect.length;
  return listed(draft.unreachable, draft, (index) =>
    index < dead ? ["unreachable", String(index)] : ["suspect", String(index - dead)],
  );
}

/** Entries of a list of hosts that are none, or are named twice. */
function listed(list: readonly string[], draft: Draft, pathAt: (index: number) => string[]): Problem[] {
  return list.flatMap((name, index, all) => {
    const path = pathAt(index);
    if (!Object.hasOwn(draft.hosts, name)) return [at(path, noHost(name, draft))];
    return all.indexOf(name) < index ? [at(path, `${shown(name)} is named twice; remove one`)] : [];
  });
}

/** The list that a host which no step runs on is in. */
const listWith = (name: string, { suspect }: Draft): string =>
  `changeover:${suspect.includes(name) ? "suspect" : "unreachable"}`;

/** Out of service and in use at once would be a machine that is stopped and started in one update. */
function absentHosts(draft: Draft): Problem[] {
  const inUse = draft.absent.flatMap((name, index) =>
    Object.entries(draft.pairs).flatMap(([pair, fields]) => {
      const [key] = named(fields, "primary", "secondary", "production", "checksFrom").find(
        ([, host]) => host === name,
      ) ?? [undefined];
      if (key === undefined) return [];
      const where = pathText(["pairs", pair, key]);
      return [
        at(
          ["absent", String(index)],
          `${shown(name)} is ${where}; name another host there, or take the pair out, in the same change`,
        ),
      ];
    }),
  );
  return [...listed(draft.absent, draft, (index) => ["absent", String(index)]), ...inUse];
}

/** What would be made there, and could not be reached: its instances have no public addresses, its firewall no such ports. */
function notOnAws({ platform, volumes, pools, upgrades }: Draft): Problem[] {
  if (platform !== "aws") return [];
  const text = "not made on aws yet: nothing opens its ports there; allowed on local and inventory";
  return [
    ...Object.keys(pools).map((name) => at(["appPools", name], text)),
    ...Object.keys(volumes).map((name) => at(["sharedVolumes", name], text)),
    ...Object.keys(upgrades).map((name) => at(["stagedUpgrades", name], text)),
  ];
}

/** Two names for one machine: the pair would be one machine, and its fence would cut off itself. */
function machinesApart({ hosts }: Draft): Problem[] {
  const hostKey = ({ hostKey: key }: Fields) =>
    typeof key === "string" && publicKeyType(key) ? withoutComment(key) : undefined;
  return [
    ...repeated(
      Object.entries(hosts).map(([name, host]) => [["hosts", name, "address"], word(host.address)]),
    ),
    ...repeated(Object.entries(hosts).map(([name, host]) => [["hosts", name, "hostKey"], hostKey(host)])),
  ];
}

/** A problem for each value that an earlier path has already. */
function repeated(entries: readonly (readonly [string[], string | undefined])[]): Problem[] {
  const first = new Map<string, string[]>();
  return entries.flatMap(([path, value]) => {
    if (value === undefined) return [];
    const before = first.get(value);
    if (before) return [at(path, `${shown(value)} is ${pathText(before)} already; each needs its own`)];
    first.set(value, path);
    return [];
  });
}

function pairHosts(draft: Draft): Problem[] {
  return Object.entries(draft.pairs).flatMap(([name, pair]) => {
    const path = (key: string) => ["pairs", name, key];
    const unknown = named(pair, "primary", "secondary", "production")
      .filter(([, host]) => !Object.hasOwn(draft.hosts, host))
      .map(([key, host]) => at(path(key), noHost(host, draft)));
    const same = word(pair.primary) !== undefined && pair.primary === pair.secondary;
    const twice = `${shown(pair.secondary)} is the primary too; a pair is two machines`;
    return [
      ...unknown,
      ...(same ? [at(path("secondary"), twice)] : []),
      ...(unknown.length > 0 ? [] : production(draft, pair).map((text) => at(path("production"), text))),
    ];
  });
}

/** Why the machines of a pair, which are hosts all, do not have this production. */
function production(draft: Draft, pair: Fields): string[] {
  const members = named(pair, "primary", "secondary").map(([, host]) => host);
  const serving = word(pair.production);
  if (serving === undefined || members.length < 2) return [];
  if (!members.includes(serving))
    return [`${shown(serving)} is no machine of the pair; ${allowedWords(serving, members)}`];
  return draft.unreachable.includes(serving)
    ? [`${shown(serving)} is in ${listWith(serving, draft)}; name the other machine, or take it off the list`]
    : [];
}

function witnesses(draft: Draft): Problem[] {
  return Object.entries(draft.pairs).flatMap(([name, pair]) => {
    const [path, witness] = [["pairs", name, "checksFrom"], word(pair.checksFrom) ?? "operator"];
    if (witness === "operator") return [];
    if (draft.platform === "aws")
      return [
        at(path, `${shown(witness)} can't see an Elastic IP as users do, from inside; allowed: operator`),
      ];
    const names = ["operator", ...Object.keys(draft.hosts)];
    if (!names.includes(witness))
      return [at(path, `${shown(witness)} is no host of this file; ${allowedWords(witness, names)}`)];
    return draft.unreachable.includes(witness)
      ? [at(path, `${shown(witness)} is in ${listWith(witness, draft)}; name another host, or operator`)]
      : [];
  });
}

function serviceAddresses({ hosts, pairs }: Draft): Problem[] {
  const owners: [string[], string | undefined][] = [
    ...Object.entries(hosts).map(([name, host]): [string[], string | undefined] => [
      ["hosts", name, "address"],
      word(host.address),
    ]),
    ...Object.entries(pairs).map(([name, pair]): [string[], string | undefined] => [
      ["pairs", name, "serviceAddress"],
      word(pair.serviceAddress),
    ]),
  ];
  return repeated(owners).filter(({ path }) => path[0] === "pairs");
}

/** The ports that a pair takes on both of its hosts, with where they stand. */
function portsOf(name: string, pair: Fields): [path: string[], port: string][] {
  const own = (["port", "peerPort"] as const).map((key): [string[], string] => [
    ["pairs", name, key],
    shown(pair[key] ?? defaultPorts[key]),
  ]);
  const directories: [string[], string][] =
    Object.keys(mapped(pair.directories)).length > 0
      ? [[["pairs", name, "rsyncPort"], shown(pair.rsyncPort ?? carriedPorts.directories)]]
      : [];
  const indexes = Object.entries(mapped(pair.indexes)).flatMap(([index, fields]): [string[], string][] => {
    const path = ["pairs", name, "indexes", index];
    return [
      [[...path, "port"], shown(fields.port ?? carriedPorts.index)],
      [[...path, "rsyncPort"], shown(fields.rsyncPort ?? carriedPorts.indexCopies)],
    ];
  });
  return [...own, ...directories, ...indexes];
}

/** Every port that is taken on every host: by its sshd, and by the pairs that it belongs to. */
function ports({ hosts, pairs }: Draft): Problem[] {
  const sshds = Object.entries(hosts).map(([host, { port }]): [string, string] => [
    `${host}:${shown(port ?? 22)}`,
    `the sshd of ${host}`,
  ]);
  const taken = new Map(sshds);
  return Object.entries(pairs).flatMap(([name, pair]) =>
    portsOf(name, pair).flatMap(([path, port]) => {
      const places = [...new Set(named(pair, "primary", "secondary").map(([, host]) => `${host}:${port}`))];
      const owner = places.flatMap((place) => taken.get(place) ?? [])[0];
      for (const place of places) if (!taken.has(place)) taken.set(place, pathText(path));
      if (owner === undefined) return [];
      return [at(path, `${port} is taken by ${owner} on a host of the pair; name another`)];
    }),
  );
}

/** Copies are recorded by name, on the machine and in preflight: no two may share one, nor the database's. */
function carriedThings({ pairs }: Draft): Problem[] {
  return Object.entries(pairs).flatMap(([name, pair]) => {
    const [directories, indexes] = [mapped(pair.directories), mapped(pair.indexes)];
    const twice = Object.keys(indexes).filter((index) => Object.hasOwn(directories, index));
    const reserved = [...Object.keys(directories), ...Object.keys(indexes)].includes("database");
    const template = Object.entries(mapped(pair.services)).filter(
      ([, { unit, ports: listed }]) =>
        word(unit)?.endsWith("@") === true && (!Array.isArray(listed) || listed.length === 0),
    );
    const snapshot = pair.replication === "snapshot" && pair.synchronous === true;
    return [
      ...twice.map((index) =>
        at(["pairs", name, "indexes", index], "is a directory too; name one otherwise"),
      ),
      ...(reserved
        ? [at(["pairs", name, "directories"], '"database" is the pair\'s own copy; name it otherwise')]
        : []),
      ...template.map(([service]) =>
        at(
          ["pairs", name, "services", service, "ports"],
          "missing; a unit that ends with @ has an instance for each port",
        ),
      ),
      ...(snapshot
        ? [
            at(
              ["pairs", name, "synchronous"],
              "true is not allowed with replication snapshot, where no standby hears of a commit",
            ),
          ]
        : []),
    ];
  });
}

/** What is different on the two machines of a pair, or is written beside a copy. */
const ofMachines = (pair: string): string[] => [
  ...[
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/boot",
    "/etc/ssh",
    "/etc/systemd",
    "/etc/network",
    "/etc/postgresql",
  ],
  ...["/var/lib/postgresql", "/var/lib/changeover", "/usr/local/lib/changeover", "/opt/changeover"],
  ...[`/etc/${pair}`, `/var/log/${pair}/${pair}-general.log`],
];

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
const overlap = (one: string, other: string): boolean => within(one, other) || within(other, one);

/** What a copy deletes must be nothing but what the same copy brings. */
function carriedPaths({ pairs }: Draft): Problem[] {
  const seen: { at: string[]; path: string; hosts: string[] }[] = [];
  return Object.entries(pairs).flatMap(([name, pair]) => {
    const hosts = named(pair, "primary", "secondary").map(([, host]) => host);
    const paths: [string[], unknown][] = [
      ...Object.entries(fieldsOf(pair.directories)).map(([directory, path]): [string[], unknown] => [
        ["pairs", name, "directories", directory],
        path,
      ]),
      ...Object.entries(mapped(pair.indexes)).map(([index, { data }]): [string[], unknown] => [
        ["pairs", name, "indexes", index, "data"],
        data,
      ]),
    ];
    return paths.flatMap(([where, value]) => {
      const path = word(value);
      if (path === undefined) return [];
      const own = ofMachines(name).find((place) => overlap(path, place));
      const other = seen.find(
        (entry) => overlap(path, entry.path) && entry.hosts.some((host) => hosts.includes(host)),
      );
      seen.push({ at: where, path, hosts });
      if (own !== undefined)
        return [
          at(
            where,
            `${shown(path)} has ${own} in it, or is in it, which is each machine's own; name another folder`,
          ),
        ];
      if (other)
        return [
          at(
            where,
            `${shown(path)} and ${pathText(other.at)} (${other.path}) are copied over each other; name folders apart`,
          ),
        ];
      return [];
    });
  });
}

/** A unit has one role, and the Solr of an index runs where it is copied to and from. */
function carriedServices({ pairs }: Draft): Problem[] {
  return Object.entries(pairs).flatMap(([name, pair]) => {
    const path = (...more: string[]) => ["pairs", name, "services", ...more];
    const services = Object.entries(mapped(pair.services));
    const solrs = Object.values(mapped(pair.indexes)).map(({ port }) => shown(port ?? carriedPorts.index));
    const stopped = services.filter(
      ([, { on, ports: listed }]) =>
        on !== "both" && Array.isArray(listed) && listed.some((port) => solrs.includes(shown(port))),
    );
    return [
      ...repeated(
        services.map(([service, { unit }]) => [path(service, "unit"), word(unit)?.replace(/\.service$/, "")]),
      ),
      ...repeated(services.map(([service, { portsAs }]) => [path(service, "portsAs"), word(portsAs)])),
      ...stopped.map(([service]) =>
        at(
          path(service, "on"),
          "listens on the port of an index, and an index is copied from a Solr that runs; name both",
        ),
      ),
    ];
  });
}

function inventoryBastions(draft: Draft): Problem[] {
  return Object.entries(draft.hosts).flatMap(([name, host]) => {
    const [path, bastion] = [["hosts", name, "bastion"], word(host.bastion)];
    if (bastion === undefined) return [];
    if (!Object.hasOwn(draft.hosts, bastion)) return [at(path, noHost(bastion, draft))];
    if (bastion === name) return [at(path, `${shown(bastion)} is the host itself; leave it out`)];
    if (draft.hosts[bastion]?.bastion !== undefined)
      return [at(path, `${shown(bastion)} is behind a bastion itself; one hop is allowed`)];
    return behindUnreachable(draft, path, bastion, name);
  });
}

function behindUnreachable(draft: Draft, path: string[], bastion: string, host: string): Problem[] {
  if (!draft.unreachable.includes(bastion) || draft.unreachable.includes(host)) return [];
  return [
    at(
      path,
      `${shown(bastion)} is in ${listWith(bastion, draft)}, so ${host} can't be reached; add ${host} too`,
    ),
  ];
}

function awsBastion(draft: Draft): Problem[] {
  const bastion = word(draft.network.bastion);
  if (draft.platform !== "aws" || bastion === undefined) return [];
  const path = ["network", "bastion"];
  if (!Object.hasOwn(draft.hosts, bastion)) return [at(path, noHost(bastion, draft))];
  const members = Object.entries(draft.pairs).flatMap(([name, pair]) =>
    named(pair, "primary", "secondary")
      .filter(([, host]) => host === bastion)
      .map(([key]) =>
        at(
          ["pairs", name, key],
          `${shown(bastion)} is the bastion, which has a public address; name another host`,
        ),
      ),
  );
  const behind = Object.keys(draft.hosts).find(
    (host) => host !== bastion && !draft.unreachable.includes(host),
  );
  return [...members, ...(behind === undefined ? [] : behindUnreachable(draft, path, bastion, behind))];
}

function awsZones(draft: Draft): Problem[] {
  if (draft.platform !== "aws") return [];
  const [region, zones] = [word(draft.network.region), wordsOf(draft.network.zones)];
  const foreign = zones.flatMap((zone, index) =>
    region === undefined || zone.slice(0, -1) === region
      ? []
      : [at(["network", "zones", String(index)], `${shown(zone)} is not in the region ${region}`)],
  );
  const missing = Object.entries(draft.hosts).flatMap(([name, host]) => {
    const zone = word(host.zone);
    if (zone === undefined || zones.includes(zone)) return [];
    return [
      at(["hosts", name, "zone"], `${shown(zone)} is none of network.zones; ${allowedWords(zone, zones)}`),
    ];
  });
  return [
    ...foreign,
    ...repeated(zones.map((zone, index) => [["network", "zones", String(index)], zone])),
    ...missing,
  ];
}

function awsNetworkSize({ network }: Draft): Problem[] {
  const parsed = networkOf(word(network.cidr) ?? "");
  if (!parsed || (parsed.prefix >= vpcPrefixes.shortest && parsed.prefix <= vpcPrefixes.longest)) return [];
  return [at(["network", "cidr"], `${shown(network.cidr)} is too small or too large; allowed: /16 to /24`)];
}

/** The check after a switch comes from the operator's machine, which is a client then. */
function awsClients(draft: Draft): Problem[] {
  const operators = wordsOf(draft.network.operatorCidrs).flatMap((cidr) => networkOf(cidr) ?? []);
  if (draft.platform !== "aws" || operators.length === 0) return [];
  return Object.entries(draft.pairs).flatMap(([name, pair]) => {
    const clients = wordsOf(pair.clients).flatMap((cidr) => networkOf(cidr) ?? []);
    if (operators.some((operator) => clients.some((client) => contains(client, operator)))) return [];
    const wanted = wordsOf(draft.network.operatorCidrs).join(", ");
    return [
      at(
        ["pairs", name, "clients"],
        `${shown(pair.clients ?? [])} holds none of network.operatorCidrs (${wanted}), so the check after a switch would be shut out; add one`,
      ),
    ];
  });
}

/** What comes in by an Elastic IP goes out past the NAT gateway: a route for each client, so none for everybody. */
function awsRoutes({ platform, pairs }: Draft): Problem[] {
  if (platform !== "aws") return [];
  return Object.entries(pairs).flatMap(([name, { clients }]) =>
    wordsOf(clients).flatMap((cidr, index) =>
      networkOf(cidr)?.prefix === 0
        ? [
            at(
              ["pairs", name, "clients", String(index)],
              `${shown(cidr)} is everybody; name the clients' networks`,
            ),
          ]
        : [],
    ),
  );
}
