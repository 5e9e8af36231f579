import { readFileSync } from "node:fs";
import { join } from "node:path";
import { committedStack } from "./stack-file.ts";

const file = join(import.meta.dirname, "..", "..", "demo", "scalr", "roles.json");

/** The seed's twenty services, by the role of the host that runs them. */
export const roles = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, readonly string[]>>;

/** Five hosts, the last of which takes RPMs. */
export const scalrHosts = {
  "scalr-db": "database",
  "scalr-app1": "app",
  "scalr-app2": "app",
  "scalr-worker": "worker",
  "scalr-proxy": "proxy",
} as const;

interface SmokeKeys {
  readonly on: string;
  readonly command: string;
  readonly cleanUp?: string;
  readonly seconds: number;
}

/** A test of each thing that the seed's page names (rows 000-036 to 000-042). */
export type SmokeName =
  "farm" | "server" | "provider" | "credentials" | "private-network" | "public-network" | "tool";

/** What stack files say of a staged upgrade, as far as tests and benches ask. */
interface UpgradeKeys {
  readonly backup?: object;
  readonly parallel?: number;
  readonly version: string;
  readonly smoke: Readonly<Record<SmokeName, SmokeKeys>>;
}

const dev = committedStack("Pulumi.dev.yaml") as {
  readonly hosts: Readonly<Record<string, { readonly packages?: readonly string[] }>>;
  readonly stagedUpgrades: { readonly scalr: UpgradeKeys };
};

/** What its hosts need of Debian, all of them together. */
export const scalrDebian: readonly string[] = Object.keys(scalrHosts).flatMap(
  (host) => dev.hosts[host]?.packages ?? [],
);

/** What the development stack says of Scalr, with some of it changed. */
export const scalr = (change: Readonly<Record<string, unknown>> = {}): UpgradeKeys => ({
  ...dev.stagedUpgrades.scalr,
  backup: { folder: "/var/backups/scalr", keep: 2 },
  parallel: 2,
  ...change,
});
