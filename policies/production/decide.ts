/** A line of the stack file, and the commit that wrote it. */
export interface Line {
  /** File and line: `Pulumi.prod.yaml:14`. */
  readonly place: string;
  /** Undefined: the line is in no commit. */
  readonly commit?: Commit;
}

export interface Commit {
  readonly id: string;
  /** What its trailer `Reason:` says; undefined when it has none. */
  readonly reason?: string;
}

/** A new production of a pair, and what speaks for it. */
export interface ProductionChange {
  readonly stack: string;
  readonly pair: string;
  readonly from: string;
  readonly to: string;
  /** The line that names the new production; undefined when the stack file has none. */
  readonly line: Line | undefined;
  /** Age of the last look at the stack, in milliseconds; undefined when no look is kept. */
  readonly lookAgeMs: number | undefined;
  /** A look that is older does not count, in milliseconds. */
  readonly lookValidMs: number;
}

const minutes = (ms: number): string => `${String(Math.ceil(ms / 60_000))} min`;

const stackFile = (stack: string): string => `Pulumi.${stack}.yaml`;

function origin(line: Line | undefined, stack: string): string {
  if (line === undefined) return `${stackFile(stack)} has no line for it`;
  if (line.commit === undefined) return `${line.place} is in no commit`;
  return `commit ${line.commit.id} wrote ${line.place} and has no trailer "Reason: …"`;
}

/** Why a change of production is refused; undefined when it has a reason, or was looked at just before. */
export function refusalOfProduction(change: ProductionChange): string | undefined {
  const { stack, pair, from, to, line, lookAgeMs, lookValidMs } = change;
  if (line?.commit?.reason !== undefined) return undefined;
  if (lookAgeMs !== undefined && lookAgeMs >= 0 && lookAgeMs <= lookValidMs) return undefined;
  return [
    `${pair}: production changes from ${from} to ${to} without a reason or a fresh look`,
    origin(line, stack),
    lookAgeMs === undefined ? "no look is kept" : `the last look is ${minutes(lookAgeMs)} old`,
    `allowed: a commit of that line with the trailer "Reason: …", or a look that is at most ${minutes(lookValidMs)} old`,
    `look now: npm run look -- --stack ${stack}`,
  ].join("\n");
}

/** A line that permits loss, such as `acceptDataLoss`. */
export interface AcceptedRisk {
  readonly stack: string;
  readonly pair: string;
  readonly key: string;
  readonly line: Line;
}

/** Why a line that permits loss is refused; undefined when its commit has a reason. A look is not enough for it. */
export function refusalOfRisk({ stack, pair, key, line }: AcceptedRisk): string | undefined {
  if (line.commit?.reason !== undefined) return undefined;
  const commit =
    line.commit === undefined ? `git commit ${stackFile(stack)}` : "git commit --amend --no-edit";
  return [
    `${pair}: ${key} is set without a reason in the commit`,
    origin(line, stack),
    'allowed: a commit of that line with the trailer "Reason: …"; a line that is no longer needed is removed',
    `commit it with its reason: ${commit} --trailer "Reason: …"`,
  ].join("\n");
}

/** What is refused when the state cannot be read, since a new production cannot be told from the old one then. */
export const refusalWithoutState = (pair: string, stack: string, reason: string): string =>
  [
    `${pair}: the state of ${stack} cannot be read, and a new production cannot be seen`,
    reason.trim(),
    `see what the CLI says: npx pulumi stack export --stack ${stack}`,
  ].join("\n");
