import type * as pulumi from "@pulumi/pulumi";
import type { Host } from "../platforms/platform.ts";
import type { LastTransition } from "./run-book.ts";
import type { Keepers, Table } from "./table.ts";

/** A host as a component uses it: with its scripts, and whether the config says that nothing may dial it. */
export interface Member {
  readonly host: Host;
  readonly release: string;
  readonly scripts?: pulumi.Resource;
  readonly unreachable: boolean;
  /** It may answer, but no step runs on it, as on one that is unreachable. */
  readonly suspect?: boolean;
}

/** What runs on the machine that runs `up`: a command line and what it reads. */
export interface OperatorCommand {
  readonly create: string;
  readonly stdin: pulumi.Input<string>;
}

/** The receipt of a row with a verdict. */
export interface Verdict {
  readonly phase: string;
  readonly receipt: string;
}

/** What people read of a transition beside its steps. */
export interface Story {
  /** The keepers that say what is wanted, in the order of reading; nothing else of them is ever shown. `*.clients`: of any host. */
  readonly goal: readonly string[];
  /** How to get back to what was before, and until when. */
  readonly wayBack: string;
  /** What a person brings or decides before the update. */
  readonly needs?: readonly string[];
  /** The keeper whose change is what users notice: a goal that was reached and leaves it as it is takes nothing from them. */
  readonly moves?: string;
  /** Runs of another kind have the same steps and take another time: forward and back, on and off. */
  readonly kind?: string;
}

export interface TransitionArgs {
  /** The system that moves, for example `sounz`; records on the hosts stand under this name. */
  readonly component: string;
  /** For example `switch`. */
  readonly transition: string;
  /** The goal, as flat strings (`keepersOf`). A role of the table names its host here. */
  readonly keepers: Record<string, pulumi.Input<string>>;
  readonly table: Table;
  readonly story: Story;
  /** What the state said of it after the last update. */
  readonly last?: LastTransition;
  /** The hosts that the transition claims. */
  readonly members: ReadonlyMap<string, Member>;
  /** Members that a row may name together, by the word in its `on`. */
  readonly sets?: Readonly<Record<string, readonly string[]>>;
  /**
   * The identity of a machine stands in the triggers of its own steps, and not in the keepers: a machine more, or one
   * that is rebuilt, starts its own steps and no others.
   */
  readonly perMachine?: boolean;
  /** Hosts that rows with `reads` may run on besides. */
  readonly witnesses?: ReadonlyMap<string, Member>;
  /** A transition of the component that comes later: it goes on, if it is open, when this one is done. */
  readonly pauses?: string;
  /** What must be finished before. */
  readonly after?: readonly pulumi.Resource[];
  /** The id of the stack, which operates these hosts alone. */
  readonly stack: pulumi.Output<string>;
  /** The id of another stack whose hosts are taken over on purpose. */
  readonly adopt?: string;
  /** The read-only look that refuses before anything is touched; the tail of its receipt has the `epoch`. */
  readonly preflight: (keepers: pulumi.Output<Keepers>, id: pulumi.Output<string>) => OperatorCommand;
  /** Limits and addresses of a script's host: they reach the script but never decide whether it runs. */
  readonly settings?: Readonly<Record<string, (host: string) => pulumi.Input<readonly string[]>>>;
  readonly secrets?: Readonly<Record<string, pulumi.Output<string>>>;
  /** Keep the id of the state whatever the config says: while a machine is lost, nothing new is begun. */
  readonly frozen?: boolean;
  /** Why nothing of it goes on: whatever is still to run fails with these words, before anything is dialled for it. */
  readonly refuses?: string;
  /** What rows with `by: "operator"` and `by: "platform"` declare, by script. A command is told what was seen before. */
  readonly commands?: Readonly<
    Record<
      string,
      (
        keepers: pulumi.Output<Keepers>,
        preflight: pulumi.Output<string>,
        verdicts: pulumi.Output<readonly Verdict[]>,
      ) => OperatorCommand
    >
  >;
  readonly moves?: Readonly<
    Record<
      string,
      (name: string, host: pulumi.Output<string>, opts: pulumi.CustomResourceOptions) => pulumi.Resource
    >
  >;
}
