import type { SshTarget } from "./platform.ts";
import { withoutComment } from "./public-key.ts";

/**
 * An ssh_config with an alias for each host, through its bastion, with its host key pinned in the file itself.
 * Use it as `ssh -F FILE slayer`, or include it in `~/.ssh/config`.
 *
 * @throws when a bastion is none of the hosts.
 */
export function sshConfigOf(targets: ReadonlyMap<string, SshTarget>): string {
  const blocks = [...targets].map(([name, target]) => {
    const bastion = [...targets].find(([, other]) => target.proxy && sameMachine(other, target.proxy));
    if (target.proxy && !bastion) throw new Error(`the bastion of ${name}, ${target.proxy.host}, is no host`);
    return block(name, target, bastion?.[0]);
  });
  return `${blocks.join("\n\n")}\n`;
}

const sameMachine = (one: SshTarget, other: SshTarget): boolean =>
  one.host === other.host && one.port === other.port;

function block(name: string, target: SshTarget, bastion: string | undefined): string {
  const lines = [
    `Host ${name}`,
    `HostName ${target.host}`,
    `Port ${String(target.port)}`,
    `User ${target.user}`,
    ...(target.privateKeyPath === undefined
      ? []
      : [`IdentityFile "${target.privateKeyPath}"`, "IdentitiesOnly yes"]),
    ...(bastion === undefined ? [] : [`ProxyJump ${bastion}`]),
    `HostKeyAlias ${name}`,
    "StrictHostKeyChecking yes",
    "UserKnownHostsFile /dev/null",
    `KnownHostsCommand /bin/echo ${name} ${withoutComment(target.hostKey)}`,
  ];
  return lines.join("\n  ");
}
