import { behindUnreachable } from "../../config/bastions.ts";
import { at, type Draft, noHost, repeated, word, wordsOf } from "../../config/draft.ts";
import type { PlacedUse } from "../../config/hosts.ts";
import { allowedWords, type Problem, shown } from "../../config/problems.ts";
import { networkOf } from "../ipv4.ts";
import { vpcPrefixes } from "../subnets.ts";

/** What is wrong between the network of a stack file and its hosts. */
export const awsRules = (draft: Draft, uses: readonly PlacedUse[]): Problem[] => [
  ...bastion(draft, uses),
  ...zones(draft),
  ...networkSize(draft),
];

/** It has a public address, so nothing but SSH is to be on it. */
function bastion(draft: Draft, uses: readonly PlacedUse[]): Problem[] {
  const name = word(draft.network.bastion);
  if (name === undefined) return [];
  const path = ["network", "bastion"];
  if (!Object.hasOwn(draft.hosts, name)) return [at(path, noHost(name, draft))];
  const used = uses
    .filter(({ host, witness }) => host === name && !witness)
    .map(({ at: place }) =>
      at(place, `${shown(name)} is the bastion, which has a public address; name another host`),
    );
  const behind = Object.keys(draft.hosts).find((host) => host !== name && !draft.unreachable.includes(host));
  return [...used, ...(behind === undefined ? [] : behindUnreachable(draft, path, name, behind))];
}

function zones(draft: Draft): Problem[] {
  const [region, known] = [word(draft.network.region), wordsOf(draft.network.zones)];
  const foreign = known.flatMap((zone, index) =>
    region === undefined || zone.slice(0, -1) === region
      ? []
      : [at(["network", "zones", String(index)], `${shown(zone)} is not in the region ${region}`)],
  );
  const missing = Object.entries(draft.hosts).flatMap(([name, host]) => {
    const zone = word(host.zone);
    if (zone === undefined || known.includes(zone)) return [];
    return [
      at(["hosts", name, "zone"], `${shown(zone)} is none of network.zones; ${allowedWords(zone, known)}`),
    ];
  });
  return [
    ...foreign,
    ...repeated(known.map((zone, index) => [["network", "zones", String(index)], zone])),
    ...missing,
  ];
}

function networkSize({ network }: Draft): Problem[] {
  const parsed = networkOf(word(network.cidr) ?? "");
  if (!parsed || (parsed.prefix >= vpcPrefixes.shortest && parsed.prefix <= vpcPrefixes.longest)) return [];
  return [at(["network", "cidr"], `${shown(network.cidr)} is too small or too large; allowed: /16 to /24`)];
}
