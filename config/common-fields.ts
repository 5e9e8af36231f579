import { z } from "zod";
import { networkOf } from "../platforms/ipv4.ts";
import { hostKeyOf, publicKeyType } from "../platforms/public-key.ts";
import { field, mapOf, type Names, text } from "./fields.ts";
import { isAccountOfTheMachine, isNameOfTheMachine, isOfTheMachine, isUnitOfTheMachine } from "./machine.ts";

export const hostNames: Names = {
  pattern: /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  allowed: "lower-case letters, digits and hyphens, beginning with a letter (a host name)",
  taken: (name) =>
    ["operator", "none", "auto", "localhost"].includes(name)
      ? "it means something else in a stack file or on a host; give the host another name"
      : undefined,
};

/** The names of entries: they become names of files, units and records on hosts, where a hyphen ends them. */
export const entryNames: Names = {
  pattern: /^[a-z][a-z0-9_]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and underscores, beginning with a letter",
  taken: (name) =>
    isNameOfTheMachine(name)
      ? "a service, a folder or an account of the machine is called so; choose a name of the application"
      : undefined,
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
        /^(~\/|\/)[^"'`\\]+$/,
        "an absolute path, or one that begins with ~/, without quotes and backslashes",
        "The operator's private key, without a passphrase. Left out: the SSH agent is asked.",
      ).optional(),
    })
    .meta({ description: "How the operator logs in to the hosts." })
    .prefault({});

/** An IPv4 address. */
export const address = (purpose: string) => field(z.ipv4(), "an IPv4 address", purpose);

/** An absolute path, each part of which says what it is: no `.`, no `..`, no empty one. */
const absolute = /^(\/(?!\.{1,2}(\/|$))[\w.@+-]+)+$/;

/** A file that is read or run. */
export const file = (purpose: string) =>
  text(absolute, "an absolute path of letters, digits and . _ @ + -, without a folder . or ..", purpose);

/** What is allowed in a field of a folder that is written to. */
export const folderAllowed =
  "an absolute path of letters, digits and . _ @ + -, of a folder of the application; none of the machine (/etc, /usr, /tmp, …), no home, no name with a dot first";

/** Whether root may make, empty, replace or mount over a folder, as far as its path says. */
export const isOwnFolder = (path: string): boolean => absolute.test(path) && !isOfTheMachine(path);

/** A folder that root makes, fills, replaces or mounts over. */
export const folder = (purpose: string) =>
  field(z.string().regex(absolute).refine(isOwnFolder), folderAllowed, purpose);

const isOwnSettings = (path: string): boolean => {
  const [, top, name = "", ...rest] = path.split("/");
  return top === "etc" && rest.length > 0 && !name.startsWith(".") && !isNameOfTheMachine(name);
};

/** A file that root makes and removes: in a folder of the application, which may be its own in /etc. */
export const mark = (purpose: string) =>
  field(
    z
      .string()
      .regex(absolute)
      .refine((path) => isOwnSettings(path) || isOwnFolder(path.slice(0, path.lastIndexOf("/")))),
    "an absolute path of a file in a folder of the application, such as /etc/scalr-server/skip; no folder of the machine",
    purpose,
  );

/** The user that an application runs as, and that owns its files. @param besides accounts that are allowed all the same. */
export const owner = (purpose: string, besides: readonly string[] = []) =>
  field(
    z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
      .refine((name) => besides.includes(name) || !isAccountOfTheMachine(name)),
    ["the name of a user of the application", ...besides, "no other account of the machine"].join(", "),
    purpose,
  );

/** A systemd unit of the application. */
export const unit = (pattern: RegExp, allowed: string, purpose: string) =>
  field(
    z
      .string()
      .regex(pattern)
      .refine((name) => !isUnitOfTheMachine(name)),
    `${allowed}; no unit of the machine (such as ssh, dbus, systemd-…), and none that this program runs`,
    purpose,
  );
