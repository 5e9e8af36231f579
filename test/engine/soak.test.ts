import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { Ran } from "../../components/staged-upgrade/soak.ts";
import { Project } from "../support/engine.ts";
import { failed, ok } from "../support/runs.ts";
import { scalr, scalrHosts } from "../support/scalr.ts";

/** A key of its own for each host, as a line of known_hosts has it. */
const hostKey = (host: number): string => {
  const kind = Buffer.from("ssh-ed25519");
  const key = Buffer.alloc(32, host + 1);
  const parts = [kind, key].flatMap((part) => [Buffer.from([0, 0, 0, part.length]), part]);
  return `ssh-ed25519 ${Buffer.concat(parts).toString("base64")}`;
};
const day = 24 * 3600 * 1000;
const daysAgo = (days: number) => new Date(Date.now() - days * day).toISOString().replace(/\.\d+Z$/, "Z");

/** The real program, and a development stack in the same backend. Its hosts answer nobody: a preview dials none. */
describe("production, whose versions development runs first", () => {
  const production = new Project(join(import.meta.dirname, "..", ".."));
  const development = new Project(join(import.meta.dirname, "soak", "index.ts"), {
    PULUMI_BACKEND_URL: production.env.PULUMI_BACKEND_URL ?? "",
  });

  const wants = (version: string, soak: Record<string, unknown> = {}) => {
    const hosts = Object.keys(scalrHosts).map((name, index) => [
      name,
      { address: `203.0.113.${String(index + 1)}`, hostKey: hostKey(index) },
    ]);
    const keys = {
      platform: "inventory",
      hosts: Object.fromEntries(hosts) as object,
      ssh: { user: "root" },
      stagedUpgrades: {
        scalr: scalr({ version, soak: { stack: "organization/changeover/dev", days: 7, ...soak } }),
      },
    };
    const config = Object.fromEntries(
      Object.entries(keys).map(([key, value]) => [`changeover:${key}`, value]),
    );
    writeFileSync(join(production.folder, "Pulumi.prod.yaml"), stringify({ config }));
  };
  const preview = () => production.pulumi(["preview", "--stack", "prod"]);
  const ran = async (...versions: readonly Ran[]) => {
    development.env.RAN = JSON.stringify({ scalr: { ran: versions } });
    ok(await development.up("--stack", "dev"));
  };

  beforeAll(async () => {
    wants("7.4.0-1");
    ok(await production.pulumi(["stack", "init", "prod"]));
  });
  afterAll(() => {
    development.remove();
    production.remove();
  });

  it("is refused while there is no such stack, with what to write", async () => {
    const run = await preview();
    failed(run);
    expect(run.output).toMatch(
      /changeover:stagedUpgrades\.scalr\.soak\.stack: "organization\/changeover\/dev" can't be read \(.*\); allowed: the full name of a stack in this backend, after its first update/,
    );
    expect(run.output).not.toMatch(/\n\s+at /);
  });

  it("is refused a version that development has not run, or not long enough, with the dates [000-002] [000-003] [000-004] [000-088]", async () => {
    ok(await development.pulumi(["stack", "init", "dev"]));
    await ran({ version: "7.3.0-1", since: daysAgo(30) });
    const unknown = await preview();
    failed(unknown);
    expect(unknown.output).toMatch(
      /changeover:stagedUpgrades\.scalr\.version: 7\.4\.0-1 has not run on organization\/changeover\/dev \(that stack ran 7\.3\.0-1 since \d{4}-\d\d-\d\d\); run it there for 7 days first/,
    );
    const since = daysAgo(2);
    await ran({ version: "7.3.0-1", since: daysAgo(30), until: since }, { version: "7.4.0-1", since });
    const young = await preview();
    failed(young);
    expect(young.output).toContain(
      `7.4.0-1 has passed all checks on organization/changeover/dev since ${since}: 2.0 days (required: 7); allowed from`,
    );
    expect(young.output).not.toContain("scalr-upgrade-");
  });

  it("gets it after its days, and before them for a reason that each preview shows", async () => {
    wants("7.4.0-1", { override: "7.4.0-1: closes a hole that is being used" });
    const forced = await preview();
    ok(forced);
    expect(forced.output).toContain(
      "soak of 7.4.0-1 on organization/changeover/dev is not checked: 7.4.0-1: closes a hole that is being used",
    );
    await ran({ version: "7.4.0-1", since: daysAgo(8) });
    wants("7.4.0-1");
    const run = await preview();
    ok(run);
    expect(run.output).toContain("scalr-upgrade-package-scalr-db");
  });
});
