import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keepersOf, phasesOf } from "../../transition/table.ts";
import { tables } from "../support/examples.ts";

const root = join(import.meta.dirname, "..", "..");
const scripts = join(root, "scripts");
const phaseOrder = (name: string) => phasesOf(tables[name]?.table ?? []).map(([phase]) => phase);

const switches = ["switch", "switch-carries", "switch-aws"];

describe("every transition", () => {
  const rows = Object.entries(tables).flatMap(([name, { table }]) => table.map((row) => ({ name, row })));

  it.each(rows.filter(({ row }) => (row.by ?? "host") === "host"))(
    "$name: $row.script is a file",
    ({ row }) => {
      const file = row.software ? join(root, row.script, "install.sh") : join(scripts, `${row.script}.sh`);
      expect(existsSync(file)).toBe(true);
    },
  );

  it("names every acting script of the pair", () => {
    const libraries = /\/lib[^/]*\.sh$/;
    const files = globSync("pair/*.sh", { cwd: scripts }).filter((file) => !libraries.test(file));
    // The watch of a machine acts by itself, with the lock that steps take; a timer copies; a person acts by hand; a
    // host goes out of service.
    const others = [
      "retire",
      "serve",
      "step-down",
      "cancel-fence",
      "sync",
      "snapshot",
      "check-copy-age",
      "by-hand",
    ].map((name) => `pair/${name}.sh`);
    const named = new Set([...rows.map(({ row }) => `${row.script}.sh`), ...others]);
    expect(files.filter((file) => !named.has(file))).toEqual([]);
  });

  it.each(rows)("$name: $row.script has a deadline and a sentence", ({ row }) => {
    expect(row.deadlineSeconds).toBeGreaterThan(0);
    expect(row.says).not.toBe("");
  });

  it("tells the runs of one script apart that meet on a host: a second call attaches to the first one's run", () => {
    for (const { table } of Object.values(tables)) {
      for (const row of table) {
        const same = table.filter(
          ({ phase, script, on }) => phase === row.phase && script === row.script && on === row.on,
        );
        const names = new Set(same.map(({ words }) => words?.({}, "host").at(-1)));
        expect(same.length === 1 || (row.beside && names.size === same.length), row.script).toBe(true);
      }
    }
  });

  it("fences the old production before the other one is promoted, and it gives up the address before that [004-063]", () => {
    for (const name of switches) {
      const order = phaseOrder(name);
      expect(order.indexOf("fence")).toBeGreaterThanOrEqual(0);
      expect(order.indexOf("fence")).toBeLessThan(order.indexOf("takeover"));
    }
  });

  it("moves the platform's address only after the promotion [004-065]", () => {
    const order = phaseOrder("switch-aws");
    expect(order.indexOf("address")).toBeGreaterThan(order.indexOf("takeover"));
  });

  it("writes the status file after the work that it stands for [004-144]", () => {
    for (const name of switches) {
      const order = phaseOrder(name).filter((phase) => phase !== "apart");
      expect(order.slice(-2)).toEqual(["status", "check"]);
    }
  });

  it("copies last when nothing changes any more, and before anything is promoted [004-130]", () => {
    const order = phaseOrder("switch-carries");
    expect(order.indexOf("near")).toBeLessThan(order.indexOf("fence"));
    const takeover = tables["switch-carries"]?.table.find(({ script }) => script === "pair/takeover");
    expect(takeover?.words?.({}, "megadeth")).toEqual(["files"]);
    expect(order.indexOf("services")).toBeGreaterThan(order.indexOf("takeover"));
  });

  it("names one point of no return, and lets no row of a switch be skipped", () => {
    for (const name of switches) {
      const table = tables[name]?.table ?? [];
      expect(table.filter((row) => row.pointOfNoReturn).map((row) => row.script)).toEqual(["pair/takeover"]);
      expect(table.filter((row) => row.mayBeSkipped)).toEqual([]);
    }
  });
});

describe("keepers of an id", () => {
  it("are flat, sorted and without empty values, so that a new default changes no id (finding 18)", () => {
    const before = keepersOf({ production: "slayer", primary: "slayer" });
    const after = keepersOf({ primary: "slayer", checksFrom: undefined, clients: "", production: "slayer" });
    expect(JSON.stringify(after)).toBe(JSON.stringify(before));
  });
});
