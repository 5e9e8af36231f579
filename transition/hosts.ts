import * as pulumi from "@pulumi/pulumi";
import type { Member, TransitionArgs } from "./args.ts";
import type { Row } from "./table.ts";

/** The hosts of one transition: its members, and witnesses that rows which only read may run on. */
export class Hosts {
  readonly #args: TransitionArgs;
  readonly #prefix: string;
  readonly #all: ReadonlyMap<string, Member>;

  constructor(prefix: string, args: TransitionArgs) {
    this.#args = args;
    this.#prefix = prefix;
    this.#all = new Map([...args.members, ...(args.witnesses ?? [])]);
  }

  /** @throws when no member and no witness has the name. */
  member(name: string): Member {
    const member = this.#all.get(name);
    if (!member)
      throw new Error(`${this.#prefix}: "${name}" is not a member (${[...this.#all.keys()].join(", ")})`);
    return member;
  }

  /** Members that something dials. */
  get reachable(): Member[] {
    return [...this.#args.members.values()].filter(({ unreachable }) => !unreachable);
  }

  get lost(): Member[] {
    return [...this.#args.members.values()].filter(({ unreachable }) => unreachable);
  }

  /** The copies of the scripts on all hosts. */
  get copies(): pulumi.Resource[] {
    return [...this.#all.values()].flatMap(({ scripts }) => scripts ?? []);
  }

  /** Names of the hosts that a row runs on, each by its own step; undefined: on the one that plays the row's role. */
  namesFor({ on }: Row): readonly string[] | undefined {
    if (on === "each") return this.reachable.map(({ host }) => host.name);
    return this.#args.sets?.[on]?.filter((name) => !this.member(name).unreachable);
  }

  /**
   * Whether the row is left out since the machine that plays its role is lost: where nothing new is begun there is
   * nothing to leave out. A fence, a drain, a proof can't be: `each` leaves out the machine, not the row.
   * @throws when the row must not be skipped.
   */
  isLeftOut(row: Row): boolean {
    if (row.by === "operator" || row.by === "platform") return false;
    const lost = this.lost.map(({ host }) => host.name);
    const together = row.on === "each" ? lost : this.#args.sets?.[row.on];
    const concerned = lost.filter((name) => together?.includes(name) ?? name === this.#args.keepers[row.on]);
    if (concerned.length === 0) return false;
    if (!row.mayBeSkipped && !this.#args.frozen)
      throw new Error(
        `${this.#prefix}: ${row.script} must not be skipped, but ${concerned.join(", ")} is in changeover:unreachable`,
      );
    return together === undefined;
  }

  /**
   * What is known of a host today: its address, its limits. Only that host is asked: of another one that this update makes, a preview
   * knows nothing yet, and would plan steps that then do not run.
   */
  ask<T>(host: pulumi.Input<string>, value: (member: Member) => pulumi.Input<T>): pulumi.Output<T> {
    const asked = (name: string) => value(this.member(name));
    return typeof host === "string"
      ? (pulumi.output(asked(host)) as pulumi.Output<T>)
      : (pulumi.output(host).apply(asked) as pulumi.Output<T>);
  }
}
