import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setTimeout as pause } from "node:timers/promises";
import { cut, freeze, mend, powerCut, thaw, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Writer } from "../../tools/workshop/writer.ts";
import { killGroup, type Run } from "../support/engine.ts";
import { type Case, chosen, recorded } from "../support/chaos.ts";
import { Estate, scratch } from "../support/estate.ts";
import { asPreviewed } from "../support/previewed.ts";
import { arrange, clear, type HostStep, hostSteps, type Incident, reached } from "../support/incident.ts";
import { commandPluginOf, programOf } from "../support/processes.ts";
import { AddressWatch, handovers, WriteWatch } from "../support/watch.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;
const steps = Object.keys(hostSteps) as HostStep[];

describe.skipIf(whyNoLab() !== undefined)("a switch of production under a writer", () => {
  let estate: Estate;
  let writer: Writer;
  let writes: WriteWatch;
  let holders: AddressWatch;
  let production = "slayer";

  beforeAll(async () => {
    estate = await Estate.start();
    ok(await estate.up());
    writer = new Writer(await estate.database());
    await writer.start();
    const hosts = [...estate.hosts.values()];
    const targets = await Promise.all(
      hosts.map(async ({ name, address }) => [name, await estate.database(address)]),
    );
    writes = new WriteWatch(Object.fromEntries(targets) as ConstructorParameters<typeof WriteWatch>[0]);
    writes.start();
    holders = new AddressWatch(estate.lab, estate.serviceAddress);
  }, 10 * minute);

  afterAll(async () => {
    await holders.stop();
    await writes.stop();
    await writer.stop();
    await estate.stop();
  }, minute);

  const other = () => (production === "slayer" ? "megadeth" : "slayer");

  /** Everything that must be true after a switch that ended in `expected`, and was so all the time. */
  const settledIn = async (expected: string, hands: readonly string[]): Promise<void> => {
    production = expected;
    const taken = handovers(writes.seen);
    expect(hands.join(" then ")).toContain(taken.join(" then "));
    expect(taken.at(-1)).toBe(expected);
    expect(handovers(holders.seen).length, "changes of who answers for the address").toBe(taken.length);
    expect(await writer.lost(), "acknowledged writes that are lost").toEqual([]);
    const { resources, pending } = await estate.project.state();
    expect(pending).toEqual([]);
    expect(resources.filter((entry) => entry.delete)).toEqual([]);
    const verified = await estate.verify();
    expect(verified.code, verified.output).toBe(0);
  };

  /** A switch that was broken and then finished, or flipped back. */
  const settledAfter = (ending: "finish" | "back", from: string, to: string): Promise<void> =>
    ending === "finish" ? settledIn(to, [from, to]) : settledIn(from, [from, to, from]);

  /** Watch from now on, and order the switch to the other machine. */
  const order = (): [from: string, to: string] => {
    writes.seen.length = 0;
    holders.seen.length = 0;
    const switched: [string, string] = [production, other()];
    estate.flip(switched[1]);
    return switched;
  };

  it.each([1, 2])(
    "loses nothing, in both directions, and runs what the preview listed (%i) [004-047] [004-062] [004-114] [004-129] [004-152] [004-059] [004-060] [004-061] [004-064] [004-121] [004-122] [004-123] [004-131] [004-140] [004-141] [004-149] [004-150]",
    async () => {
      const [from, to] = order();
      await asPreviewed(estate);
      await settledIn(to, [from, to]);
    },
    minute,
  );

  it("writes the status file of each machine last, and gives up the address before the other takes it [004-032] [004-057] [004-058] [004-124] [004-120] [004-128]", async () => {
    const status = await Promise.all(
      [...estate.hosts.keys()].map((name) => estate.on(name, "cat /etc/sounz/sounz.status")),
    );
    const expected =
      production === "slayer"
        ? ["production", "standby"]
        : ["production_as_standby", "standby_as_production"];
    expect(status.map((text) => text.trim())).toEqual(expected);
  });

  it("opens no connection when nothing changed", async () => {
    const before = await connections(estate);
    ok(await estate.up());
    // Asking costs a connection to each host itself.
    expect((await connections(estate)) - before - estate.hosts.size).toBe(0);
  });

  /** The runbook's words after a run that was killed. */
  const recover = async (run: () => Promise<Run>): Promise<void> => {
    const cancelled = await estate.project.pulumi(["cancel", "--yes"]);
    if (cancelled.output.includes("failed to load checkpoint")) {
      estate.project.restoreBackup();
      ok(await estate.project.pulumi(["cancel", "--yes"]));
    }
    ok(await run());
    ok(await estate.project.pulumi(["refresh", "--clear-pending-creates", "--yes"]));
  };

  const failures = steps.flatMap((step, index): Case<Incident>[] => [
    { step, ending: "finish", incident: "before", sampled: index % 8 === 2 },
    { step, ending: "back", incident: "after", sampled: index % 8 === 7 },
  ]);

  it.for(chosen(failures))(
    "when $step fails $incident its work, the same update can $ending it",
    { timeout: 2 * minute },
    recorded<Case<Incident>>(async ({ step, ending, incident }) => {
      const [from, to] = order();
      await arrange(estate, step, incident);
      failed(await estate.up());
      await clear(estate);
      if (ending === "back") estate.flip(from);
      ok(await estate.up());
      await settledAfter(ending, from, to);
    }),
  );

  const kills = steps.flatMap((step, index): Case<Victim>[] => [
    { step, ending: "finish", incident: "everything", sampled: index === 3 },
    {
      step,
      ending: "back",
      sampled: index === 2,
      incident: index % 4 === 0 ? "the plugin" : "the program",
    },
  ]);

  it.for(chosen(kills))(
    "when $incident is killed in $step, the runbook's commands $ending it",
    { timeout: 2 * minute },
    recorded<Case<Victim>>(async ({ step, ending, incident: victim }) => {
      const [from, to] = order();
      await arrange(estate, step, "wait");
      const { child, run } = estate.project.start(["up", "--yes", "--skip-preview"]);
      await expect.poll(() => reached(estate, step), { timeout: minute, interval: 100 }).toBe(true);
      if (victim === "everything") killGroup(child, "SIGKILL");
      else {
        const find = victim === "the plugin" ? commandPluginOf : programOf;
        const found = find(child.pid ?? 0);
        expect(found, `${victim} runs`).toBeDefined();
        process.kill(found?.pid ?? 0, "SIGKILL");
      }
      failed(await run);
      await clear(estate);
      if (ending === "back") estate.flip(from);
      await recover(() => estate.up());
      await settledAfter(ending, from, to);
    }),
  );

  const rivals = steps.map((step): Case<"rival"> => {
    return { step, ending: "back", incident: "rival", sampled: step === "takeover" };
  });

  it.for(chosen(rivals))(
    "when in $step somebody cancels the run and starts one with the opposite goal beside it, the runbook's commands $ending it",
    { timeout: 4 * minute },
    recorded<Case<"rival">>(async ({ step }) => {
      const [from, to] = order();
      await arrange(estate, step, "wait");
      const first = estate.project.start(["up", "--yes", "--skip-preview"]);
      await expect.poll(() => reached(estate, step), { timeout: minute, interval: 100 }).toBe(true);
      ok(await estate.project.pulumi(["cancel", "--yes"]));
      estate.flip(from);
      const second = estate.project.start(["up", "--yes", "--skip-preview"]);
      // Each may end or be refused; both wrote the one state file, so neither's word counts.
      await Promise.all([first.run, second.run]);
      await clear(estate);
      await recover(() => estate.up());
      if ((await estate.verify()).code !== 0) ok(await estate.up("--replace", "**::sounz-switch-id"));
      await settledIn(from, [from, to, from, to, from]);
    }),
  );

  const losses: readonly Loss[] = ["loses its power", "is cut off", "is frozen"];
  const lost = steps.flatMap((step, index) =>
    (["old", "new"] as const).flatMap((which, machine) =>
      losses.map((incident, kind): Case<Loss> => ({
        step,
        incident,
        which,
        ending: (index + machine + kind) % 2 === 0 ? "finish" : "back",
        sampled: index === 2 * kind && machine === kind % 2,
      })),
    ),
  );

  it.for(chosen(lost))(
    "when the $which production $incident in $step, the runbook's commands $ending it",
    { timeout: 4 * minute },
    recorded<Case<Loss>>(async ({ step, ending, which, incident }) => {
      const [from, to] = order();
      const victim = which === "old" ? from : to;
      await arrange(estate, step, "wait");
      const { child, run } = estate.project.start(["up", "--yes", "--skip-preview"]);
      await expect.poll(() => reached(estate, step), { timeout: minute, interval: 100 }).toBe(true);
      await lose[incident](estate.lab, victim);
      // "No line for 60 seconds: Ctrl-C twice."
      await Promise.race([run, pause(15_000)]);
      killGroup(child, "SIGKILL");
      await run;
      await find[incident](estate, victim);
      await clear(estate);
      await streamsOrNobodyWrites(estate);
      if (ending === "back") estate.flip(from);
      await recover(() => estate.up());
      await settledIn(ending === "back" ? from : to, [from, to, from, to]);
    }),
  );

  /** The two steps that run on the operator's machine fail by what they meet: no ssh, no way in. */
  const broken = {
    preflight: () => {
      const { path, remove } = scratch("changeover-no-ssh-");
      writeFileSync(join(path, "ssh"), "#!/bin/sh\necho no ssh today >&2; exit 255\n", { mode: 0o755 });
      const { PATH } = estate.project.env;
      estate.project.env.PATH = `${path}:${PATH ?? ""}`;
      return Promise.resolve(() => {
        estate.project.env.PATH = PATH;
        remove();
        return Promise.resolve();
      });
    },
    check: async () => {
      const operator = estate.subnet.replace(/\.0\/24$/, ".1/32");
      const file = "/etc/postgresql/15/sounz/pg_hba.conf";
      const reload = "systemctl reload postgresql@15-sounz";
      const everywhere = async (command: string): Promise<void> => {
        await Promise.all([...estate.hosts.keys()].map((name) => estate.on(name, `${command} && ${reload}`)));
      };
      await everywhere(`sed -i '1i host all changeover_check ${operator} reject' ${file}`);
      return () => everywhere(`sed -i 1d ${file}`);
    },
  };

  describe.each(["preflight", "check"] as const)("when the operator's %s", (step) => {
    it.each(
      chosen([
        { ending: "finish", sampled: step === "check" } as const,
        { ending: "back", sampled: step === "preflight" } as const,
      ]),
    )(
      "fails, the next update can $ending it",
      async ({ ending }) => {
        const [from, to] = order();
        const mended = await broken[step]();
        failed(await estate.up());
        await mended();
        if (ending === "back") estate.flip(from);
        ok(await estate.up());
        await settledAfter(ending, from, to);
      },
      3 * minute,
    );

    it.each(
      chosen([
        { ending: "finish", sampled: step === "preflight" } as const,
        { ending: "back", sampled: step === "check" } as const,
      ]),
    )(
      "is killed with the run, the runbook's commands $ending it",
      async ({ ending }) => {
        const [from, to] = order();
        const { child, run, said } = estate.project.start(["up", "--yes", "--skip-preview"]);
        await expect.poll(said, { timeout: minute, interval: 20 }).toContain(`sounz-switch-${step} creating`);
        killGroup(child, "SIGKILL");
        failed(await run);
        if (ending === "back") estate.flip(from);
        await recover(() => estate.up());
        await settledAfter(ending, from, to);
      },
      3 * minute,
    );
  });
});

