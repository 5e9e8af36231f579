import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/lab/lab.ts";
import { Writer } from "../../tools/writer.ts";
import { killGroup, type Run } from "../support/engine.ts";
import { Estate, scratch } from "../support/estate.ts";
import { arrange, clear, type HostStep, hostSteps, type Incident, reached } from "../support/incident.ts";
import { commandPluginOf, programOf } from "../support/processes.ts";
import { AddressWatch, handovers, WriteWatch } from "../support/watch.ts";

const minute = 60_000;
const steps = Object.keys(hostSteps) as HostStep[];

const ok = (run: Run): void => {
  expect(run.code, run.output).toBe(0);
};
const failed = (run: Run): void => {
  expect(run.code, run.output).not.toBe(0);
};

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

  const begin = (): void => {
    writes.seen.length = 0;
    holders.seen.length = 0;
  };

  it.each([1, 2])(
    "loses nothing, in both directions, and runs what the preview listed (%i) [004-047] [004-062] [004-114] [004-129] [004-152]",
    async () => {
      begin();
      const [from, to] = [production, other()];
      estate.flip(to);
      const preview = await estate.project.pulumi(["preview"]);
      ok(preview);
      const up = await estate.up();
      ok(up);
      expect(stepsIn(up.output)).toEqual(stepsIn(preview.output));
      await settledIn(to, [from, to]);
    },
    minute,
  );

  it("writes the status file of each machine last, and gives up the address before the other takes it [004-032] [004-057] [004-058] [004-124]", async () => {
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
    await estate.project.pulumi(["cancel", "--yes"]);
    let resumed = await run();
    if (resumed.output.includes("failed to load checkpoint")) {
      estate.project.restoreBackup();
      resumed = await run();
    }
    ok(resumed);
    ok(await estate.project.pulumi(["refresh", "--clear-pending-creates", "--yes"]));
  };

  const finishes: readonly ["finish" | "back", Incident][] = [
    ["finish", "before"],
    ["back", "after"],
  ];

  describe.each(steps)("when %s fails", (step) => {
    it.each(finishes)(
      "the same update can %s it (it failed %s its work)",
      async (ending, incident) => {
        begin();
        const [from, to] = [production, other()];
        estate.flip(to);
        await arrange(estate, step, incident);
        failed(await estate.up());
        await clear(estate);
        if (ending === "back") estate.flip(from);
        ok(await estate.up());
        await settledAfter(ending, from, to);
      },
      2 * minute,
    );
  });

  describe.each(steps)("when a run is killed in %s", (step) => {
    it.each([
      ["finish", "everything"],
      ["back", steps.indexOf(step) % 2 === 0 ? "the plugin" : "the program"],
    ] as const)(
      "the runbook's commands %s it (killed: %s)",
      async (ending, victim) => {
        begin();
        const [from, to] = [production, other()];
        estate.flip(to);
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
      },
      2 * minute,
    );
  });

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
      await everywhere(`sed -i '1i host all changeover ${operator} reject' ${file}`);
      return () => everywhere(`sed -i 1d ${file}`);
    },
  };

  describe.each(["preflight", "check"] as const)("when the operator's %s", (step) => {
    it.each(["finish", "back"] as const)(
      "fails, the next update can %s it",
      async (ending) => {
        begin();
        const [from, to] = [production, other()];
        estate.flip(to);
        const mend = await broken[step]();
        failed(await estate.up());
        await mend();
        if (ending === "back") estate.flip(from);
        ok(await estate.up());
        await settledAfter(ending, from, to);
      },
      3 * minute,
    );

    it.each(["finish", "back"] as const)(
      "is killed with the run, the runbook's commands %s it",
      async (ending) => {
        begin();
        const [from, to] = [production, other()];
        estate.flip(to);
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

/** Steps that a run listed or ran, by name, without gates and ids. */
function stepsIn(output: string): string[] {
  const lines = output.matchAll(/^\s*(?:\+\+|\+-|\+)\s+.*?\b(sounz-\S+?)\s+(?:create|creat|replac)/gm);
  return [...new Set([...lines].map((line) => line[1] ?? ""))]
    .filter((name) => !/-(gate|id)$/.test(name))
    .sort();
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
