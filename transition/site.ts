import * as pulumi from "@pulumi/pulumi";
import type { LastState } from "../config/last-state.ts";
import type { Platform } from "../platforms/platform.ts";
import type { Mark } from "./marks.ts";
import { preflightOf, type PreflightOrder, type Probe } from "./preflight.ts";
import type { Keepers } from "./table.ts";
import type { Member, OperatorCommand, TransitionArgs } from "./args.ts";
import { Transition } from "./transition.ts";

/** What became of one entry of the stack file: what other systems, the outputs and the tools know of it. */
export interface Operated<Expected = unknown> {
  /** Its members. */
  readonly hosts: readonly string[];
  /** What is done on which host, of all its transitions. */
  readonly marks: readonly pulumi.Input<Mark>[];
  /** Depend on these to come after all of it. */
  readonly finished: readonly pulumi.Resource[];
  /** Whether anything is left out, in words. */
  readonly outcome: string;
  /** What `npm run verify` compares the hosts with. */
  readonly expected: pulumi.Input<Expected>;
  /** What the stack exports of it, by output. */
  readonly outputs?: Readonly<Record<string, pulumi.Input<unknown>>>;
  /** Of these outputs, what they say once all of its transitions have ended, and until then. */
  readonly reached?: Readonly<Record<string, { readonly ended: object; readonly before: object }>>;
  /** What another system that needs it is given. */
  readonly provides?: unknown;
}

/**
 * What becomes of a transition while one of its members is lost. `alone`: it is the way to do without that member.
 * `leave out`: it goes on with the others. `freeze`: it stays as it is. `refuse`: the same, and an open one fails.
 */
export type WhenLost = "alone" | "leave out" | "freeze" | "refuse";

/** How the look before a transition is decided. */
export interface Decide {
  /** The file that exports `deciders`: pure, since each preflight is a process of its own that loads it. */
  readonly in: string;
  /** Which of them. */
  readonly kind: string;
  /** What it is told beside who asks. */
  readonly wanted?: (keepers: Keepers) => pulumi.Input<object>;
  readonly probe: (host: string, wanted: Readonly<Record<string, unknown>>) => Probe;
  /** Who is looked at; left out: all members. */
  readonly hosts?: readonly string[];
  /** How long a host may take to answer, which may ask others in its turn. */
  readonly seconds?: number;
}

type Given = Omit<
  TransitionArgs,
  "members" | "witnesses" | "stack" | "adopt" | "preflight" | "frozen" | "refuses" | "last"
>;

export interface SiteTransitionArgs extends Given {
  readonly hosts: readonly string[];
  /** Hosts that rows which only read may run on besides. */
  readonly witnesses?: readonly string[];
  readonly decide: Decide;
  readonly whenLost: WhenLost;
  /** What a person does when `refuse` holds everything. */
  readonly cure?: string;
}

/** What the config says of the whole estate. */
export interface SiteArgs {
  readonly platform: Platform;
  readonly members: ReadonlyMap<string, Member>;
  /** The stack's own id; hosts that another stack operates are refused. */
  readonly stack: pulumi.Output<string>;
  readonly adopt?: string;
  /** Hosts that no step runs on, in either list; and those of them that may still answer. */
  readonly unreachable: readonly string[];
  readonly suspect: readonly string[];
  /** What must be finished before anything is touched; an emergency waits for nothing. */
  readonly after: readonly pulumi.Resource[];
  /** What the last update left in the state; undefined: nobody asked. */
  readonly last?: LastState;
  /** Declares an entry of a system, once, whoever asks first. */
  readonly use: (key: string, name: string, extra?: unknown) => Operated;
  /** The entries of a system, by name. */
  readonly entries: (key: string) => Readonly<Record<string, unknown>>;
}

