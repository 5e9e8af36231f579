import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Project, type Run } from "../support/engine.ts";
import { Estate } from "../support/estate.ts";
import { failed, ok } from "../support/runs.ts";
import { roles, scalr, scalrDebian } from "../support/scalr.ts";

const minute = 60_000;
const root = join(import.meta.dirname, "..", "..");

/** Scalr on one host alone, which is all of its roles: one stack for development, one for production. */
describe.skipIf(whyNoLab() !== undefined)("production after development, a single host each", () => {
  let estate: Estate;
  let production: Project;

  const single = (host: string, change: Record<string, unknown>) => ({
    scalr: {
      ...scalr({ hosts: { [host]: "all" }, main: host, services: { all: roles.all }, kinds: {} }),
      smoke: { farm: { ...scalr().smoke.farm, on: host } },
      ...change,
    },
  });
  const development = (version: string): Promise<Run> => {
    estate.config = { pairs: {}, stagedUpgrades: single("scalr-dev", { version }) };
    estate.write();
    return estate.project.pulumi(["up", "--yes", "--skip-preview"], 300);
  };
  const wants = (version: string, soak: Record<string, unknown>) => {
    const { address, hostKey, privateKeyPath } = estate.host("scalr-prod");
    const keys = {
      platform: "inventory",
      hosts: { "scalr-prod": { address, hostKey } },
      ssh: { user: "root", privateKeyPath },
      stagedUpgrades: single("scalr-prod", {
        version,
        soak: { stack: "organization/changeover/test", ...soak },
      }),
    };
    const config = Object.fromEntries(
      Object.entries(keys).map(([key, value]) => [`changeover:${key}`, value]),
    );
    writeFileSync(join(production.folder, "Pulumi.prod.yaml"), stringify({ config }));
  };
  const up = () => production.pulumi(["up", "--yes", "--skip-preview", "--stack", "prod"], 300);
  const version = async (host: string) =>
    (
      await estate.on(
        host,
        "dpkg-query -Wf '${Version}' scalr-server 2>/dev/null; scalr-server-manage status",
      )
    ).split("\n")[0];

  beforeAll(async () => {
    estate = await Estate.start(["scalr-dev", "scalr-prod"], scalrDebian);
    const { PULUMI_BACKEND_URL: backend = "" } = estate.project.env;
    production = new Project(root, { PULUMI_BACKEND_URL: backend });
    wants("7.3.0-1", { days: 0 });
    ok(await production.pulumi(["stack", "init", "prod"]));
  }, 10 * minute);

  afterAll(async () => {
    production.remove();
    await estate.stop();
  }, minute);

  it(
    "gets what development runs, and nothing before, with the dates [000-002] [000-003] [000-004] [000-005] [000-088]",
    async () => {
      ok(await development("7.3.0-1"));
      ok(await up());
      expect(await version("scalr-prod")).toMatch(/^7\.3\.0-1/);
      wants("7.4.0-1", { days: 0 });
      const early = await up();
      failed(early);
      expect(early.output).toMatch(
        /7\.4\.0-1 has not run on organization\/changeover\/test \(that stack ran 7\.3\.0-1 since \d{4}-\d\d-\d\d\)/,
      );
      ok(await development("7.4.0-1"));
      wants("7.4.0-1", { days: 7 });
      const young = await up();
      failed(young);
      expect(young.output).toMatch(
        /7\.4\.0-1 has passed all checks on organization\/changeover\/test since \S+Z: 0\.0 days \(required: 7\); allowed from \S+Z/,
      );
      expect(await version("scalr-prod")).toMatch(/^7\.3\.0-1/);
      wants("7.4.0-1", { days: 0 });
      ok(await up());
      expect(await version("scalr-prod")).toMatch(/^7\.4\.0-1/);
      // What it runs needs no proof again, whatever the days.
      wants("7.4.0-1", { days: 7 });
      ok(await up());
    },
    12 * minute,
  );
});
