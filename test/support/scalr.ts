import { readFileSync } from "node:fs";
import { join } from "node:path";
import { committedStack } from "./stack-file.ts";

const file = join(import.meta.dirname, "..", "..", "demo", "scalr", "roles.json");

/** The twenty services of the demonstration, by role. */
export const roles = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, readonly string[]>>;

/** Five hosts with their roles; scalr-proxy installs RPMs. */
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

/** The smoke tests of the development stack. */
export type SmokeName =
  "farm" | "server" | "provider" | "credentials" | "private-network" | "public-network" | "tool";

/** The keys of a staged upgrade that tests and benches use. */
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

/** The Debian packages of all its hosts. */
export const scalrDebian: readonly string[] = Object.keys(scalrHosts).flatMap(
  (host) => dev.hosts[host]?.packages ?? [],
);

/** The staged upgrade of the development stack, with changes. */
export const scalr = (change: Readonly<Record<string, unknown>> = {}): UpgradeKeys => ({
  ...dev.stagedUpgrades.scalr,
  backup: { folder: "/var/backups/scalr", keep: 2 },
  parallel: 2,
  ...change,
});
