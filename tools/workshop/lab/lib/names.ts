import { createHash } from "node:crypto";
import { LabError } from "./run.ts";

/** First and last octet that hosts get; those from 2 to 99 are free for service addresses. */
export const hostOctets = { first: 101, last: 250 } as const;
export const serviceOctets = { first: 2, last: 99 } as const;

/** @throws LabError unless `id` is `co-` and 4 to 8 hexadecimal digits (names of bridges have 15 characters at most). */
export function checkLabId(id: string): string {
  if (/^co-[0-9a-f]{4,8}$/.test(id)) return id;
  throw new LabError(
    `"${id}" is no lab id: allowed is co- and 4 to 8 hexadecimal digits, for example co-1f2e3d4c`,
  );
}

/** @throws LabError unless `name` can be a host name. */
export function checkHostName(name: string): string {
  if (/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name;
  throw new LabError(
    `"${name}" is no host name: allowed are lower-case letters, digits and hyphens, beginning with a letter`,
  );
}

export const bridgeName = (id: string): string => id;

/** The machine's end of a host's cable. */
export const portName = (id: string, octet: number): string => `co${id.slice(3)}-${octet}`;

/** The address with the last octet `octet` in a subnet such as `10.64.7.0/24`. */
export const addressIn = (subnet: string, octet: number): string => subnet.replace(/\.0\/24$/, `.${octet}`);

/** A number that is always the same for the same words, so that what is derived from it survives a rebuild of its record. */
export const stableNumber = (words: string): number =>
  createHash("sha256").update(words).digest().readUInt32BE(0);

/** A machine id (32 hexadecimal digits) of a host, the same after each start. */
export const machineId = (id: string, host: string): string =>
  createHash("sha256").update(`machine ${id} ${host}`).digest("hex").slice(0, 32);

const pool = 64 * 256;
const spare = 2 * 256;

/** The nth /24 of the pool 10.64.0.0/10, and after its last those of 198.18.0.0/15, for machines that route 10.0.0.0/8. */
export const nthSubnet = (n: number): string =>
  n < pool ? `10.${64 + (n >> 8)}.${n & 255}.0/24` : `198.${18 + ((n - pool) >> 8)}.${n & 255}.0/24`;

function range(cidr: string): [number, number] {
  const [address = "", bits = "32"] = cidr.split("/");
  const start = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(bits));
  const aligned = Math.floor(start / size) * size;
  return [aligned, aligned + size - 1];
}

const meet = ([aFirst, aLast]: [number, number], [bFirst, bLast]: [number, number]): boolean =>
  aFirst <= bLast && bFirst <= aLast;

/** Whether two IPv4 networks (`10.0.0.0/8`, or an address) have an address in common. */
export const overlaps = (a: string, b: string): boolean => meet(range(a), range(b));

/**
 * The first free /24 of the pool, beginning at a place that depends on the lab's id.
 * @param taken networks and addresses that this machine knows already.
 * @throws LabError when the whole pool is taken.
 */
export function freeSubnet(id: string, taken: readonly string[]): string {
  const start = stableNumber(id);
  const others = taken.map(range);
  for (let i = 0; i < pool + spare; i++) {
    const subnet = nthSubnet(i < pool ? (start + i) % pool : i);
    const ours = range(subnet);
    if (!others.some((other) => meet(ours, other))) return subnet;
  }
  throw new LabError(
    `no /24 of 10.64.0.0/10 and 198.18.0.0/15 is free on this machine: ${taken.length} routes, addresses and labs overlap all of them;` +
      ` see \`ip route\`, and remove labs with \`npm run lab -- down --lab ID\``,
  );
}
