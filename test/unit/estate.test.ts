import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ignoredLocally, ignoredRemotely } from "../../transition/step.ts";
import { declaredIn } from "../support/declared.ts";
import type { Declared } from "../support/mocks.ts";
import { committedStack } from "../support/stack-file.ts";

const golden = join(import.meta.dirname, "keepers.json");

describe.each(["Pulumi.dev.yaml", "Pulumi.prod.yaml"])("the estate of %s", (file) => {
  let declared: readonly Declared[];
  beforeAll(async () => {
    declared = await declaredIn(file);
  }, 60_000);

  it("has the keepers of the golden file: another value starts every transition of every stack anew (finding 18)", () => {
    const ids = declared.filter(
      ({ type, inputs }) => type === "random:index/randomId:RandomId" && inputs.keepers,
    );
    const found = Object.fromEntries(ids.map(({ name, inputs }) => [name, inputs.keepers]));
    const all = JSON.parse(readFileSync(golden, "utf8")) as Record<string, unknown>;
    expect(found).toEqual(all[file]);
    for (const { inputs } of ids) {
      const keys = Object.keys(inputs.keepers as object);
      expect(keys).toEqual([...keys].sort());
    }
  });

  it("has the resources of the golden file: names, types, parents and triggers, words and releases of scripts apart", async () => {
    const lines = declared.map(({ type, parent, name, inputs }) => {
      const [first] = (inputs.triggers ?? []) as Record<string, unknown>[];
      const { says: _, release: __, ...decides } = typeof first === "object" ? first : {};
      const triggers =
        first === undefined ? "" : ` ${JSON.stringify(typeof first === "object" ? decides : first)}`;
      return `${type} ${parent}/${name}${triggers}`;
    });
    const text = `${lines.sort().join("\n")}\n`;
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, "resources", `${file}.txt`));
  });

  it("keeps connections, keys and passwords secret, and steps from ever being run by a destroy", () => {
    const steps = declared.filter(({ type }) => type === "command:remote:Command");
    expect(steps.length).toBeGreaterThan(10);
    for (const step of steps) {
      expect(step.secrets, step.name).toContain("connection");
      expect(step.retainOnDelete, step.name).toBe(true);
      expect(step.inputs.delete, step.name).toBeUndefined();
      expect(step.ignoreChanges, step.name).toEqual(ignoredRemotely);
      expect(JSON.stringify(step.inputs.triggers), step.name).not.toContain("AAAA");
    }
    for (const step of declared.filter(({ type }) => type === "command:local:Command")) {
      expect(
        ignoredLocally.every((input) => step.ignoreChanges.includes(input)),
        step.name,
      ).toBe(true);
    }
  });

  it("starts a phase only when every step of the phases before has ended (finding 13)", () => {
    const byName = new Map(declared.map((resource) => [resource.name, resource]));
    const reach = (name: string, seen = new Set<string>()): Set<string> => {
      for (const before of byName.get(name)?.dependsOn ?? []) {
        if (seen.has(before)) continue;
        seen.add(before);
        reach(before, seen);
      }
      return seen;
    };
    const before = reach("sounz-switch-takeover");
    for (const step of [
      "sounz-switch-preflight",
      "sounz-switch-claim-slayer",
      "sounz-switch-claim-megadeth",
      "sounz-switch-fence",
      "sounz-provision-done-slayer",
    ]) {
      expect(before, step).toContain(step);
    }
    expect(before).not.toContain("sounz-switch-follow");
    expect(reach("sounz-switch-fence")).not.toContain("sounz-switch-takeover");
  });
});

it("ignores every input that a step of the plugin has, but triggers (finding 2)", () => {
  const declaration = (file: string) =>
    readFileSync(join(import.meta.dirname, "..", "..", "node_modules", "@pulumi", "command", file), "utf8");
  const inputsOf = (text: string): string[] => {
    const args = /export interface CommandArgs \{([^]*?)\n\}/.exec(text)?.[1] ?? "";
    return [...args.matchAll(/^ {4}(\w+)\??:/gm)]
      .map(([, name]) => name ?? "")
      .filter((name) => name !== "triggers");
  };
  expect(inputsOf(declaration("remote/command.d.ts")).sort()).toEqual([...ignoredRemotely].sort());
  expect(inputsOf(declaration("local/command.d.ts")).sort()).toEqual([...ignoredLocally].sort());
});

describe("hosts in absent", () => {
  const without = (changes: Record<string, unknown>) =>
    declaredIn("Pulumi.dev.yaml", {
      hosts: { slayer: {}, megadeth: {} },
      pairs: {},
      appPools: {},
      sharedVolumes: {},
      caches: {},
      stagedUpgrades: {},
      absent: ["slayer", "megadeth"],
      ...changes,
    });
  const named = (declared: readonly Declared[], name: string) => declared.find((one) => one.name === name);

  it("are all looked at before one of them is taken out of service", async () => {
    const declared = await without({});
    for (const host of ["slayer", "megadeth"]) {
      expect(named(declared, `${host}-absent-retire`)?.dependsOn).toContain("absent-look-gate");
      expect(named(declared, "absent-look-gate")?.dependsOn).toContain(`${host}-absent-look`);
    }
  });

  it("are not dialled when they are unreachable too", async () => {
    const declared = await without({ unreachable: ["megadeth"] });
    expect(
      declared.filter(({ type, name }) => type.startsWith("command:remote") && name.includes("megadeth")),
    ).toEqual([]);
    expect(named(declared, "megadeth-absent-skipped")?.inputs.triggers).toEqual([
      { host: "megadeth", mode: "skipped: unreachable, so nothing is removed from it" },
    ]);
  });

  it("are looked at before a pair is touched, and go only when it has ended its transitions", async () => {
    const { pairs } = committedStack("Pulumi.dev.yaml") as { pairs: object };
    const more = { pairs, hosts: { slayer: {}, megadeth: {}, anthrax: {} }, absent: ["anthrax"] };
    const declared = await without(more);
    expect(named(declared, "sounz-provision-preflight")?.dependsOn).toContain("absent-look-gate");
    expect(named(declared, "anthrax-absent-retire")?.dependsOn).toContain("sounz-switch-done-gate");
    const emergency = await without({ ...more, unreachable: ["megadeth"] });
    expect(named(emergency, "sounz-switch-preflight")?.dependsOn).not.toContain("absent-look-gate");
  });
});
