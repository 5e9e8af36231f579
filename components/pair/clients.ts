import { sourceTowards } from "../../config/source-address.ts";
import { contains, networkOf } from "../../platforms/ipv4.ts";
import type { Pair } from "./config.ts";
import { serves, type Status } from "./goal.ts";

/** Whether machines of this address may connect to the database. @param clients networks (CIDR). */
export function mayConnect(address: string, clients: readonly string[]): boolean {
  const own = networkOf(`${address}/32`);
  return clients.some((client) => {
    const network = networkOf(client);
    return own !== undefined && network !== undefined && contains(network, own);
  });
}

/** The command that lets an address connect: one more network in the list. */
export const admitCommand = (pair: string, clients: number, address: string): string =>
  `npx pulumi config set --path 'changeover:pairs.${pair}.clients[${String(clients)}]' ${address}/32`;

/** What an inventory allows, in words: it has no network of its own that is open besides. */
export const allowedClients = (clients: readonly string[]): string =>
  clients.length === 0 ? "none" : clients.join(", ");

/**
 * What a preview warns of, before a switch whose check would be refused by the database. This machine may see another
 * address than the database does, and `up` may run elsewhere: so it is no refusal. The preflight measures both.
 *
 * @param before the pair at its last update; undefined: there was none.
 */
export async function remarksOfPair(
  name: string,
  { serviceAddress = "", checksFrom, clients, production }: Pair,
  before: { readonly statuses: Readonly<Record<string, Status>> } | undefined,
): Promise<string[]> {
  const status = before?.statuses[production];
  const planned = status === undefined || !serves(status);
  // On other platforms the operator is admitted already: `local` opens its own network, and `aws` refuses the file.
  if (!planned || checksFrom !== "operator" || !networkOf(`${serviceAddress}/32`)) return [];
  const own = await sourceTowards(serviceAddress);
  if (own === undefined || mayConnect(own, clients)) return [];
  return [
    `changeover:pairs.${name}.clients: this machine reaches ${serviceAddress} from ${own}, which may not connect to the database (allowed: ${allowedClients(clients)}). The check after the switch needs that. If this machine runs \`up\`: ${admitCommand(name, clients.length, own)}`,
  ];
}
