import { z } from "zod";
import { word } from "./draft.ts";
import { allowedIn } from "./fields.ts";
import { allowedWords, nearest, type Problem, shown } from "./problems.ts";

/** What is wrong with the shape of a stack file, beyond what zod says: the nearest key, and what is allowed in words. */
export function shapeProblems(
  schema: z.ZodType,
  raw: unknown,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  const problems = issues.flatMap((issue) => shapeProblem(schema, raw, issue));
  const meant = new Set(problems.map(({ path, meant: key }) => [...path.slice(0, -1), key].join("\0")));
  return problems.filter(({ path, missing }) => !missing || !meant.has(path.join("\0")));
}

interface ShapeProblem extends Problem {
  readonly missing?: boolean;
  /** The key that was probably meant. */
  readonly meant?: string;
}

function shapeProblem(schema: z.ZodType, raw: unknown, issue: z.core.$ZodIssue): ShapeProblem[] {
  const path = issue.path.map(String);
  const around = schemaAt(schema, path);
  if (issue.code === "unrecognized_keys") {
    const keys = around instanceof z.ZodObject ? Object.keys(around.shape) : [];
    return issue.keys.map((key) => ({
      path: [...path, key],
      text: `no such key; ${allowedWords(key, keys)}`,
      meant: nearest(key, keys),
    }));
  }
  const value = valueAt(raw, path);
  if (value === undefined) return [{ path, text: `missing; ${allowedText(around)}`, missing: true }];
  return [{ path, text: `${shown(value)} is not allowed; ${allowedText(around, value)}` }];
}

function allowedText(schema: z.ZodType | undefined, value?: unknown): string {
  if (schema instanceof z.ZodEnum) return allowedWords(word(value) ?? "", schema.options.map(String));
  return `allowed: ${(schema && allowedIn.get(schema)?.allowed) ?? "a map of settings"}`;
}

function valueAt(raw: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    raw,
  );
}

function schemaAt(schema: z.ZodType | undefined, path: readonly string[]): z.ZodType | undefined {
  const plain = unwrapped(schema);
  const [key, ...rest] = path;
  if (key === undefined) return plain;
  if (plain instanceof z.ZodObject) return schemaAt(plain.shape[key] as z.ZodType | undefined, rest);
  if (plain instanceof z.ZodRecord) return schemaAt(plain.valueType as z.ZodType, rest);
  if (plain instanceof z.ZodArray) return schemaAt(plain.element as z.ZodType, rest);
  return undefined;
}

function unwrapped(schema: z.ZodType | undefined): z.ZodType | undefined {
  const wrapped =
    schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault;
  return wrapped ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}
