import { estateFor } from "../support/declared.ts";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../config.ts";
import type { InventoryConfig } from "../../platforms/inventory/config.ts";
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
