import { remote } from "@pulumi/command";
import command from "@pulumi/command/package.json" with { type: "json" };
import { expect, test } from "vitest";
import project from "../../package.json" with { type: "json" };

test("the command package is 1.2.1: npm's latest, 4.5.0, is an older build with a wrong number", () => {
  expect(project.dependencies["@pulumi/command"]).toBe("1.2.1");
  expect(command.version).toBe("1.2.1");
  expect(remote.CopyToRemote).toBeTypeOf("function");
});
