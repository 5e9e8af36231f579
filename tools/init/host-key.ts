import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { hostKeyOf, publicKeyType } from "../../platforms/public-key.ts";

const scanSeconds = 5;

/** The best first: `ssh-keyscan` prints one line a type. */
const types = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"];

/** A host key that a machine shows, and what it is compared by. */
export interface ShownKey {
  readonly key: string;
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** The machine's own file with it. */
  readonly file: string;
}

/**
 * The host key that a machine shows now. Whoever is between can show another one, so that a person compares it.
 *
 * @throws when nothing answers.
 */
export async function shownKey(address: string, port: number): Promise<ShownKey> {
  const words = ["-T", String(scanSeconds), "-t", "ed25519,ecdsa,rsa", "-p", String(port), address];
  // It ends with an error when only one of the types is missing.
  const { stdout } = await promisify(execFile)("ssh-keyscan", words).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error("ssh-keyscan is not on this machine; install it: apt-get install openssh-client");
    return error as { readonly stdout: string };
  });
  const keys = stdout.split("\n").flatMap((line) => hostKeyOf(line) ?? []);
  const key = types.flatMap((type) => keys.find((one) => publicKeyType(one) === type) ?? [])[0];
  if (key === undefined)
    throw new Error(
      `no SSH server answers at ${address}:${String(port)} within ${String(scanSeconds)} s; start it, or name another address`,
    );
  const [type = "", blob = ""] = key.split(" ");
  const name = /ed25519|ecdsa|rsa/.exec(type)?.[0] ?? "";
  const digest = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return {
    key,
    fingerprint: `SHA256:${digest.replace(/=+$/, "")}`,
    file: `/etc/ssh/ssh_host_${name}_key.pub`,
  };
}
