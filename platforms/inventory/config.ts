import { z } from "zod";
import { address, hostKey, hostName, hosts, ssh } from "../../config/common-fields.ts";
import { tcpPort, text } from "../../config/fields.ts";

const hostKeyTypes = [
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
];

const inventoryHost = z.strictObject({
  address: address("The machine's address on the internal network, which its peers use too."),
  port: tcpPort("TCP port of its sshd.").default(22),
  user: text(/^[a-z_][a-z0-9_-]{0,31}$/, "a user name", "The login user. Left out: ssh.user.").optional(),
  hostKey: hostKey(
    hostKeyTypes,
    "The machine's public host key, from its /etc/ssh/ssh_host_ed25519_key.pub; also its identity: another key is another machine.",
  ),
  bastion: hostName("The host that SSH goes through to reach this one. Left out: none.").optional(),
  fence: text(
    /^\S.*$/,
    "a shell command",
    "Cuts a lost machine off (a power switch, a hypervisor); runs where `up` runs, within 60 s. It ends with 0 only when the machine is off or cut off, and may run twice.",
  ).optional(),
});

/** What a stack file says of this platform. */
export const inventoryFields = { ssh: ssh("root"), hosts: hosts(inventoryHost) };

/** The same, checked. */
export type InventoryConfig = z.output<z.ZodObject<typeof inventoryFields>>;
