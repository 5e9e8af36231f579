import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, type Network, networkOf, sizeOf, textOf } from "../../platforms/ipv4.ts";
import { subnetsOf } from "../../platforms/subnets.ts";

const vpc = fc
  .record({ prefix: fc.integer({ min: 16, max: 24 }), place: fc.nat(2 ** 16 - 1) })
  .map(({ prefix, place }) => textOf({ first: (place % 2 ** prefix) * 2 ** (32 - prefix), prefix }));
const zones = fc
  .uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"), { minLength: 1 })
  .map((letters) => letters.map((letter) => `ap-southeast-2${letter}`));

const network = (text: string): Network => {
  const parsed = networkOf(text);
  if (!parsed) throw new Error(`${text} is no network`);
  return parsed;
};

const all = (cidr: string, of: readonly string[]): Network[] =>
  [...subnetsOf(cidr, of).values()].flatMap((subnets) => [network(subnets.public), network(subnets.hosts)]);

describe("subnets of a VPC", () => {
  it("are sixteenths of it, by the zone's letter", () => {
    expect([...subnetsOf("10.20.0.0/16", ["ap-southeast-2a", "ap-southeast-2c"])]).toEqual([
      ["ap-southeast-2a", { public: "10.20.0.0/20", hosts: "10.20.128.0/20" }],
      ["ap-southeast-2c", { public: "10.20.32.0/20", hosts: "10.20.160.0/20" }],
    ]);
  });

  it("lie in it, and never overlap", () => {
    fc.assert(
      fc.property(vpc, zones, (cidr, of) => {
        const subnets = all(cidr, of);
        for (const [index, subnet] of subnets.entries()) {
          expect(contains(network(cidr), subnet)).toBe(true);
          expect(subnets.slice(index + 1).some((other) => contains(subnet, other))).toBe(false);
        }
      }),
    );
  });

  it("have the sizes that AWS allows, all the same", () => {
    fc.assert(
      fc.property(vpc, zones, (cidr, of) => {
        const sizes = new Set(all(cidr, of).map(sizeOf));
        expect(sizes.size).toBe(1);
        for (const size of sizes) expect(size >= 2 ** 4 && size <= 2 ** 16).toBe(true);
      }),
    );
  });

  it("stay where they are when other zones come and go", () => {
    fc.assert(
      fc.property(vpc, zones, (cidr, of) => {
        const alone = of.map((zone) => [zone, subnetsOf(cidr, [zone]).get(zone)]);
        expect([...subnetsOf(cidr, of)]).toEqual(alone);
      }),
    );
  });

  it.each([
    [
      "10.20.0.0/25",
      "ap-southeast-2a",
      '"10.20.0.0/25" is no network of a VPC; /16 to /24 are allowed, for example 10.20.0.0/16',
    ],
    [
      "10.20.0.1/16",
      "ap-southeast-2a",
      '"10.20.0.1/16" is no network of a VPC; /16 to /24 are allowed, for example 10.20.0.0/16',
    ],
    ["10.20.0.0/16", "ap-southeast-2z", 'zone "ap-southeast-2z" must end in a letter from a to h'],
  ])("are refused for %s in %s", (cidr, zone, message) => {
    expect(() => subnetsOf(cidr, [zone])).toThrow(new Error(message));
  });
});

describe("IPv4 networks", () => {
  it.each([
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.1/24",
    "10.0.0/8",
    "10.0.0.256/32",
    "10.0.0.0/8/8",
    "ten/8",
    "",
  ])("%j is none", (text) => {
    expect(networkOf(text)).toBeUndefined();
  });

  it("are written as they are read", () => {
    fc.assert(
      fc.property(vpc, (text) => {
        expect(textOf(network(text))).toBe(text);
      }),
    );
  });

  it.each([
    ["10.0.0.0/8", "10.255.0.0/16", true],
    ["10.255.0.0/16", "10.0.0.0/8", false],
    ["0.0.0.0/0", "203.0.113.0/24", true],
    ["203.0.113.0/24", "203.0.114.0/24", false],
    ["203.0.113.0/24", "203.0.113.0/24", true],
  ])("%s contains %s: %s", (outer, inner, expected) => {
    expect(contains(network(outer), network(inner))).toBe(expected);
  });
});