type Victim = "everything" | "the plugin" | "the program";
type Loss = "loses its power" | "is cut off" | "is frozen";

const lose: Readonly<Record<Loss, (lab: string, host: string) => Promise<void>>> = {
  "loses its power": powerCut,
  "is cut off": cut,
  "is frozen": freeze,
};
const find: Readonly<Record<Loss, (estate: Estate, host: string) => Promise<void>>> = {
  "loses its power": (estate, host) => estate.boot(host),
  "is cut off": (estate, host) => mend(estate.lab, host),
  "is frozen": (estate, host) => thaw(estate.lab, host),
};

/** A machine that is back has its server up again before the operator goes on: its watch starts it, or holds it back. */
async function streamsOrNobodyWrites(estate: Estate): Promise<void> {
  const look = (host: string) =>
    estate
      .on(
        host,
        "cd / && runuser -u postgres -- psql -XAtq -c 'select pg_is_in_recovery()' 2>/dev/null || echo none",
      )
      .catch(() => "none");
  const settled = async (): Promise<boolean> => {
    const roles = await Promise.all([...estate.hosts.keys()].map(look));
    return roles.every((role) => role.trim() !== "none");
  };
  await expect.poll(settled, { timeout: minute, interval: 500 }).toBe(true);
}

/** Connections that the hosts' sshd has seen so far, with the one that asks. */
async function connections(estate: Estate): Promise<number> {
  const counts = await Promise.all(
    [...estate.hosts.keys()].map(async (name) =>
      Number(
        await estate.on(name, "journalctl -u ssh -o cat --no-pager | grep -c '^Connection from' || true"),
      ),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