/** What every component is given: the hosts of the estate, and one way to declare a transition on them. */
export class Site {
  readonly platform: Platform;
  readonly unreachable: readonly string[];
  readonly suspect: readonly string[];
  readonly after: readonly pulumi.Resource[];
  /** What the stack exported at its last update. */
  readonly last: unknown;
  readonly use: SiteArgs["use"];
  readonly entries: SiteArgs["entries"];
  /** All transitions so far: each is declared after those that it follows. */
  readonly transitions: Transition[] = [];
  readonly #args: SiteArgs;

  constructor(args: SiteArgs) {
    this.#args = args;
    this.platform = args.platform;
    this.unreachable = args.unreachable;
    this.suspect = args.suspect;
    this.after = args.after;
    this.last = args.last?.outputs;
    this.use = args.use;
    this.entries = args.entries;
  }

  /** @throws pulumi.RunError when the file has no such host, which its rules have refused. */
  member(name: string): Member {
    const member = this.#args.members.get(name);
    if (!member) throw new pulumi.RunError(`${name} is not a host of this stack`);
    return member;
  }

  isLost(name: string): boolean {
    return this.member(name).unreachable;
  }

  /** The machines behind the names, as keepers: a rebuilt one is another. */
  machines(hosts: readonly string[]): Record<string, pulumi.Output<string>> {
    return Object.fromEntries(hosts.map((name) => [`machine.${name}`, this.member(name).host.identity]));
  }

  /** What must exist before hosts are dialled. */
  ready(hosts: readonly string[]): pulumi.Resource[] {
    return hosts.flatMap((name) => [...this.member(name).host.ready]);
  }

  /** What an update leaves out of an entry while members of it are lost. */
  outcome(hosts: readonly string[], leaves: string): string {
    const lost = hosts.filter((name) => this.isLost(name));
    return lost.length === 0 ? "complete" : `incomplete: ${this.#lostWhere(lost)}; ${leaves}`;
  }

  /** Declare the run-book of one goal, with the look before it. */
  transition(args: SiteTransitionArgs, opts: pulumi.ComponentResourceOptions): Transition {
    const { hosts, witnesses = [], decide: _, whenLost, cure, ...given } = args;
    const { stack, adopt } = this.#args;
    const lost = hosts.filter((name) => this.isLost(name));
    const frozen = lost.length > 0 && (whenLost === "freeze" || whenLost === "refuse");
    const stays = `${args.component}: ${args.transition} stays as it is while ${this.#lostWhere(lost)}`;
    if (frozen) void pulumi.log.warn(stays);
    const declared = new Transition(
      {
        ...given,
        last: this.#args.last?.transition(`${args.component}-${args.transition}`),
        stack,
        adopt,
        members: this.#named(hosts),
        witnesses: this.#named(witnesses),
        frozen,
        refuses:
          frozen && whenLost === "refuse"
            ? [stays, ...(cure === undefined ? [] : [cure])].join("; ")
            : undefined,
        preflight: (keepers) => this.#preflight(args, keepers),
      },
      opts,
    );
    this.transitions.push(declared);
    return declared;
  }

  #named(hosts: readonly string[]): ReadonlyMap<string, Member> {
    return new Map(hosts.map((name) => [name, this.member(name)]));
  }

  #lostWhere(hosts: readonly string[]): string {
    return hosts
      .map((name) => `${name} is in changeover:${this.suspect.includes(name) ? "suspect" : "unreachable"}`)
      .join(" and ");
  }

  #preflight(
    { component, transition, hosts, decide }: SiteTransitionArgs,
    keepers: pulumi.Output<Keepers>,
  ): OperatorCommand {
    const { stack, adopt } = this.#args;
    const order = pulumi.all([keepers, stack]).apply(([kept, owner]) =>
      pulumi.output(decide.wanted?.(kept) ?? {}).apply((more): PreflightOrder => ({
        in: decide.in,
        kind: decide.kind,
        wanted: { component, transition, stack: owner, adopt, ...more },
      })),
    );
    return preflightOf(
      (decide.hosts ?? hosts).map((name) => this.member(name)),
      order,
      (host, { wanted }) => decide.probe(host, wanted),
      decide.seconds,
    );
  }
}
