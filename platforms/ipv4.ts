/** An IPv4 network as numbers: its first address and the length of its prefix. */
export interface Network {
  readonly first: number;
  readonly prefix: number;
}

/** The network of a text such as `10.0.0.0/16`; undefined when it is none, or its host part is not zero. */
export function networkOf(text: string): Network | undefined {
  const [address = "", prefix = "", ...rest] = text.split("/");
  const first = numberOf(address);
  if (first === undefined || rest.length > 0 || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return;
  const network = { first, prefix: Number(prefix) };
  return first % sizeOf(network) === 0 ? network : undefined;
}

function numberOf(address: string): number | undefined {
  const octets = address.split(".");
  if (octets.length !== 4 || !octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) < 256)) return;
  return octets.reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** The text of a network, for example `10.0.16.0/20`. */
export function textOf({ first, prefix }: Network): string {
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${octets.join(".")}/${String(prefix)}`;
}

/** How many addresses a network has. */
export function sizeOf({ prefix }: Network): number {
  return 2 ** (32 - prefix);
}

/** Whether all of `inner` lies in `outer`. */
export function contains(outer: Network, inner: Network): boolean {
  const start = inner.first - outer.first;
  return outer.prefix <= inner.prefix && start >= 0 && start < sizeOf(outer);
}
