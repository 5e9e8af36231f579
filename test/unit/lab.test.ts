import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { localPlatform, serviceAddressIn } from "../../platforms/local/index.ts";
import {
  bridgeName,
  checkHostName,
  checkLabId,
  freeSubnet,
  nthSubnet,
  overlaps,
  portName,
} from "../../tools/workshop/lab/lib/names.ts";
import { declaredBy } from "../support/mocks.ts";

const hex = (min: number, max: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(..."0123456789abcdef"), { minLength: min, maxLength: max })
    .map((digits) => digits.join(""));
const labId = hex(4, 8).map((digits) => `co-${digits}`);
const network = fc
  .tuple(fc.constantFrom(10, 192), fc.nat(255), fc.nat(255), fc.nat(255), fc.integer({ min: 14, max: 32 }))
  .map(([a, b, c, d, bits]) => `${a}.${b}.${c}.${d}/${bits}`);

describe("a lab's subnet", () => {
  it("overlaps nothing that the machine knows, and is the same for the same id", () => {
    fc.assert(
      fc.property(labId, fc.array(network, { maxLength: 20 }), (id, others) => {
        const subnet = freeSubnet(id, others);
        expect(subnet).toMatch(/^10\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.0\/24$/);
        expect(others.filter((other) => overlaps(subnet, other))).toEqual([]);
        expect(freeSubnet(id, others)).toBe(subnet);
      }),
    );
  });

  it("is one of 198.18.0.0/15 on a machine that routes all of 10.0.0.0/8", () => {
    expect(freeSubnet("co-1234", ["10.0.0.0/8", "198.18.0.0/24"])).toBe("198.18.1.0/24");
  });

  it("is the last free one when all others are taken, and refused when none is left", () => {
    const all = Array.from({ length: 66 * 256 }, (_, n) => nthSubnet(n));
    expect(new Set(all).size).toBe(all.length);
    const lastFree = nthSubnet(4711);
    expect(
      freeSubnet(
        "co-1234",
        all.filter((subnet) => subnet !== lastFree),
      ),
    ).toBe(lastFree);
    expect(() => freeSubnet("co-1234", ["10.64.0.0/10", "198.18.0.0/15"])).toThrow(
      "no /24 of 10.64.0.0/10 and 198.18.0.0/15 is free on this machine: 2 routes",
    );
  });

  it.each([
    ["10.64.7.0/24", "10.64.7.46", true],
    ["10.64.7.0/24", "10.64.8.0/24", false],
    ["10.64.7.0/24", "10.0.0.0/8", true],
    ["10.64.7.0/24", "10.64.6.255/32", false],
    ["10.64.7.0/24", "10.64.7.255/31", true],
    ["10.127.255.0/24", "0.0.0.0/0", true],
  ])("%s and %s overlap: %s", (a, b, expected) => {
    expect([overlaps(a, b), overlaps(b, a)]).toEqual([expected, expected]);
  });
});

describe("names of a lab", () => {
  it("fit what the kernel allows for links", () => {
    fc.assert(
      fc.property(labId, fc.integer({ min: 2, max: 250 }), (id, octet) => {
        expect(checkLabId(id)).toBe(id);
        expect(bridgeName(id).length).toBeLessThanOrEqual(15);
        expect(portName(id, octet).length).toBeLessThanOrEqual(15);
        expect(portName(id, octet)).not.toBe(bridgeName(id));
      }),
    );
  });

  it.each(["", "co-", "co-123", "co-123456789", "co-XYZ1", "../co-1234", "co-1234/.."])(
    "refuse the lab id %j",
    (id) => {
      expect(() => checkLabId(id)).toThrow(
        `"${id}" is no lab id: allowed is co- and 4 to 8 hexadecimal digits`,
      );
    },
  );

  it.each(["", "Slayer", "9lives", "a_b", "a.b", "-a", "a-", "../x", "x".repeat(64)])(
    "refuse the host name %j",
    (name) => {
      expect(() => checkHostName(name)).toThrow(`"${name}" is no host name: allowed are lower-case letters`);
    },
  );
});

it("a service address on the local platform is in the subnet of its stack", () => {
  expect(serviceAddressIn("10.64.7.0/24", ".46")).toBe("10.64.7.46");
});

describe("a host of the local platform", () => {
  const made = async (packages: readonly string[]) => {
    const stdout = (name: string) =>
      JSON.stringify(
        name === "lab-net"
          ? { id: "co-1234", subnet: "10.64.7.0/24" }
          : {
              address: "10.64.7.10",
              port: 22,
              user: "root",
              hostKey: "x",
              privateKeyPath: "x",
              identity: "x",
            },
      );
    const { declared } = await declaredBy(
      () => localPlatform({ stack: "dev", hosts: { plain: {}, db: { packages } } }),
      (_, name) => ({ hex: "1234", stdout: stdout(name) }),
    );
    return (name: string) => declared.find((one) => one.name === name);
  };

  it("has its own Debian packages and no other host's", async () => {
    const named = await made(["supervisor", "dnf"]);
    expect(named("lab-host-db")?.inputs.create).toMatch(/ host-up co-1234 db --extra dnf,supervisor$/);
    expect(named("lab-host-plain")?.inputs.create).toMatch(/ host-up co-1234 plain$/);
  });

  it("is not made anew by another list of them", async () => {
    const [before, after] = [(await made(["dnf"]))("lab-host-db"), (await made(["rpm"]))("lab-host-db")];
    expect(after?.inputs.create).not.toBe(before?.inputs.create);
    expect(after?.ignoreChanges).toContain("create");
    expect(after?.inputs.triggers).toEqual(before?.inputs.triggers);
  });
});
