import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { cut, mend, powerCut } from "../../tools/workshop/lab/lab.ts";
import { killGroup } from "./engine.ts";
import type { Estate } from "./estate.ts";
import { type AnyStep, arrange, clear, type PoolStep, reached } from "./incident.ts";
import type { PoolSite } from "./pool-site.ts";
import { failed, ok } from "./runs.ts";

const minute = 60_000;

/** What stops a change of a pool. */
export const poolIncidents = [
  "fails before",
  "fails after",
  "is killed in",
  "loses a balancer in",
  "loses a server in",
] as const;

export type PoolIncident = (typeof poolIncidents)[number];

/** Run an update of the site's config, and stop it in one step by an incident. */
export async function stopIn(site: PoolSite, step: PoolStep, incident: PoolIncident): Promise<void> {
  switch (incident) {
    case "fails before":
    case "fails after":
      await arrange(site.estate, step, incident === "fails before" ? "before" : "after");
      failed(await site.estate.up());
      break;
    case "is killed in":
      await interrupted(site, step);
      // The script goes on without its reader.
      await pause(3000);
      break;
    case "loses a balancer in":
      await gone(site, step, site.balancers.at(-1) ?? "", cut, mend);
      break;
    case "loses a server in":
      await gone(site, step, site.servers.at(-1) ?? "", powerCut, (_, name) => site.estate.boot(name));
  }
  await clear(site.estate);
}

/** End a stopped update as the runbook says: `up` again after a failure, and a repair first after a killed run. */
export async function recover(site: { readonly estate: Estate }, incident: string): Promise<void> {
  const { project } = site.estate;
  if (incident.startsWith("fails")) {
    ok(await site.estate.up());
    return;
  }
  await unlock(site);
  await expect.poll(() => upAgain(site), { timeout: 3 * minute, interval: 1000 }).toBe(0);
  ok(await project.pulumi(["refresh", "--clear-pending-creates", "--yes"]));
}

/** What the runbook does first after a killed run: the state may be locked, or half written. */
export async function unlock({ estate: { project } }: { readonly estate: Estate }): Promise<void> {
  const cancelled = await project.pulumi(["cancel", "--yes"]);
  if (cancelled.output.includes("failed to load checkpoint")) {
    project.restoreBackup();
    ok(await project.pulumi(["cancel", "--yes"]));
  }
}

/** `up`; a bad verdict is judged anew with the command of its message. */
async function upAgain(site: { readonly estate: Estate }): Promise<number | null> {
  const { code, output } = await site.estate.up();
  const judged = /npx pulumi up --replace '([^']+)'/.exec(output)?.[1];
  if (code === 0 || judged === undefined) return code;
  return (await site.estate.up("--replace", judged)).code;
}

/** Kill the CLI when the step runs, or a while after something was lost meanwhile. */
export async function interrupted(
  site: { readonly estate: Estate },
  step: AnyStep,
  meanwhile: (run: Promise<unknown>) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await arrange(site.estate, step, "wait");
  const { child, run } = site.estate.project.start(["up", "--yes", "--skip-preview"]);
  await expect.poll(() => reached(site.estate, step), { timeout: 3 * minute, interval: 100 }).toBe(true);
  await meanwhile(run);
  killGroup(child, "SIGKILL");
  await run;
}

export async function gone(
  site: { readonly estate: Estate },
  step: AnyStep,
  name: string,
  lose: (lab: string, name: string) => Promise<unknown>,
  find: (lab: string, name: string) => Promise<unknown>,
): Promise<void> {
  const { lab } = site.estate;
  await interrupted(site, step, async (run) => {
    await lose(lab, name);
    // "No line for 60 seconds: Ctrl-C twice."
    await Promise.race([run, pause(15_000)]);
  });
  await find(lab, name);
}
