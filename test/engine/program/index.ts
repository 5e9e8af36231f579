import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { readScripts } from "../../../transition/scripts.ts";
import { shortStackTraces } from "../../../transition/short-stacks.ts";
import { fileCopy, scriptsCopy } from "../../../transition/step.ts";
import type { Row } from "../../../transition/table.ts";
import type { Member } from "../../../transition/args.ts";
import { Transition } from "../../../transition/transition.ts";
import type { Scenario } from "../scenario.ts";

/** The program of the engine tests: the real transitions, over a table and a goal that the test writes into a file. */
const file = process.env.SCENARIO;
if (!file) throw new Error("SCENARIO names no file");
shortStackTraces();
const scenario = JSON.parse(readFileSync(file, "utf8")) as Scenario;

const scripts = readScripts(scenario.scripts);
const members = new Map(
  Object.entries(scenario.hosts).map(([name, host]): [string, Member] => {
    const machine = {
      name,
      ssh: pulumi.output(host.ssh),
      identity: pulumi.output(host.identity),
      address: pulumi.output(host.ssh.host),
      ready: [],
    };
    const unreachable = scenario.unreachable?.includes(name) ?? false;
    const copy = unreachable ? undefined : scriptsCopy(machine, scripts);
    return [name, { host: machine, unreachable, release: scripts.release, scripts: copy }];
  }),
);

for (const { host, to, ...file } of scenario.files ?? []) {
  const member = members.get(host);
  if (member) fileCopy(`file-${host}`, member.host, { ...file, to: pulumi.output(to) }, {});
}

const roots = Object.values(scenario.hosts).map(({ root }) => root);
let after: pulumi.Resource[] = [];

for (const [transition, { rows, goal, pauses }] of Object.entries(scenario.transitions)) {
  const machines = Object.entries(scenario.hosts).map(([name, { identity }]) => [
    `machine.${name}`,
    identity,
  ]);
  const table = rows.map(({ shows, onlyIfBad, ...row }): Row => ({
    script: "t/act",
    says: row.phase,
    deadlineSeconds: 60,
    ...row,
    ...(onlyIfBad ? { when: (bad: readonly string[]) => bad.length > 0 } : {}),
    words: (keepers) => [row.phase, ...(shows ?? []).map((key) => keepers[key] ?? "")],
  }));
  const { finished } = new Transition(
    {
      component: scenario.component,
      transition,
      keepers: { ...goal, ...(Object.fromEntries(machines) as Record<string, string>) },
      table,
      story: { goal: Object.keys(goal), wayBack: "set the old goal" },
      pauses,
      members,
      stack: pulumi.output("engine-tests"),
      preflight: () => ({
        create: ["bash", join(import.meta.dirname, "..", "preflight.sh"), scenario.component, ...roots].join(
          " ",
        ),
        stdin: "",
      }),
      secrets: { word: pulumi.secret(scenario.secret ?? "none") },
      after,
    },
    scenario.parent ? { parent: new pulumi.ComponentResource("test:index:Parent", scenario.parent) } : {},
  );
  after = [finished];
}
