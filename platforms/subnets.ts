import { type Network, networkOf, sizeOf, textOf } from "./ipv4.ts";

/** Two subnets of one availability zone. */
export interface ZoneSubnets {
  /** For the bastion and the way out. */
  readonly public: string;
  /** For the hosts. */
  readonly hosts: string;
}

const zoneLetters = "abcdefgh";
const parts = 2 * zoneLetters.length;

/** Prefixes that a VPC may have: its sixteenths must be subnets that AWS allows (`/16` to `/28`). */
export const vpcPrefixes = { shortest: 16, longest: 24 } as const;

/**
 * The subnets of each zone: sixteenths of the network, at places that depend on the zone's letter alone. So a zone
 * that is added or removed moves no other zone's addresses.
 *
 * @param zones names such as `ap-southeast-2a`.
 * @throws when the network is too small or too large, or a zone's name ends in no letter from a to h.
 */
export function subnetsOf(cidr: string, zones: readonly string[]): ReadonlyMap<string, ZoneSubnets> {
  const network = networkOf(cidr);
  if (!network || network.prefix < vpcPrefixes.shortest || network.prefix > vpcPrefixes.longest)
    throw new Error(`"${cidr}" is no network of a VPC; /16 to /24 are allowed, for example 10.20.0.0/16`);
  return new Map(
    zones.map((zone) => {
      const place = zoneLetters.indexOf(zone.slice(-1));
      if (place < 0) throw new Error(`zone "${zone}" must end in a letter from a to h`);
      return [zone, { public: part(network, place), hosts: part(network, zoneLetters.length + place) }];
    }),
  );
}

function part(network: Network, place: number): string {
  return textOf({
    first: network.first + (place * sizeOf(network)) / parts,
    prefix: network.prefix + Math.log2(parts),
  });
}
