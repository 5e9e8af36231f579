import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { hostKeyOf } from "../../platforms/aws/host-key.ts";
import { userData } from "../../platforms/aws/user-data.ts";
import { publicKeyType } from "../../platforms/public-key.ts";

const seeds = Array.from({ length: 20 }, () => randomBytes(32).toString("base64"));

function readBySshKeygen(privateKey: string): string {
  const folder = mkdtempSync(join(tmpdir(), "changeover-key-"));
  try {
    const file = join(folder, "key");
    writeFileSync(file, privateKey, { mode: 0o600 });
    return execFileSync("ssh-keygen", ["-y", "-P", "", "-f", file], { encoding: "utf8" }).trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the host key of a seed", () => {
  // RFC 8032, section 7.1, test 1.
  it("is the Ed25519 key of that seed", () => {
    const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
    const point = Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex");
    const blob = Buffer.from(hostKeyOf(seed.toString("base64")).publicKey.split(" ")[1] ?? "", "base64");
    expect(blob.subarray(-32).equals(point)).toBe(true);
  });

  it("is read by OpenSSH, which finds the same public key", () => {
    const [key] = seeds.map(hostKeyOf);
    expect(readBySshKeygen(key?.privateKey ?? "")).toBe(key?.publicKey);
  });

  it("is read by ssh2, which finds the same public key and signs with it", () => {
    for (const { privateKey, publicKey } of seeds.map(hostKeyOf)) {
      const parsed = ssh2.utils.parseKey(privateKey);
      if (parsed instanceof Error) throw parsed;
      expect(`${parsed.type} ${parsed.getPublicSSH().toString("base64")}`).toBe(publicKey);
      expect(parsed.verify("words", parsed.sign("words"))).toBe(true);
    }
  });

  it("is the same text each time, so that nothing is planned for it", () => {
    expect(hostKeyOf(seeds[0] ?? "")).toEqual(hostKeyOf(seeds[0] ?? ""));
    expect(hostKeyOf(seeds[0] ?? "")).not.toEqual(hostKeyOf(seeds[1] ?? ""));
  });

  it("is a line that the config would take as a host key", () => {
    expect(publicKeyType(hostKeyOf(seeds[0] ?? "").publicKey)).toBe("ssh-ed25519");
  });

  it("is refused for a seed of another length", () => {
    expect(() => hostKeyOf(Buffer.alloc(31).toString("base64"))).toThrow(
      new Error("a host key's seed has 31 bytes; 32 are needed"),
    );
  });
});

describe("user data", () => {
  it("is cloud-config that gives the machine its name and key, and closes the metadata", () => {
    const key = hostKeyOf(seeds[0] ?? "");
    const text = userData("slayer", key);
    expect(text.split("\n")[0]).toBe("#cloud-config");
    expect(parse(text)).toEqual({
      hostname: "slayer",
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: key.privateKey, ed25519_public: key.publicKey },
      disable_ec2_metadata: true,
    });
  });
});

describe("a public key line", () => {
  const { publicKey } = hostKeyOf(Buffer.alloc(32, 7).toString("base64"));

  it.each([
    [publicKey, "ssh-ed25519"],
    [`${publicKey} root@slayer`, "ssh-ed25519"],
    [publicKey.slice(0, -8), undefined],
    [publicKey.replace("ssh-ed25519", "ssh-rsa"), undefined],
    [publicKey.split(" ")[1] ?? "", undefined],
    ["", undefined],
  ])("%s is of type %s", (line, type) => {
    expect(publicKeyType(line)).toBe(type);
  });
});
