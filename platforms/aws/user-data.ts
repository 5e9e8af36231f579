import { stringify } from "yaml";
import type { HostKey } from "./host-key.ts";

/** What cloud-init does at a machine's first start: it gets its name and the host key that the program knows. */
export function userData(name: string, { privateKey, publicKey }: HostKey): string {
  const config = {
    hostname: name,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: privateKey, ed25519_public: publicKey },
    // Nobody on the machine needs the metadata after the start, and the host key stands in it.
    disable_ec2_metadata: true,
  };
  return `#cloud-config\n${stringify(config, { lineWidth: 0 })}`;
}
