import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { localProgram, lookOf } from "./start.ts";
import type { Member, OperatorCommand } from "./args.ts";

const program = join(import.meta.dirname, "run", "preflight.ts");

/** A program of the scripts that describes a host, without `.py`, and its words. */
export type Probe = readonly [script: string, ...words: string[]];

/** What is decided: by which decider of which file, and what it is told. */
export interface PreflightOrder {
  /** The file that exports `deciders`. */
  readonly in: string;
  readonly kind: string;
  readonly wanted: Readonly<Record<string, unknown>>;
}

/**
 * The look before a transition: a probe on each machine that something dials, and what decides from all of them.
 *
 * @param order what is decided, which is told to each probe as well.
 * @param seconds that a probe may take which asks others in its turn; a host that does not answer is told sooner.
 */
export function preflightOf(
  members: readonly Member[],
  order: pulumi.Output<PreflightOrder>,
  probe: (host: string, order: PreflightOrder) => Probe,
  seconds?: number,
): OperatorCommand {
  const reachable = members.filter(({ unreachable }) => !unreachable);
  const targets = pulumi.all(reachable.map(({ host }) => host.ssh));
  const stdin = order.apply((told) =>
    targets.apply((all) => {
      const looks = all.map((target, index) => {
        const { host, release } = reachable[index] as Member;
        const [script, ...words] = probe(host.name, told);
        return { host: host.name, target, seconds, command: lookOf(target, release, script, words) };
      });
      return JSON.stringify({ ...told, looks });
    }),
  );
  return { create: localProgram(program), stdin };
}
