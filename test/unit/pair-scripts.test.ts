import { execFileSync } from "node:child_process";
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pairEntry } from "../../components/pair/config.ts";
import { aloneTable, switchTable } from "../../components/pair/table.ts";
import type { Table } from "../../transition/table.ts";

const scripts = join(import.meta.dirname, "..", "..", "scripts");
const everything = { files: true, services: true, checks: true, snapshot: true };
const options = { platformMovesAddress: false, checksFromHost: false, carried: everything };

/** Steps that a switch by hand leaves to the next update. */
const leftOut = ["pair/set-commit-mode", "pair/check-service", "pair/check-production"];
const status = "pair/write-status";

describe("a switch by hand", () => {
  let folder = "";

  /** The real command with --dry-run, on machine `self` of a pair that carries everything. */
  const stepsOf = (self: string, ...words: string[]): string[] => {
    const output = execFileSync(
      "bash",
      ["-c", 'exec bash "$0" "$@" 2>&1', join(folder, "pair", "by-hand.sh"), "sounz", ...words, "--dry-run"],
      {
        env: { ...process.env, SELF_OF_TEST: self },
        encoding: "utf8",
      },
    );
    return [...output.matchAll(/would run (.+)/g)].map(([, step = ""]) => `pair/${step}`);
  };

  /** Rows of a table in their order, as by-hand.sh would run them on the machine of that role. */
  const rowsOf = (table: Table, roles: Readonly<Record<string, string>>): string[] =>
    table
      .filter(({ script }) => script !== status && !leftOut.includes(script))
      .map((row) => [roles[row.on] ?? row.on, row.script, ...(row.words?.({}, "") ?? [])].join(" "));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-by-hand-"));
    mkdirSync(join(folder, "pair"));
    copyFileSync(join(scripts, "lib.sh"), join(folder, "lib.sh"));
    for (const file of ["by-hand.sh", "lib-by-hand.sh"])
      copyFileSync(join(scripts, "pair", file), join(folder, "pair", file));
    writeFileSync(join(folder, "pair", "show_pair.py"), "print(6)\n");
    writeFileSync(
      join(folder, "pair", "lib.sh"),
      `load_pair() { PAIR=$1 SELF=$SELF_OF_TEST PEER=peer PRIMARY=slayer; }\nrequire_own_cluster() { :; }\n`,
    );
    writeFileSync(
      join(folder, "pair", "lib-carried.sh"),
      "has_files() { :; }\ncarries() { :; }\nis_snapshot() { :; }\n",
    );
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("runs the rows of the switch in their order, and then writes the status", () => {
    const id = "by-hand-7-00ff";
    const parts = [
      ["megadeth", stepsOf("megadeth", "prepare")],
      ["slayer", stepsOf("slayer", "switch-to-standby")],
      ["megadeth", stepsOf("megadeth", "switch-to-production", id)],
      ["slayer", stepsOf("slayer", "follow", id)],
    ] as const;
    const steps = parts.flatMap(([self, part]) =>
      part.filter((step) => !step.startsWith(status)).map((step) => `${self} ${step}`),
    );
    const limit = String(pairEntry("local").shape.maxLagMiB.parse(undefined));
    const rows = rowsOf(switchTable(options), { production: "megadeth", standby: "slayer" });
    expect(steps).toEqual(rows.map((row) => (row.endsWith("pair/require-ready") ? `${row} ${limit}` : row)));
    expect(parts.map(([, part]) => part.at(-1))).toEqual([
      "pair/copy-files near",
      "pair/fence",
      `${status} standby_as_production`,
      `${status} production_as_standby`,
    ]);
  });

  it("runs the rows of an emergency in their order, and then writes the status", () => {
    const rows = rowsOf(aloneTable({ ...options, fencedBy: "nobody" }), { production: "megadeth" });
    const steps = stepsOf("megadeth", "alone").map((step) => `megadeth ${step}`);
    expect(steps).toEqual([
      // Its word is the receipt of a fence; by hand there is none.
      ...rows.map((row) => (row.endsWith("pair/serve-alone") ? `${row} none` : row)),
      `megadeth ${status} production_alone`,
    ]);
  });
});

describe("the version of PostgreSQL", () => {
  const version = readFileSync(join(scripts, "pair", "postgres-version"), "utf8").trim();

  it("is a number in one file", () => {
    expect(version).toMatch(/^\d+$/);
  });

  it("is in no other host script", () => {
    const inPath = new RegExp(
      `postgresql/${version}|postgresql(-client)?[-@]${version}|postgresql@${version}|cluster.* ${version} |/${version}/`,
    );
    const files = globSync("**/*", { cwd: scripts, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((file) => inPath.test(readFileSync(file, "utf8")))).toEqual([]);
  });
});
