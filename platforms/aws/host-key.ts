import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

/** An SSH host key that is known before its machine exists. */
export interface HostKey {
  /** OpenSSH's private key file. */
  readonly privateKey: string;
  /** One line as in `authorized_keys`, without a comment. */
  readonly publicKey: string;
}

const type = "ssh-ed25519";
const seedBytes = 32;
// What PKCS #8 puts before the 32 bytes of an Ed25519 seed.
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiPrefixBytes = 12;

/**
 * The Ed25519 host key that belongs to a seed; equal seeds give equal texts.
 *
 * @param seed 32 random bytes in base64.
 * @throws when the seed has another length.
 */
export function hostKeyOf(seed: string): HostKey {
  const bytes = Buffer.from(seed, "base64");
  if (bytes.length !== seedBytes)
    throw new Error(`a host key's seed has ${String(bytes.length)} bytes; ${String(seedBytes)} are needed`);
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, bytes]), format: "der", type: "pkcs8" });
  const point = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(spkiPrefixBytes);
  const publicBlob = Buffer.concat([lengthPrefixed(type), lengthPrefixed(point)]);
  return {
    publicKey: `${type} ${publicBlob.toString("base64")}`,
    privateKey: pem(privateFile(publicBlob, Buffer.concat([bytes, point]), point)),
  };
}

/** OpenSSH's own format (PROTOCOL.key), unencrypted. */
function privateFile(publicBlob: Buffer, secret: Buffer, point: Buffer): Buffer {
  // Random by custom, but any number that stands there twice is right, and the same one each time makes no diffs.
  const check = createHash("sha256").update(publicBlob).digest().subarray(0, 4);
  const comment = "";
  const open = [check, check, ...[type, point, secret, comment].map(lengthPrefixed)];
  return Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...["none", "none", ""].map(lengthPrefixed),
    number(1),
    lengthPrefixed(publicBlob),
    lengthPrefixed(padded(Buffer.concat(open))),
  ]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function lengthPrefixed(field: Buffer | string): Buffer {
  const bytes = Buffer.from(field);
  return Buffer.concat([number(bytes.length), bytes]);
}

/** Filled up with 1, 2, 3… to a multiple of 8 bytes. */
function padded(bytes: Buffer): Buffer {
  const missing = (8 - (bytes.length % 8)) % 8;
  return Buffer.concat([bytes, Buffer.from(Array.from({ length: missing }, (_, index) => index + 1))]);
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n",
  );
}
