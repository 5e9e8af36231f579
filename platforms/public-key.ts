const form = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})(?: .*)?$/;

/** The type of a public key line such as `ssh-ed25519 AAAA… comment`; undefined when it is none, or was cut off. */
export function publicKeyType(line: string): string | undefined {
  const [, type = "", base64 = ""] = form.exec(line.trim()) ?? [];
  const fields = fieldsOf(Buffer.from(base64, "base64"));
  return type !== "" && fields?.[0]?.toString("latin1") === type ? type : undefined;
}

/** The line without its comment, so that equal keys are equal texts. */
export function withoutComment(line: string): string {
  return line.trim().split(/\s+/).slice(0, 2).join(" ");
}

/**
 * Type and key of a host, from a line as in `/etc/ssh/ssh_host_ed25519_key.pub`, or as `ssh-keyscan` and `known_hosts` have
 * it: with names in front, `[name]:port` or hashed. Equal keys are equal texts.
 *
 * @returns undefined when the line has no key, or there are several lines.
 */
export function hostKeyOf(text: string): string | undefined {
  const line = text.trim();
  const plain = [line, line.replace(/^[^\s@#]\S*[ \t]+/, "")].find((one) => publicKeyType(one) !== undefined);
  return plain === undefined ? undefined : withoutComment(plain);
}

/** The length-prefixed fields of a key; undefined when they don't end where the key ends. */
function fieldsOf(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let offset = 0;
  while (offset + 4 <= blob.length) {
    const end = offset + 4 + blob.readUInt32BE(offset);
    fields.push(blob.subarray(offset + 4, end));
    offset = end;
  }
  return offset === blob.length && fields.length > 1 ? fields : undefined;
}
