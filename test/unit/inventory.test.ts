import { estateFor } from "../support/declared.ts";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../config.ts";
import type { InventoryConfig } from "../../platforms/inventory/config.ts";
import { hostKeyOf } from "../../platforms/public-key.ts";
import { inventoryPlatform } from "../../platforms/inventory/index.ts";
import { valueOf } from "../support/mocks.ts";

const key = import.meta.filename;
const keys = {
  slayer: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
  aud: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/",
};

const config = parseConfig(
  {
    platform: "inventory",
    ssh: { user: "ops", privateKeyPath: key },
    hosts: {
      aud: { address: "192.0.2.10", hostKey: `${keys.aud} root@aud`, user: "jump", port: 2222 },
      slayer: { address: "192.0.2.11", hostKey: `${keys.slayer} root@slayer`, bastion: "aud" },
    },
  },
  "Pulumi.test.yaml",
) as unknown as InventoryConfig;

const platform = inventoryPlatform(config);
const host = (name: string) => {
  const found = platform.hosts.get(name);
  if (!found) throw new Error(`no host ${name}`);
  return found;
};

describe("a host of the inventory", () => {
  const aud = {
    host: "192.0.2.10",
    port: 2222,
    user: "jump",
    hostKey: keys.aud,
    privateKeyPath: key,
  };

  it("is dialled where the config says, through its bastion", async () => {
    expect(await valueOf(host("aud").ssh)).toEqual(aud);
    expect(await valueOf(host("slayer").ssh)).toEqual({
      host: "192.0.2.11",
      port: 22,
      user: "ops",
      hostKey: keys.slayer,
      privateKeyPath: key,
      proxy: aud,
    });
  });

  it("is known by its host key, whatever comment the line has", async () => {
    expect(await valueOf(host("slayer").identity)).toBe(keys.slayer);
  });

  it.each([
    ["as the machine's own file has it", "KEY root@slayer"],
    ["as ssh-keyscan prints it", "192.0.2.11 KEY"],
    ["at another port", "[192.0.2.11]:2222 KEY"],
    ["with two names and a comment", "slayer,192.0.2.11 KEY root@slayer"],
    ["hashed", "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= KEY"],
    ["with a line end", "slayer KEY\n"],
  ])("is known by its host key %s", (_, line) => {
    expect(hostKeyOf(line.replace("KEY", keys.slayer))).toBe(keys.slayer);
    const hosts = { slayer: { address: "192.0.2.11", hostKey: line.replace("KEY", keys.slayer) } };
    const parsed = parseConfig({ platform: "inventory", hosts }, "Pulumi.test.yaml");
    const found = inventoryPlatform(parsed as unknown as InventoryConfig).hosts.get("slayer");
    return expect(valueOf(found!.identity)).resolves.toBe(keys.slayer);
  });

  it.each([
    ["two lines", "192.0.2.11 KEY\n192.0.2.11 ssh-rsa AAAA"],
    ["the comment of ssh-keyscan", "# 192.0.2.11:22 SSH-2.0-OpenSSH_9.2p1"],
    ["a comment before the key", "# KEY"],
    ["a mark before the names", "@cert-authority *.example KEY"],
    ["a key that was cut off", "192.0.2.11 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"],
    ["nothing", ""],
  ])("is not known by %s, and the cure is named", (_, line) => {
    const hosts = { slayer: { address: "192.0.2.11", hostKey: line.replace("KEY", keys.slayer) } };
    expect(() => parseConfig({ platform: "inventory", hosts }, "Pulumi.test.yaml")).toThrow(
      /hostKey: .* is not allowed; allowed: one line with one key.*ssh-keyscan -t ed25519 ADDRESS 2>\/dev\/null/,
    );
  });

  it("is one machine under two names when the keys are equal in another form", () => {
    const hosts = {
      slayer: { address: "192.0.2.11", hostKey: keys.slayer },
      anthrax: { address: "192.0.2.13", hostKey: `192.0.2.13 ${keys.slayer} x` },
    };
    expect(() => parseConfig({ platform: "inventory", hosts }, "Pulumi.test.yaml")).toThrow(
      /hostKey: .* is changeover:hosts\.\w+\.hostKey already/,
    );
  });

  it("is known to its peers by the address of the internal network [004-013] [004-015]", async () => {
    expect(await valueOf(host("slayer").address)).toBe("192.0.2.11");
  });
});

it("an inventory is refused when the operator's private key is not there", () => {
  const ssh = { user: "ops", privateKeyPath: "/nowhere/key" };
  expect(() => inventoryPlatform({ ...config, ssh })).toThrow("the private key /nowhere/key can't be read");
});

describe("the service address of an inventory", () => {
  it("is the one of the config, moved by the hosts themselves", async () => {
    const { address, movedBy, move } = platform.serviceAddress("sounz", "192.0.2.46");
    expect([await valueOf(address), movedBy, move]).toEqual(["192.0.2.46", "host", undefined]);
  });

  it("can't be left out", () => {
    expect(() => platform.serviceAddress("sounz", undefined)).toThrow(
      new Error("pair sounz has no serviceAddress; the config of an inventory names one"),
    );
  });
});

it("an inventory's outputs hold addresses and aliases [002-114]", async () => {
  const { addresses } = platform.outputs;
  expect(addresses && (await valueOf(addresses))).toEqual({ aud: "192.0.2.10", slayer: "192.0.2.11" });
  const { sshConfig } = await estateFor({ platform: "local", hosts: { slayer: {} } });
  expect(sshConfig).toContain("Host slayer\n  HostName 192.0.2.1\n");
});
