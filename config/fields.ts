import { z } from "zod";

/** What is allowed in a field, in words, for the message about a wrong value. */
export const allowedIn = z.registry<{ allowed: string }>();

/** A field with what is allowed in it and what it is for; editors show both, and its default. */
export function field<T extends z.ZodType>(schema: T, allowed: string, purpose: string): T {
  const described = schema.meta({ ...schema.meta(), description: purpose });
  allowedIn.add(described, { allowed });
  return described;
}

/** Of one line: hosts refuse control characters, so they are refused before a preview. */
export const text = (pattern: RegExp, allowed: string, purpose: string) =>
  field(z.string().regex(pattern).refine(hasNoControl), allowed, purpose);

const hasNoControl = (value: string): boolean => !/\p{Cc}|\u2028|\u2029/u.test(value);

/** A folder whose `install.sh` provisioning runs on each host, so that there is something to operate. */
export const softwareScript = (example: string, purpose: string) =>
  text(
    /^(?!-)\/?((?!\.\.?\/)[\w.@+-]+\/)*[A-Za-z0-9][\w.-]*$/,
    `the path of a folder with install.sh, from Pulumi.yaml, such as ${example}`,
    purpose,
  ).optional();

export const wholeNumber = (least: number, most: number, purpose: string) =>
  field(z.int().min(least).max(most), `a whole number from ${String(least)} to ${String(most)}`, purpose);

export const tcpPort = (purpose: string) => wholeNumber(1, 65535, purpose);

/** Names of the entries of a map: their pattern, and the same in words. */
export interface Names {
  readonly pattern: RegExp;
  readonly allowed: string;
  /** Why a name that fits the pattern is not allowed either; undefined: it is. */
  readonly taken?: (name: string) => string | undefined;
}

/** Names are checked by a rule: zod would look at no value whose name is wrong. */
export const mapOf = <Value extends z.ZodType>({ pattern, allowed }: Names, value: Value, purpose: string) =>
  field(
    z.record(z.string(), value).meta({ propertyNames: { pattern: pattern.source } }),
    "a map from names to settings",
    `${purpose} A name is ${allowed}.`,
  );

export const listOf = <Value extends z.ZodType>(value: Value, purpose: string) =>
  field(z.array(value), "a list", purpose);
