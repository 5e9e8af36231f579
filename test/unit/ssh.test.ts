import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, it } from "vitest";
import type { SshTarget } from "../../platforms/platform.ts";
import { connectionOf, requirePrivateKey } from "../../platforms/ssh.ts";
import { sshArguments } from "../../platforms/ssh-arguments.ts";
import { sshConfigOf } from "../../platforms/ssh-config.ts";
import { isSecret, valueOf } from "../support/mocks.ts";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const bastionKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/";
const target: SshTarget = {
  host: "10.20.128.11",
  port: 22,
  user: "admin",
  hostKey: `${hostKey} root@slayer`,
};
const aud: SshTarget = { host: "192.0.2.10", port: 2222, user: "jump", hostKey: bastionKey };
const readable = import.meta.filename;

const strict = (key: string) => [
  ...["-o", "BatchMode=yes"],
  ...["-o", "StrictHostKeyChecking=yes"],
  ...["-o", "UserKnownHostsFile=/dev/null"],
  ...["-o", "GlobalKnownHostsFile=/dev/null"],
  ...["-o", `KnownHostsCommand=/bin/echo target ${key}`],
  ...["-o", "HostKeyAlias=target"],
  ...["-o", "HostKeyAlgorithms=ssh-ed25519"],
  ...["-o", "UpdateHostKeys=no"],
  ...["-o", "LogLevel=ERROR"],
];
const waits = (connect: number, alive: number) => [
  ...["-o", `ConnectTimeout=${String(connect)}`],
  ...["-o", `ServerAliveInterval=${String(alive)}`],
  ...["-o", "ServerAliveCountMax=3"],
];

describe("the arguments of ssh", () => {
  it("accept one host key, read no file, and ask the agent alone", () => {
    expect(sshArguments(target)).toEqual([
      ...["-F", "none", "-p", "22"],
      ...strict(hostKey),
      ...["-o", "IdentityFile=none"],
      ...waits(5, 5),
      "admin@10.20.128.11",
    ]);
  });

  it("offer one private key, from the operator's home", () => {
    const args = sshArguments(
      { ...target, privateKeyPath: "~/keys/100% mine" },
      { connectTimeout: 2, aliveInterval: 3 },
    );
    expect(args).toEqual([
      ...["-F", "none", "-p", "22"],
      ...strict(hostKey),
      ...["-o", "IdentitiesOnly=yes"],
      ...["-o", `IdentityFile="${join(homedir(), "keys/100%% mine")}"`],
      ...waits(2, 3),
      "admin@10.20.128.11",
    ]);
  });

  it("are as strict about a bastion", () => {
    const args = sshArguments({ ...target, proxy: aud });
    const proxied = args.find((arg) => arg.startsWith("ProxyCommand="));
    expect(proxied).toBe(
      [
        "ProxyCommand=ssh -W 10.20.128.11:22 -F none -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=yes",
        "-o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null",
        `-o 'KnownHostsCommand=/bin/echo target ${bastionKey}'`,
        "-o HostKeyAlias=target -o HostKeyAlgorithms=ssh-ed25519 -o UpdateHostKeys=no -o LogLevel=ERROR",
        "-o IdentityFile=none -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 jump@192.0.2.10",
      ].join(" "),
    );
    expect(args.filter((arg) => arg !== proxied && arg !== "-o")).toEqual(
      sshArguments(target).filter((arg) => arg !== "-o"),
    );
  });

  it.each([
    ["ssh-rsa", "rsa-sha2-512,rsa-sha2-256"],
    ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"],
  ])("take the signatures that fit a key of type %s", (type, algorithms) => {
    expect(sshArguments({ ...target, hostKey: keyOfType(type) })).toContain(
      `HostKeyAlgorithms=${algorithms}`,
    );
  });

  it("are refused without a host key", () => {
    expect(() => sshArguments({ ...target, hostKey: "" })).toThrow(
      new Error('"" is no public host key; one line as in /etc/ssh/ssh_host_ed25519_key.pub is allowed'),
    );
  });
});

