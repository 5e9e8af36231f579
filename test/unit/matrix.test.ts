import { beforeAll, describe, expect, it } from "vitest";
import { systems } from "../../components/registry.ts";
import type { Question, Seen, System } from "../../components/system.ts";
import { fieldsOf, type Fields } from "../../config/draft.ts";
import { leaving, operatedBy } from "../../config/leaving.ts";
import { configProblems } from "../support/config-problems.ts";
import { estateFor } from "../support/declared.ts";

/** Every system is asked every question: a further one fails until it answers, or says beside itself why it does not. */
const name = "sample";

/** A stack file with the sample of one system, and whatever else is told. */
function fileWith({ key, sample }: System, change: Fields = {}, entry: Fields = sample.entry): Fields {
  return {
    platform: "local",
    hosts: Object.fromEntries([...sample.hosts, "spare"].map((host) => [host, {}])),
    ...sample.beside,
    [key]: { ...fieldsOf(sample.beside?.[key]), [name]: entry },
    ...change,
  };
}

/** The entry without a host: wherever it was named it is taken out, or another one stands there. */
function without({ hostsIn }: System, entry: Fields, host: string): Fields {
  const copy = structuredClone(entry);
  for (const { path } of hostsIn(name, entry)
    .filter((use) => use.host === host)
    .reverse()) {
    const at = path.slice(0, -1).reduce<Fields>((fields, step) => fields[step] as Fields, copy);
    const last = path.at(-1) ?? "";
    if (Array.isArray(at)) at.splice(Number(last), 1);
    else if (typeof at[last] === "string" && at[last] === host) Object.assign(at, { [last]: "spare" });
    else delete (at as Record<string, unknown>)[last];
  }
  return copy;
}

interface OperatedEntry {
  readonly hosts: readonly string[];
  readonly outcome: string;
  readonly expected: unknown;
  readonly marks: readonly { readonly host: string }[];
}

describe.each(systems.map((system) => [system.key, system] as const))("a system: %s", (key, system) => {
  const { sample } = system;
  let operated: OperatedEntry;
  let outputs: Readonly<Record<string, unknown>>;

  /** What is said; a system with an exception to the question must need it. */
  const answers = (question: Question, all: readonly (readonly string[])[]) => {
    const silent = all.filter((lines) => lines.length === 0).length;
    if (system.exceptions[question] === undefined) expect(silent).toBe(0);
    else expect(silent, "an exception that nothing needs").toBeGreaterThan(0);
  };

  const operatedIn = (found: Readonly<Record<string, unknown>>) =>
    (found.operated as Record<string, Record<string, OperatedEntry>>)[key]?.[name];

  /** With its defaults, as far as it is right. */
  const checked = (entry: Fields): unknown => system.entry("local").safeParse(entry).data ?? entry;

  /** What a file is told when it follows an update with the sample. */
  const leavingFor = (entry: Fields | undefined, absent: readonly string[] = []) =>
    leaving(
      operatedBy(outputs, systems),
      {
        hosts: fieldsOf(fileWith(system).hosts),
        absent,
        unreachable: [],
        entries: (of) =>
          of === key ? (entry ? { [name]: checked(entry) } : {}) : fieldsOf(sample.beside?.[of]),
      },
      systems,
    ).map(({ text }) => text);

  beforeAll(async () => {
    expect(configProblems(fileWith(system))).toEqual([]);
    outputs = await estateFor(fileWith(system));
    operated = operatedIn(outputs) as OperatedEntry;
  }, 30_000);

  it("says of its members what it operates, and what is done on each", () => {
    const named = new Set(
      system.hostsIn(name, sample.entry).flatMap(({ host, witness }) => (witness ? [] : [host])),
    );
    expect(new Set(operated.hosts)).toEqual(named);
    expect(new Set(operated.marks.map(({ host }) => host))).toEqual(named);
    expect(operated.outcome).toBe("complete");
  });

  it("refuses an entry that is dropped while it is operated", () => {
    answers("entry dropped", [leavingFor(undefined)]);
  });

  it("refuses a host that is dropped while it is in use", () => {
    answers(
      "host dropped",
      operated.hosts.map((host) => leavingFor(without(system, sample.entry, host))),
    );
  });

  it.each(systems.filter((other) => other.key !== key).map((other) => [other.key, other] as const))(
    "refuses a name that %s has",
    (_, other) => {
      const both = fileWith(system, {
        hosts: Object.fromEntries(
          [...sample.hosts, ...other.sample.hosts, "spare"].map((host) => [host, {}]),
        ),
        ...sample.beside,
        ...other.sample.beside,
        [other.key]: { [name]: other.sample.entry },
      });
      expect(configProblems(both).join("\n")).toContain(`"${name}" is changeover:`);
    },
  );

  it("refuses a host in absent while it is in use", () => {
    answers(
      "absent while used",
      operated.hosts.map((host) => configProblems(fileWith(system, { absent: [host] }))),
    );
  });

  it.each(["unreachable", "suspect"] as const)(
    "refuses what a host in %s can't do without, or says what is left out",
    async (list) => {
      const said = [];
      const outcomes = [];
      for (const host of operated.hosts) {
        const file = fileWith(system, { [list]: [host] });
        const problems = configProblems(file);
        if (problems.length > 0) {
          said.push(problems);
          continue;
        }
        const outcome = operatedIn(await estateFor(file))?.outcome ?? "";
        const lines = outcome.includes(host) && outcome.startsWith("incomplete") ? [outcome] : [];
        said.push(lines);
        outcomes.push(lines);
      }
      answers(list, said);
      answers("outcome with a host left out", outcomes);
    },
    30_000,
  );

  const seenWith = (which: "right" | "wrong"): Seen[] =>
    system.looks(name, operated.expected).map((request) => ({
      request,
      look: {
        host: request.host,
        facts: { ...sample.facts[request.probe]?.[which], host: request.host },
        skewMs: 0,
      },
    }));

  it("looks at every member, and finds one that is wrong", () => {
    const looked = new Set(system.looks(name, operated.expected).map(({ host }) => host));
    expect(looked).toEqual(new Set(operated.hosts));
    answers("verify of a wrong host", [
      system.differences(name, operated.expected, seenWith("wrong"), () => "scripts"),
    ]);
  });

  it("describes what it saw in a line", () => {
    for (const seen of [...seenWith("right"), ...seenWith("wrong")]) {
      const line = system.describe(name, operated.expected, seen);
      expect(line).toMatch(/^\S.*\S$/);
      expect(line).not.toMatch(/undefined|\[object/);
    }
  });

  it("shows every one of its transitions, and its files end in its own folder", () => {
    expect(Object.values(system.examples).length).toBeGreaterThan(0);
    for (const { title, table } of Object.values(system.examples)) {
      expect(title).not.toBe("");
      expect(table.length).toBeGreaterThan(0);
    }
  });
});
