import { type Problem, shown } from "../../config/problems.ts";

/** What a stack says of its staged upgrades, as far as it decides who may leave. */
export interface OperatedUpgrade {
  readonly hosts: readonly string[];
  readonly main?: string;
}

/** The upgrades in the outputs of a stack; those of an older release do not say who their hosts are. */
export function upgradesIn(outputs: unknown): Readonly<Record<string, OperatedUpgrade>> {
  const { upgrades = {} } = (outputs ?? {}) as { upgrades?: Record<string, Partial<OperatedUpgrade>> };
  return Object.fromEntries(
    Object.entries(upgrades).map(([name, { hosts = [], main }]) => [name, { hosts, main }]),
  );
}

/** A main host that the file names, where the data is on another one: nothing here moves a database. */
export function mainsMoved(
  operated: Readonly<Record<string, OperatedUpgrade>>,
  wanted: Readonly<Record<string, { readonly main: string }>>,
): Problem[] {
  return Object.entries(wanted).flatMap(([name, { main }]): Problem[] => {
    const before = operated[name]?.main;
    if (before === undefined || before === main) return [];
    return [
      {
        path: ["stagedUpgrades", name, "main"],
        text: `${shown(main)}, but the main database is on ${before}, and no upgrade moves one; allowed: ${before}, which may be a new machine under that name, with the data on it`,
      },
    ];
  });
}
