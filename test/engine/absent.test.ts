import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Project } from "../support/engine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { failed, ok } from "./two-hosts.ts";

describe("a host of the stack", () => {
  const project = new Project(join(import.meta.dirname, "estate", "index.ts"));
  const scenario = join(project.folder, "scenario.json");
  const sshds = new Map<string, Sshd>();
  const rootOf = (host: string) => join(project.folder, "hosts", host);
  /** What a pair left on record: the lock is taken by whoever takes the host out of service. */
  const record = () => join(rootOf("b"), "enginetest");
  project.env.SCENARIO = scenario;

  const config = (hosts: readonly string[], change: object = {}) => {
    const targets = hosts.map((name) => {
      const { host, port, user, hostKey, privateKeyPath } = sshds.get(name)!;
      const scriptsRoot = join(rootOf(name), "opt");
      return [name, { host, port, user, hostKey, privateKeyPath, sudo: false, scriptsRoot }];
    });
    const text = { hosts: Object.fromEntries(targets) as object, unreachable: [], absent: [], ...change };
    writeFileSync(scenario, JSON.stringify(text));
  };
  const dials = () => [...sshds.values()].reduce((sum, sshd) => sum + sshd.dials(), 0);
  const refusal =
    /Pulumi\.test\.yaml has 1 problem; nothing was touched:\n +changeover:hosts\.b: missing, but this stack still operates it; retire it first \(a new name is another host\): put it back, then: npx pulumi config set --path 'changeover:absent\[0\]' b; npx pulumi up/;

  beforeAll(async () => {
    for (const name of ["a", "b"]) {
      mkdirSync(rootOf(name), { recursive: true });
      sshds.set(name, await startSshd({ name, env: { CHANGEOVER_ROOT: rootOf(name) } }));
    }
    ok(await project.pulumi(["stack", "init", "test"]));
  });
  afterAll(async () => {
    for (const sshd of sshds.values()) await sshd.stop();
    project.remove();
  });

  it("is nobody's before the first update: a preview and an update of an empty stack are not refused", async () => {
    config(["a", "b"]);
    ok(await project.pulumi(["preview"]));
    ok(await project.up());
  });

  it("may not be dropped, in previews and updates, before anything is dialled", async () => {
    config(["a"]);
    const before = dials();
    for (const run of [await project.pulumi(["preview"]), await project.up()]) {
      failed(run);
      expect(run.output).toMatch(refusal);
      expect(run.output).not.toMatch(/\n\s+at /);
    }
    expect(dials()).toBe(before);
    ok(await project.pulumi(["refresh", "--yes"]));
  });

  it("may not be dropped while it could not be taken out of service", async () => {
    mkdirSync(join(record(), "lock"), { recursive: true });
    writeFileSync(join(record(), "claim"), "transition=switch\nid=1\nepoch=7\n");
    config(["a", "b"], { absent: ["b"] });
    failed(await project.up());
    config(["a"]);
    expect((await project.up()).output).toMatch(refusal);
  });

  it("is taken out of service by way of absent, once", async () => {
    rmSync(join(record(), "lock"), { recursive: true });
    config(["a", "b"], { absent: ["b"] });
    const run = await project.up();
    ok(run);
    expect(run.output).toContain("taking b out of pair enginetest");
    expect(existsSync(join(record(), "retired"))).toBe(true);
    const before = dials();
    ok(await project.up());
    expect(dials()).toBe(before);
  });

  it("may be dropped then", async () => {
    config(["a"]);
    ok(await project.up());
    const { resources } = await project.state();
    expect(resources.filter(({ urn }) => urn.includes("::b-"))).toEqual([]);
  });

  it("is refused under a new name, and goes with all others by a destroy", async () => {
    config([]);
    expect((await project.up()).output).toContain("changeover:hosts.a: missing");
    ok(await project.pulumi(["destroy", "--yes"]));
    config([]);
    ok(await project.up());
  });
});
