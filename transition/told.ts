import * as pulumi from "@pulumi/pulumi";
import type { TransitionArgs } from "./args.ts";
import { comparable, measuredRun, type Ran, withRun } from "./measure.ts";
import {
  goalBefore,
  goalOf,
  newHost,
  noticedOf,
  type Run,
  type RunBook,
  type RunBookStep,
  type UsersNotice,
  wasReached,
  workOf,
} from "./run-book.ts";
import { type Keepers, type Row, rowName, type Table } from "./table.ts";

/** A step as the program has declared it, with what people are told of it. */
export interface Told {
  /** The resource's name. */
  readonly name: string;
  readonly row: string;
  readonly phase: string;
  readonly host: pulumi.Input<string>;
  /** The host that the file names, for as long as the engine does not know it. */
  readonly wanted?: pulumi.Input<string>;
  readonly says: string;
  readonly pointOfNoReturn?: boolean;
  readonly conditional?: boolean;
  /** In a preview it is known only where the step is left as it is. */
  readonly left: pulumi.Output<unknown>;
  /** Undefined: it leaves none. */
  readonly receipt?: pulumi.Output<string>;
}

/** The steps of one transition, told in the order in which they are declared. */
export class ToldSteps {
  readonly #args: TransitionArgs;
  readonly #prefix: string;
  readonly #told: Told[] = [];

  constructor(prefix: string, args: TransitionArgs) {
    this.#prefix = prefix;
    this.#args = args;
  }

  add(step: Told): void {
    this.#told.push(step);
  }

  /** What people read of the goal, as inputs. */
  get goal(): Record<string, pulumi.Input<string>> {
    return goalOf(this.#args.keepers, this.#args.story.goal);
  }

  /** The runs to record once all steps have ended. @param complete whether they have, known only then. */
  runs(id: pulumi.Output<string>, complete: pulumi.Output<boolean>): pulumi.Output<readonly Run[]> {
    const { last, story, frozen } = this.#args;
    const before = last?.runs ?? [];
    // While a machine is lost the goal of the file is not the goal of the id.
    if (frozen) return pulumi.output(before);
    const receipts = this.#told.map(({ receipt, host }) => pulumi.all([receipt ?? "", host]));
    return pulumi.all([id, pulumi.all(receipts), this.goal, complete]).apply(([hex, left, goal, all]) => {
      if (!all) return before;
      const ran = this.#told.map(({ name, row }, index): Ran => {
        const [receipt = "", host = ""] = left[index] ?? [];
        return { step: this.#short(name), row, host, receipt };
      });
      const run = measuredRun({
        id: hex,
        goal,
        users: this.#users(),
        ran,
        ...(story.kind === undefined ? {} : { kind: story.kind }),
        ...(last?.id === hex ? { resumed: true as const } : {}),
        ...(last?.id === undefined ? { first: true as const } : {}),
      });
      return withRun(before, run);
    });
  }

  /** The run-book of this update; undefined when it does nothing for the transition. For a preview. */
  async runBook(id: pulumi.Output<string>): Promise<RunBook | undefined> {
    const { story, last, members, table, frozen, refuses } = this.#args;
    const steps = await Promise.all(this.#told.map(stepOf));
    if (!steps.some(({ planned }) => planned)) return undefined;
    const state = await this.#state(await known(id), steps);
    const names = steps.map(({ name }) => this.#short(name));
    return {
      name: this.#prefix,
      goal: frozen && last?.keepers ? goalOf(last.keepers, story.goal) : await knownGoal(this.goal),
      was: last && goalBefore(last, story.goal, state),
      wasReached: wasReached(this.#prefix, last),
      state,
      ...(refuses === undefined ? {} : { refuses }),
      users: state === "open" ? usersOf(table) : this.#users(),
      measured: comparable(last?.runs ?? [], story.kind, names),
      wayBack: story.wayBack,
      needs: story.needs ?? [],
      steps,
      skipped: [...members.values()]
        .filter(({ unreachable }) => unreachable)
        .map(({ host, suspect }) => `${host.name} is in changeover:${suspect ? "suspect" : "unreachable"}`),
    };
  }

  /** What users notice of the way from the goal of the state to that of the file. */
  #users(): UsersNotice | undefined {
    const { last, story, table, keepers } = this.#args;
    const reached = wasReached(this.#prefix, last);
    return noticedOf(usersOf(table), story.moves, { before: last?.keepers, now: keepers, reached });
  }

  /** What kind of work a preview has found, from the steps that say that a host is done. @param id unknown: a new goal. */
  async #state(id: string | undefined, steps: readonly RunBookStep[]): Promise<RunBook["state"]> {
    const { last, members, perMachine } = this.#args;
    const done = steps.filter(({ phase }) => phase === "done");
    const hosts = await Promise.all(
      done.map(async ({ name, host }) => {
        const ran = last?.steps.get(name);
        const machine = perMachine
          ? await known(members.get(host)?.host.identity ?? pulumi.output(""))
          : ran?.machine;
        // A machine that is not known yet is one that this update makes.
        return { isNew: ran === undefined || ran.machine !== machine, isDone: ran?.transition === id };
      }),
    );
    return workOf(id, hosts);
  }

  #short(name: string): string {
    return name.slice(this.#prefix.length + 1);
  }
}

/** A step as a preview knows it. */
export async function stepOf(told: Told): Promise<RunBookStep> {
  const host = (await known(pulumi.output(told.host))) ?? (await known(pulumi.output(told.wanted ?? "")));
  return {
    name: told.name,
    row: told.row,
    phase: told.phase,
    host: host === undefined || host === "" ? newHost : host,
    says: told.says,
    pointOfNoReturn: told.pointOfNoReturn ?? false,
    conditional: told.conditional ?? false,
    planned: (await known(told.left)) === undefined,
  };
}

/** What users notice, from the rows of a table; undefined: nothing. */
export function usersOf(table: Table): UsersNotice | undefined {
  const begins = table.find(({ usersNotice }) => usersNotice !== undefined);
  if (begins?.usersNotice === undefined) return undefined;
  const ends = table.findLast(({ usersServed }) => usersServed);
  return { notice: begins.usersNotice, from: rowName(begins), ...(ends ? { to: rowName(ends) } : {}) };
}

/** Whether a row runs only when something before it was bad, or was found to be needed. */
export const isConditional = ({ when }: Pick<Row, "when">): boolean => when !== undefined && !when([]);

/** The rows after which ending the update does not bring back what was before. */
export const returnsOf = (table: Table): string[] =>
  table.filter((row) => row.pointOfNoReturn && !row.dormant && !isConditional(row)).map(rowName);

async function knownGoal(goal: Record<string, pulumi.Input<string>>): Promise<Keepers> {
  const values = await Promise.all(
    Object.entries(goal).map(async ([key, value]) => [key, await known(pulumi.output(value))] as const),
  );
  return Object.fromEntries(
    values.filter((pair): pair is readonly [string, string] => pair[1] !== undefined),
  );
}

/** What a preview knows of an output; undefined: it is known only when the update runs. */
function known<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  // The SDK hides this promise in its types only; `apply` does not say that a value will never be known.
  const { isKnown } = output as unknown as { readonly isKnown: Promise<boolean> };
  return isKnown.then((is) => (is ? new Promise<T>((resolve) => output.apply(resolve)) : undefined));
}
