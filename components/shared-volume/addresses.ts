import { BlockList, isIPv4, isIPv6 } from "node:net";

/** Networks that the internet does not route (RFC 6890). */
const inside = new BlockList();
for (const [network, bits] of [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
] as const)
  inside.addSubnet(network, bits, "ipv4");
inside.addSubnet("fc00::", 7, "ipv6");
inside.addSubnet("fe80::", 10, "ipv6");

/** Whether an address is one of the internet. A name is not: where it leads is seen on the hosts alone. */
export const isPublic = (address: string): boolean =>
  (isIPv4(address) && !inside.check(address, "ipv4")) || (isIPv6(address) && !inside.check(address, "ipv6"));
