import { spawnSync } from "node:child_process";
import { remote } from "@pulumi/command";
import command from "@pulumi/command/package.json" with { type: "json" };
import { expect, test } from "vitest";
import project from "../../package.json" with { type: "json" };

test("the command package is 1.2.1: npm's latest, 4.5.0, is an older build with a wrong number", () => {
  expect(project.dependencies["@pulumi/command"]).toBe("1.2.1");
  expect(command.version).toBe("1.2.1");
  expect(remote.CopyToRemote).toBeTypeOf("function");
});

test("the Node from npm is one version on each kind of machine", () => {
  expect(new Set(Object.values(project.optionalDependencies)).size).toBe(1);
});

test("this Node prints an error whose stack names a file directly in node_modules, and ends", () => {
  const print = `
    const error = new Error("a program failed");
    error.stack = "Error: a program failed\\n    at file:///project/node_modules/one-file.js";
    console.log(require("node:util").inspect(error, { colors: true }));`;
  const { signal, stdout } = spawnSync(process.execPath, ["-e", print], { timeout: 5000, encoding: "utf8" });
  expect(signal, "killed at its time limit").toBeNull();
  expect(stdout).toContain("a program failed");
});
