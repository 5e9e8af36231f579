import { readFileSync } from "node:fs";
import { homedir, networkInterfaces } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { PlatformName } from "../platforms/names.ts";

/** Where the state is kept, and who said so. */
export interface Backend {
  readonly url: string;
  readonly from: string;
}

/** What of a stack file says which machines it operates. */
export interface OperatedMachines {
  readonly platform: PlatformName;
  readonly hosts: Readonly<Record<string, object>>;
  /** Addresses that move between hosts, each with what they belong to: `pair sounz`. */
  readonly addresses: readonly (readonly [address: string, owner: string])[];
}

/** The backend of this run, as the CLI finds it; undefined when nobody named one. Nothing but its URL is looked at. */
export function backendOf(env: NodeJS.ProcessEnv, project: string): Backend | undefined {
  const [first] = [
    { url: env.PULUMI_BACKEND_URL, from: "PULUMI_BACKEND_URL" },
    { url: inProject(project), from: "backend.url of Pulumi.yaml" },
    { url: inCredentials(env), from: "pulumi login" },
  ].filter((found): found is Backend => Boolean(found.url));
  return first;
}

/** The addresses of the machine that runs the program. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

function inProject(folder: string): string | undefined {
  const project = textOf(join(folder, "Pulumi.yaml"));
  return (parse(project) as { backend?: { url?: string } } | null)?.backend?.url;
}

function inCredentials(env: NodeJS.ProcessEnv): string | undefined {
  const folder = env.PULUMI_CREDENTIALS_PATH || env.PULUMI_HOME || join(homedir(), ".pulumi");
  return /"current":\s*"([^"]+)"/.exec(textOf(join(folder, "credentials.json")))?.[1];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Their URL names a bucket, and only `endpoint` a machine. */
const buckets = ["s3:", "gs:", "azblob:"];

/**
 * Why the state must not be where it is: a machine that dies would take with it what its emergency needs. Undefined:
 * it may. Hosts of platform `local` are made on the operator's own machine.
 *
 * @param own the addresses of the machine that runs the program.
 */
export function backendProblem(
  { url, from }: Backend,
  own: readonly string[],
  config: OperatedMachines,
): string | undefined {
  if (config.platform === "local") return undefined;
  const machines = addressesOf(config);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const named = parsed ? hostsIn(parsed) : [];
  const here = url.startsWith("file:") || named.some(isThisMachine);
  const [where, owner] = [
    ...machines.filter(([address]) => here && own.includes(address)),
    ...machines.filter(([address]) => named.includes(address)),
    ...Object.keys(config.hosts).flatMap((name) => (named.includes(name) ? [[name, name] as const] : [])),
  ][0] ?? [undefined];
  if (where === undefined) return undefined;
  const state = `${from} keeps the state in ${shownUrl(url, parsed)}`;
  const place = here ? `this machine has ${where}, the address of ${owner}` : `that is ${owner}`;
  return `${state}, and ${place}, which the stack operates: an emergency would find no state; nothing was touched. Allowed: a backend on no operated host. Cure: ${cure(here)}`;
}

const cure = (here: boolean): string =>
  `${here ? "run from another machine, with a copy of the state: " : ""}npx pulumi stack export --file state.json, npx pulumi login <another backend>, npx pulumi stack init, npx pulumi stack import --file state.json`;

const addressesOf = ({ hosts, addresses }: OperatedMachines): OperatedMachines["addresses"] => [
  ...Object.entries(hosts).flatMap(([name, host]) => {
    const { address } = host as { readonly address?: string };
    return address === undefined ? [] : [[address, name] as const];
  }),
  ...addresses,
];

/** The machines that a backend's URL names. */
function hostsIn(url: URL): string[] {
  const endpoint = url.searchParams.get("endpoint");
  const named = [
    ...(buckets.includes(url.protocol) || url.protocol === "file:" ? [] : [url.hostname]),
    ...(endpoint === null ? [] : [hostOf(endpoint)]),
    url.searchParams.get("host") ?? "",
  ];
  return named.filter(Boolean).map((name) => name.toLowerCase());
}

function hostOf(endpoint: string): string {
  const url = endpoint.includes("://") ? endpoint : `http://${endpoint}`;
  return URL.canParse(url) ? new URL(url).hostname : "";
}

const isThisMachine = (name: string): boolean => name === "localhost" || name.startsWith("127.");

/** Without what may be secret in it. */
function shownUrl(url: string, parsed: URL | undefined): string {
  if (!parsed || url.startsWith("file:")) return url.replace(/\?.*$/, "");
  const endpoint = parsed.searchParams.get("endpoint");
  const shown = `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  return endpoint === null ? shown : `${shown}?endpoint=${hostOf(endpoint)}`;
}
