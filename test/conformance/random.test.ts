import { afterAll, beforeAll, expect, test } from "vitest";
import { Bench, local, planned } from "./bench.ts";
import type { WantedResource } from "./wanted.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterAll(() => bench.stop());

const resources = (goal: string): WantedResource[] => [
  { name: "id", type: "random.RandomId", args: { byteLength: 8, keepers: { goal, host: "same" } } },
  { name: "named", type: "random.RandomId", args: { byteLength: 4, prefix: "pair-" } },
  { name: "password", type: "random.RandomPassword", args: { length: 24, special: false, minNumeric: 3 } },
  { name: "string", type: "random.RandomString", args: { length: 9, upper: false, overrideSpecial: "_" } },
  { name: "integer", type: "random.RandomInteger", args: { min: 5, max: 6 } },
  { name: "bytes", type: "random.RandomBytes", args: { length: 6 } },
  local({ create: "true", triggers: [{ id: { $ref: "id.hex" } }] }, { name: "step" }),
];

const outputs = (name: string) => bench.stateOf(name)?.outputs ?? {};

test("random values have the shapes that were asked for, and stay", async () => {
  const { code, output } = await bench.up(...resources("slayer"));
  expect(code, output).toBe(0);
  const { hex, dec, b64Std, b64Url } = outputs("id");
  const bytes = Buffer.from(String(hex), "hex");
  expect([bytes.length, String(dec), String(b64Std), String(b64Url)]).toEqual([
    8,
    BigInt(`0x${String(hex)}`).toString(),
    bytes.toString("base64"),
    bytes.toString("base64url"),
  ]);
  expect(outputs("named").hex).toMatch(/^pair-[0-9a-f]{8}$/);
  expect(outputs("string").result).toMatch(/^[a-z0-9_]{9}$/);
  expect([5, 6]).toContain(outputs("integer").result);
  const again = await bench.up(...resources("slayer"));
  expect(again.output).toContain("8 unchanged");
});

test("passwords and bytes are secret in the state", async () => {
  const sealed = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
  expect(outputs("password").result).toMatchObject(sealed);
  expect(outputs("bytes").hex).toMatchObject(sealed);
  const { output } = await bench.project.pulumi(["stack", "export", "--show-secrets"]);
  const { deployment } = JSON.parse(output) as {
    deployment: { resources: { urn: string; outputs: { result: { plaintext: string } } }[] };
  };
  const password = deployment.resources.find(({ urn }) => urn.endsWith("::password"))?.outputs.result
    .plaintext;
  expect(JSON.parse(password ?? "")).toMatch(/^(?=(.*\d){3})[A-Za-z0-9]{24}$/);
});

test("a changed keeper makes a new value, unknown in the preview; its old one is named there by what changed", async () => {
  const before = outputs("id").hex;
  const plan = await bench.preview(...resources("megadeth"));
  expect(["id", "named", "step"].map((name) => planned(plan, name))).toEqual([
    "replace",
    undefined,
    "replace",
  ]);
  const step = plan.find(({ urn, op }) => urn.endsWith("::step") && op === "replace");
  expect(step?.newState?.inputs?.triggers).toEqual([{ id: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" }]);
  const { output } = await bench.project.pulumi(["preview", "--diff"]);
  expect(output).toContain('goal: "slayer" => "megadeth"');
  expect(output).not.toContain('"same" =>');
  const { code } = await bench.up(...resources("megadeth"));
  expect(code).toBe(0);
  expect(outputs("id").hex).not.toBe(before);
  expect(outputs("step").triggers).toEqual([{ id: outputs("id").hex }]);
});
