import { type Problem } from "./problems.ts";
import { upgradesIn } from "../components/staged-upgrade/leaving.ts";

/** What a stack said of its machines at its last update, as far as it decides who may leave. */
export interface Operated {
  /** By host: why it may leave; undefined: it is in service. */
  readonly hosts: Readonly<Record<string, string | undefined>>;
  /** The machines of each pair. */
  readonly pairs: Readonly<Record<string, readonly string[]>>;
  /** The hosts of each staged upgrade. */
  readonly upgrades: Readonly<Record<string, readonly string[]>>;
}

/** What a stack file wants, as far as it decides who leaves. */
export interface Wanted {
  readonly hosts: Readonly<Record<string, unknown>>;
  readonly pairs: Readonly<Record<string, { readonly primary: string; readonly secondary: string }>>;
  readonly stagedUpgrades: Readonly<Record<string, { readonly hosts: Readonly<Record<string, string>> }>>;
  readonly unreachable: readonly string[];
  readonly absent: readonly string[];
}

/** The machines in the outputs of a stack; none in those of one that was never updated. */
export function operatedBy(outputs: unknown): Operated {
  const { targets = {}, expected = [] } = (outputs ?? {}) as {
    targets?: Record<string, { absent?: string }>;
    expected?: { component: string; statuses: object }[];
  };
  return {
    hosts: Object.fromEntries(Object.entries(targets).map(([name, { absent }]) => [name, absent])),
    pairs: Object.fromEntries(expected.map(({ component, statuses }) => [component, Object.keys(statuses)])),
    upgrades: Object.fromEntries(
      Object.entries(upgradesIn(outputs)).map(([name, { hosts }]) => [name, hosts]),
    ),
  };
}

/**
 * Who leaves the file, or a pair or a staged upgrade of it, without being taken out of service: its services, watch and timers would stay
 * on the machine for ever, or it would go on serving beside the one that took its place.
 */
export function leaving(operated: Operated, wanted: Wanted): Problem[] {
  const toName: string[] = [];
  const viaAbsent = (host: string): string => {
    toName.push(host);
    const index = String(wanted.absent.length + toName.indexOf(host));
    return `npx pulumi config set --path 'changeover:absent[${index}]' ${host}; npx pulumi up`;
  };
  return Object.entries(operated.hosts).flatMap(([host, retired]): Problem[] => {
    const pairs = pairsLeft(host, operated, wanted);
    const left = [...pairs, ...upgradesLeft(host, operated, wanted)];
    const path = ["hosts", host];
    if (!Object.hasOwn(wanted.hosts, host)) {
      if (retired !== undefined) return [];
      const serves = left.length > 0 ? ` in ${left.join(", ")}` : "";
      return [
        {
          path,
          text: `missing, but this stack operates it${serves}; allowed: to leave by way of changeover:absent (a new name is another host); put it back, then: ${viaAbsent(host)}`,
        },
      ];
    }
    if (left.length === 0) return [];
    if (!wanted.absent.includes(host))
      return [
        {
          path,
          text: `no machine of ${left.join(", ")} any more, but this stack operates it there; allowed: to leave by way of changeover:absent; put it back, or: ${viaAbsent(host)}`,
        },
      ];
    const goesOn = pairs.filter((pair) => Object.hasOwn(wanted.pairs, pair));
    if (goesOn.length === 0 || !wanted.unreachable.includes(host)) return [];
    return [
      {
        path,
        text: `unreachable, so nobody can see that it serves nothing while ${goesOn.join(", ")} goes on without it; allowed: a new machine under the same name; put it back and change what the name stands for`,
      },
    ];
  });
}

function pairsLeft(host: string, operated: Operated, wanted: Wanted): string[] {
  return Object.entries(operated.pairs)
    .filter(([pair, machines]) => {
      const now = wanted.pairs[pair];
      return machines.includes(host) && now?.primary !== host && now?.secondary !== host;
    })
    .map(([pair]) => pair);
}

const upgradesLeft = (host: string, { upgrades }: Operated, { stagedUpgrades }: Wanted): string[] =>
  Object.entries(upgrades)
    .filter(
      ([name, hosts]) => hosts.includes(host) && !Object.hasOwn(stagedUpgrades[name]?.hosts ?? {}, host),
    )
    .map(([name]) => name);
