import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { root } from "../../config/places.ts";
import { localProgram } from "../../transition/start.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-start-"));
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

it.each(["my app", "it's", 'a"b', "$HOME", "a;b", "a*b", "(a)"])(
  "a program of a checkout in the folder %j runs with its words",
  (name) => {
    mkdirSync(join(folder, name), { recursive: true });
    const file = join(folder, name, "program.mjs");
    writeFileSync(file, "console.log(JSON.stringify(process.argv.slice(2)))");
    // As the command plugin starts it.
    const said = execFileSync("/bin/sh", ["-c", localProgram(file, "one two", "$(x)")], { encoding: "utf8" });
    expect(JSON.parse(said)).toEqual(["one two", "$(x)"]);
  },
);

it("every command for the operator's machine is made by it", () => {
  const files = globSync("{components,transition,platforms}/**/*.ts", { cwd: root }).filter(
    (file) => file !== "transition/start.ts",
  );
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((file) => readFileSync(join(root, file), "utf8").includes("execPath"))).toEqual([]);
});
