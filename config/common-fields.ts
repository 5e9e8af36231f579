import { z } from "zod";
import { networkOf } from "../platforms/ipv4.ts";
import { hostKeyOf, publicKeyType } from "../platforms/public-key.ts";
import { field, mapOf, type Names, text } from "./fields.ts";

export const hostNames: Names = {
  pattern: /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  allowed: "lower-case letters, digits and hyphens, beginning with a letter (a host name)",
};

/** The names of entries: they become names of files, units and records on hosts, where a hyphen ends them. */
export const entryNames: Names = {
  pattern: /^[a-z][a-z0-9_]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and underscores, beginning with a letter",
};

/** The name of a host. */
export const hostName = (purpose: string) => text(hostNames.pattern, hostNames.allowed, purpose);

/** A network in CIDR notation. */
export const network = (purpose: string) =>
  field(
    z.cidrv4().refine((cidr) => networkOf(cidr) !== undefined),
    "an IPv4 network whose host part is zero, for example 203.0.113.0/24",
    purpose,
  );

/** A public key as OpenSSH writes it. */
export const publicKey = (types: readonly string[], purpose: string) =>
  field(
    z.string().refine((line) => types.includes(publicKeyType(line) ?? "")),
    `one whole line such as "ssh-ed25519 AAAA…" (${types.join(", ")})`,
    purpose,
  );

/** A host's public key, in any form in which OpenSSH shows one. */
export const hostKey = (types: readonly string[], purpose: string) =>
  field(
    z.string().refine((line) => types.includes(publicKeyType(hostKeyOf(line) ?? "") ?? "")),
    `one line with one key, as in /etc/ssh/ssh_host_ed25519_key.pub on the machine (${types.join(", ")}); print it with ssh-keyscan -t ed25519 ADDRESS 2>/dev/null, and compare the two`,
    purpose,
  );

/** The map of hosts of a platform. */
export const hosts = <Value extends z.ZodType>(value: Value) =>
  mapOf(hostNames, value, "The machines of the estate.");

/** How the operator logs in. @param user who logs in when the file names nobody. */
export const ssh = (user: string) =>
  z
    .strictObject({
      user: text(
        /^[a-z_][a-z0-9_-]{0,31}$/,
        "a user name",
        "The login user; steps run by `sudo -n` unless it is root.",
      ).default(user),
      privateKeyPath: text(
        /^(~\/|\/)./,
        "an absolute path, or one that begins with ~/",
        "The operator's private key, without a passphrase. Left out: the SSH agent is asked.",
      ).optional(),
    })
    .meta({ description: "How the operator logs in to the hosts." })
    .prefault({});

/** An IPv4 address. */
export const address = (purpose: string) => field(z.ipv4(), "an IPv4 address", purpose);
