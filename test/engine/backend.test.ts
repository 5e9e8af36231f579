import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { hostKeyOf } from "../../platforms/aws/host-key.ts";
import { Project } from "../support/engine.ts";
import { failed, ok } from "./two-hosts.ts";

const project = new Project(join(import.meta.dirname, "..", ".."));
afterAll(() => {
  project.remove();
});

it("refuses a state that is kept on an operated host, before anything is declared", async () => {
  ok(await project.pulumi(["stack", "init", "test"]));
  const { publicKey: hostKey } = hostKeyOf(Buffer.alloc(32, 7).toString("base64"));
  const config = {
    "changeover:platform": "inventory",
    "changeover:hosts": { slayer: { address: "127.0.0.1", hostKey } },
  };
  writeFileSync(join(project.folder, "Pulumi.test.yaml"), stringify({ config }));
  const run = await project.pulumi(["preview"]);
  failed(run);
  expect(run.output).toMatch(
    /PULUMI_BACKEND_URL keeps the state in file:\/\/\S+, and this machine has 127\.0\.0\.1, the address of slayer, which the stack operates/,
  );
  expect(run.output).not.toMatch(/stackId|\n\s+at /);
});
