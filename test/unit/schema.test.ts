import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { runBookSchemaFile, runBookSchemaText, schemaFile, stackSchemaText } from "../../tools/schema.ts";

it("docs/stack.schema.json is what tools/schema.ts writes", async () => {
  expect(readFileSync(schemaFile, "utf8")).toBe(await stackSchemaText());
});

it("docs/runbook.schema.json is what tools/schema.ts writes", async () => {
  expect(readFileSync(runBookSchemaFile, "utf8")).toBe(await runBookSchemaText());
});
