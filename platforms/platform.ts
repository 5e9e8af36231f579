import type * as pulumi from "@pulumi/pulumi";

/** How SSH reaches one machine. All plain: the private key is named by its path, never carried. */
export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** One line as in `authorized_keys`, for example `ssh-ed25519 AAAA…`. Always checked. */
  readonly hostKey: string;
  /** Path of the operator's private key; left out: the SSH agent is asked. */
  readonly privateKeyPath?: string;
  /** Where releases of the scripts are put; left out: `/opt/changeover`, or `.changeover` in a home that is not root's. */
  readonly scriptsRoot?: string;
  /** Steps are run by `sudo -n`; left out: when the user is not root. */
  readonly sudo?: boolean;
  /** The bastion, when the machine is behind one (one hop). */
  readonly proxy?: SshTarget;
}

/** A machine that steps run on. Components take hosts and never ask where they come from. */
export interface Host {
  readonly name: string;
  readonly ssh: pulumi.Output<SshTarget>;
  /** Another value means another machine: a rebuilt one, a reinstalled one. */
  readonly identity: pulumi.Output<string>;
  /** The address that its peers use, on the internal network. */
  readonly address: pulumi.Output<string>;
  /** What must exist before anything dials it. */
  readonly ready: readonly pulumi.Resource[];
}

/** The address that users know, which moves between hosts. */
export interface ServiceAddress {
  readonly address: pulumi.Output<string>;
  /** `host`: the host itself takes and releases it (address + gratuitous ARP). `platform`: an API call moves it. */
  readonly movedBy: "host" | "platform";
  /**
   * Declares the move to the host named by `to`, for `movedBy: "platform"` only.
   * `to` comes through a transition's keepers, so that it changes only with the transition's id.
   */
  readonly move?: (
    name: string,
    to: pulumi.Output<string>,
    opts: pulumi.CustomResourceOptions,
  ) => pulumi.Resource;
}

/**
 * How a machine that is lost is cut off, so that it can't serve: a shell command on the machine that runs `up`, which
 * ends with 0 when it is done and may be run twice, or a resource of the platform.
 */
export type Fence =
  | { readonly by: "operator"; readonly command: pulumi.Output<string> }
  | {
      readonly by: "platform";
      readonly declare: (name: string, opts: pulumi.CustomResourceOptions) => pulumi.Resource;
    };

/** Where hosts come from: `local`, `inventory`, `aws`. */
export interface Platform {
  readonly hosts: ReadonlyMap<string, Host>;
  /** @param wanted what the config says: an IPv4 address, `.46` (last octet, on `local`), or nothing (on `aws`). */
  serviceAddress(name: string, wanted: string | undefined): ServiceAddress;
  /** Undefined: the platform has no way to cut this host off. */
  fence(host: string): Fence | undefined;
  /** The hosts' own network (CIDR), whose machines may reach the services; left out: only what the config names. */
  readonly network?: pulumi.Output<string>;
  /** What the stack exports about its machines (addresses, aliases). */
  readonly outputs: Record<string, pulumi.Output<unknown>>;
}

/** Hosts that are open to each other and to clients at some ports: an entry of the stack file. */
export interface Opening {
  /** For example `pair-sounz`. */
  readonly name: string;
  readonly description: string;
  readonly hosts: readonly string[];
  readonly ports: readonly {
    readonly port: number;
    readonly purpose: string;
    /** `members`: each other; `network`: the hosts' own network; else a network (CIDR). */
    readonly from: readonly string[];
  }[];
}