describe("the connection of a remote step", () => {
  it("has short limits and the host key, and is secret as a whole", async () => {
    const connection = connectionOf(pulumi.output(target));
    expect(await isSecret(connection)).toBe(true);
    expect(await valueOf(connection)).toEqual({
      host: "10.20.128.11",
      port: 22,
      user: "admin",
      hostKey: target.hostKey,
      perDialTimeout: 5,
      dialErrorLimit: 3,
    });
  });

  it("carries what the private key's file holds, for each hop its own", async () => {
    const proxy = { ...aud, privateKeyPath: readable };
    const connection = await valueOf(
      connectionOf(pulumi.output({ ...target, proxy }), { perDialTimeout: 2, dialErrorLimit: 60 }),
    );
    expect(connection.privateKey).toBeUndefined();
    expect(connection.proxy).toMatchObject({
      host: "192.0.2.10",
      port: 2222,
      user: "jump",
      hostKey: bastionKey,
      perDialTimeout: 2,
      dialErrorLimit: 60,
      privateKey: expect.stringContaining("carries what the private key's file holds") as string,
    });
  });

  it("has no private key when its file is not there", async () => {
    const connection = await valueOf(
      connectionOf(pulumi.output({ ...target, privateKeyPath: "/nowhere/key" })),
    );
    expect(connection.privateKey).toBeUndefined();
  });
});

describe("a private key", () => {
  afterEach(() => mocked(false));

  it("that is not there is refused in words, and without a stack trace", () => {
    const refused = () => {
      requirePrivateKey({ privateKeyPath: "/nowhere/key" });
    };
    expect(refused).toThrow(
      new pulumi.RunError(
        "the private key /nowhere/key can't be read; put it there, or leave ssh.privateKeyPath out and use the SSH agent",
      ),
    );
  });

  it.each([[{}], [{ privateKeyPath: readable }]])("is as it should be with %j", (ssh) => {
    expect(() => {
      requirePrivateKey(ssh);
    }).not.toThrow();
  });

  it("is not needed in a preview, which dials nothing", async () => {
    await mocked(true);
    expect(() => {
      requirePrivateKey({ privateKeyPath: "/nowhere/key" });
    }).not.toThrow();
  });
});

describe("an ssh_config", () => {
  it("has an alias for each host, through its bastion, with its key pinned [002-114]", () => {
    const targets = new Map([
      ["aud", { ...aud, privateKeyPath: "~/.ssh/prod" }],
      ["slayer", { ...target, proxy: aud }],
    ]);
    expect(sshConfigOf(targets)).toBe(`Host aud
  HostName 192.0.2.10
  Port 2222
  User jump
  IdentityFile "~/.ssh/prod"
  IdentitiesOnly yes
  HostKeyAlias aud
  StrictHostKeyChecking yes
  UserKnownHostsFile /dev/null
  KnownHostsCommand /bin/echo aud ${bastionKey}

Host slayer
  HostName 10.20.128.11
  Port 22
  User admin
  ProxyJump aud
  HostKeyAlias slayer
  StrictHostKeyChecking yes
  UserKnownHostsFile /dev/null
  KnownHostsCommand /bin/echo slayer ${hostKey}
`);
  });

  it("is refused when a bastion is no host", () => {
    expect(() => sshConfigOf(new Map([["slayer", { ...target, proxy: aud }]]))).toThrow(
      new Error("the bastion of slayer, 192.0.2.10, is no host"),
    );
  });
});

function keyOfType(type: string): string {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `${type} ${Buffer.concat([field(Buffer.from(type)), field(Buffer.alloc(32))]).toString("base64")}`;
}

const mocked = (preview: boolean) =>
  pulumi.runtime.setMocks(
    { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
    "p",
    "s",
    preview,
  );
