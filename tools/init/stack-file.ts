import { parse, stringify } from "yaml";
import { parseConfig } from "../../config.ts";

/** A server of the pair. */
export interface Server {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly hostKey: string;
}

/** What a stack file of two servers says. */
export interface TwoServers {
  readonly pair: string;
  readonly servers: readonly [Server, Server];
  readonly user: string;
  /** Undefined: the SSH agent is asked. */
  readonly privateKeyPath: string | undefined;
  readonly serviceAddress: string;
  readonly clients: readonly string[];
}

/**
 * The stack file, in the form in which the CLI writes it.
 *
 * @param name of the file, for messages.
 * @throws ConfigError with everything that is wrong in it.
 */
export function stackFileOf(name: string, told: TwoServers): string {
  const { pair, servers, user, privateKeyPath, serviceAddress, clients } = told;
  const [primary, secondary] = servers;
  const hosts = servers.map(({ name: host, address, port, hostKey }) => [
    host,
    { address, ...(port === 22 ? {} : { port }), hostKey },
  ]);
  const config = {
    "changeover:platform": "inventory",
    "changeover:ssh": { user, ...(privateKeyPath === undefined ? {} : { privateKeyPath }) },
    "changeover:hosts": Object.fromEntries(hosts) as object,
    "changeover:pairs": {
      [pair]: {
        primary: primary.name,
        secondary: secondary.name,
        production: primary.name,
        serviceAddress,
        ...(clients.length > 0 ? { clients } : {}),
      },
    },
  };
  const text = stringify({ config }, { lineWidth: 0 });
  const read = parse(text) as { readonly config: Readonly<Record<string, unknown>> };
  const keys = Object.entries(read.config).map(([key, value]) => [key.replace("changeover:", ""), value]);
  parseConfig(Object.fromEntries(keys) as Record<string, unknown>, name);
  return `# yaml-language-server: $schema=docs/stack.schema.json\n${text}`;
}
