import { systems } from "../../components/registry.ts";
import type { Example } from "../../components/system.ts";

/** Every transition there is, by its name beside its system. */
export const tables: Readonly<Record<string, Example>> = Object.fromEntries(
  systems.flatMap(({ examples }) => Object.entries(examples)),
);
