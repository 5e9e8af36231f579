import { nameOf } from "../transition/open.ts";
import type { LastTransition, RanFor, Run } from "../transition/run-book.ts";
import type { Keepers } from "../transition/table.ts";

/** What is left of a resource. */
export interface Left {
  readonly type: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** What the last update left in the state: the outputs of the stack, and of each resource. */
export class LastState {
  readonly #byName: ReadonlyMap<string, Left>;

  constructor(resources: Readonly<Record<string, Left>>) {
    this.#byName = new Map(
      Object.entries(resources).map(([urn, left]) => [`${left.type} ${nameOf(urn)}`, left]),
    );
  }

  /** What the stack and its estate exported; empty when it was never updated. */
  get outputs(): Readonly<Record<string, unknown>> {
    const of = (type: string) => [...this.#byName].find(([key]) => key.startsWith(`${type} `))?.[1].outputs;
    return { ...of("pulumi:pulumi:Stack"), ...of("changeover:index:Estate") };
  }

  /** What is left of a transition, by its name. */
  transition(name: string): LastTransition {
    const steps = [...this.#byName].flatMap(([key, { type, outputs }]): [string, RanFor][] => {
      const step = key.slice(type.length + 1);
      const ranFor = step.startsWith(`${name}-`) ? ranForIn(outputs) : undefined;
      return ranFor === undefined ? [] : [[step, ranFor]];
    });
    const id = this.#byName.get(`random:index/randomId:RandomId ${name}-id`)?.outputs;
    const { runs } = (this.#byName.get("changeover:index:Measured measured")?.outputs ?? {}) as {
      readonly runs?: Readonly<Record<string, readonly Run[]>>;
    };
    return {
      steps: new Map(steps),
      id: id?.hex as string | undefined,
      keepers: id?.keepers as Keepers | undefined,
      runs: runs?.[name] ?? [],
    };
  }
}

function ranForIn({ triggers }: Left["outputs"]): RanFor | undefined {
  const [shown] = Array.isArray(triggers) ? (triggers as unknown[]) : [];
  const { transition, machine } = (shown ?? {}) as {
    readonly transition?: string;
    readonly machine?: string;
  };
  return transition === undefined ? undefined : { transition, machine };
}
