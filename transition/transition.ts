import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Member, TransitionArgs } from "./args.ts";
import { Hosts } from "./hosts.ts";
import type { Mark } from "./marks.ts";
import { Receipts } from "./receipts.ts";
import { refusalOf, Rows, toldOf } from "./rows.ts";
import { gate, localStep } from "./step.ts";
import type { RowFacts, Run, RunBook } from "./run-book.ts";
import { type Keepers, phasesOf, rowName } from "./table.ts";
import { isConditional, returnsOf, ToldSteps, usersOf } from "./told.ts";

const looks = "look at every host; refuse before anything is touched";

/** What people read of a transition, as inputs of its component: a preview shows what of it changes. */
function storyOf(args: TransitionArgs, told: ToldSteps): pulumi.Inputs {
  const { story, table, members } = args;
  const [users, returns] = [usersOf(table), returnsOf(table)];
  return {
    goal: told.goal,
    goalKeys: story.goal,
    hosts: [...members.keys()],
    ...(users ? { users } : {}),
    ...(returns.length > 0 ? { pointOfNoReturn: returns } : {}),
    rows: rowsOf(args),
    ...(story.kind === undefined ? {} : { kind: story.kind }),
    ...(story.moves === undefined ? {} : { moves: story.moves }),
    wayBack: story.wayBack,
    ...(story.needs?.length ? { needs: story.needs } : {}),
  };
}

/** By row what a reader asks of it and its step does not say. Rows of one name on two sets have the names of their steps. */
function rowsOf({ table, sets, keepers }: TransitionArgs): Record<string, RowFacts> {
  const names = table.map(rowName);
  const facts = table.flatMap((row, place): [string, RowFacts][] => {
    const name = rowName(row);
    const isShared = names.indexOf(name) !== names.lastIndexOf(name);
    const keys = isShared ? (sets?.[row.on] ?? []).map((host) => `${name}-${host}`) : [name];
    const fact = {
      place,
      phase: row.phase,
      deadlineSeconds: row.deadlineSeconds,
      ...(row.by === undefined && row.on in keepers ? { role: row.on } : {}),
      ...(isConditional(row) ? { conditional: true as const } : {}),
      ...(row.by === "platform" ? { says: toldOf(row) } : {}),
    };
    return keys.map((key) => [key, fact]);
  });
  return Object.fromEntries(facts);
}

/** Whether steps of the last phase have run for this id, by their triggers. */
const isDone = (id: pulumi.Output<string>, done: readonly remote.Command[]): pulumi.Output<boolean> =>
  pulumi.all([id, pulumi.all(done.map(({ triggers }) => triggers))]).apply(([hex, all]) =>
    all.every((triggers) => {
      // Undefined: a step that an update with `--target` has not made.
      const [shown] = (triggers ?? []) as readonly { readonly transition?: string }[];
      return shown?.transition === hex;
    }),
  );

/**
 * The run-book from any state to a goal, as resources: preflight, claim, the table's phases, done. The goal enters a
 * step through the keepers of the id alone, so a step on its own (`--target`, an edited table) finds nothing to do.
 */
export class Transition extends pulumi.ComponentResource {
  /** For example `sounz-switch`. */
  readonly name: string;
  readonly id: pulumi.Output<string>;
  /** Depend on it to come after the whole transition. */
  readonly finished: pulumi.Resource;
  /** Whether every host that is dialled has done it: an update with `--target` may end well without. */
  readonly complete: pulumi.Output<boolean>;
  readonly #args: TransitionArgs;
  readonly #hosts: Hosts;
  readonly #receipts = new Receipts();
  readonly #rows: Rows;
  readonly #told: ToldSteps;
  #before: pulumi.Resource[];

  constructor(args: TransitionArgs, opts: pulumi.ComponentResourceOptions) {
    const prefix = `${args.component}-${args.transition}`;
    const told = new ToldSteps(prefix, args);
    // A frozen transition keeps its goal, whatever the file says.
    super("changeover:index:Transition", prefix, storyOf(args, told), {
      ...opts,
      ...(args.frozen ? { ignoreChanges: ["goal"] } : {}),
    });
    this.#args = args;
    this.name = prefix;
    this.#told = told;
    this.#hosts = new Hosts(prefix, args);
    const id = new random.RandomId(
      `${prefix}-id`,
      { byteLength: 8, keepers: args.keepers },
      { parent: this, ignoreChanges: args.frozen ? ["keepers"] : [] },
    );
    this.id = id.hex;
    this.#before = [id, ...(args.after ?? [])];
    const keepers = id.keepers.apply((kept): Keepers => kept ?? {});
    this.#rows = new Rows({
      prefix,
      args,
      hosts: this.#hosts,
      receipts: this.#receipts,
      id: this.id,
      keepers,
      after: (resources) => this.#after(resources),
      tell: (step) => {
        told.add(step);
      },
    });

    this.#preflight(keepers);
    this.#phase(
      "claim",
      this.#hosts.reachable.map((member) => this.#claim(member)),
    );
    for (const [phase, rows] of phasesOf(args.table)) {
      this.#phase(
        phase,
        rows.flatMap((row) => this.#rows.declare(row)),
      );
    }
    const done = this.#hosts.reachable.map((member) => this.#done(member));
    this.complete = isDone(this.id, done);
    this.finished = gate(`${prefix}-done-gate`, {
      parent: this,
      dependsOn: done.length > 0 ? done : this.#before,
    });
    for (const member of this.#hosts.lost) this.#skipped(member);
    this.registerOutputs({ id: this.id });
  }

  /** Runs of it that were measured, with the one of this update when all of it has ended. */
  get runs(): pulumi.Output<readonly Run[]> {
    return this.#told.runs(this.id, this.complete);
  }

  /** What this update does for the goal; undefined: nothing. Only a preview asks, and nothing is dialled for it. */
  runBook(): Promise<RunBook | undefined> {
    return this.#told.runBook(this.id);
  }

  /** What a row said that runs on one host, by its script. */
  receipt(script: string): pulumi.Output<string> {
    return this.#receipts.of(script);
  }

  /** What is done on which host when it is complete. */
  get marks(): pulumi.Output<Mark>[] {
    const { component, transition, members } = this.#args;
    return [...members.keys()].map((host) => this.id.apply((id) => ({ host, component, transition, id })));
  }

  #preflight(keepers: pulumi.Output<Keepers>): void {
    const { create, stdin } = this.#args.preflight(keepers, this.id);
    const look = localStep(
      `${this.name}-preflight`,
      {
        create: refusalOf(this.#args) ?? create,
        stdin,
        triggers: this.#rows.triggers({ says: looks }),
      },
      // Every later step comes after this one, so the copies of all hosts are named here alone.
      this.#after(this.#hosts.copies),
    );
    this.#tell("preflight", "preflight", "operator", looks, look);
    this.#phase("preflight", [look]);
    this.#receipts.keep("preflight", look);
  }

  #claim({ host }: Member): pulumi.Resource {
    const { component, transition, stack, adopt, pauses } = this.#args;
    const line = pulumi
      .all([this.id, stack, this.#receipts.epoch])
      .apply(([id, owner, epoch]) => [
        ...(pauses ? ["--pauses", pauses] : []),
        ...[component, transition, id, owner, epoch, ...(adopt ? [adopt] : [])],
      ]);
    const says = `${host.name} belongs to this transition`;
    const step = this.#rows.onHost(`claim-${host.name}`, { host: host.name, file: "claim.sh", line, says });
    this.#tell("claim", `claim-${host.name}`, host.name, says, step);
    return step;
  }

  #done({ host }: Member): remote.Command {
    const { component, transition } = this.#args;
    const without = this.#hosts.lost.slice(0, 1).map((member) => member.host.name);
    const line = this.id.apply((id) => [component, transition, id, ...without]);
    const says = `${transition} is complete on ${host.name}`;
    const step = this.#rows.onHost(`done-${host.name}`, { host: host.name, file: "done.sh", line, says });
    this.#tell("done", `done-${host.name}`, host.name, says, step);
    return step;
  }

  /** Tell people of a step that every transition has. */
  #tell(
    phase: string,
    name: string,
    host: string,
    says: string,
    { stdout }: { readonly stdout: pulumi.Output<string> },
  ): void {
    const step = {
      name: `${this.name}-${name}`,
      row: phase,
      phase,
      host,
      says,
      left: stdout,
      receipt: stdout,
    };
    this.#told.add(step);
  }

  /** The preview's line for a host that nothing dials. */
  #skipped({ host: { name: host }, suspect }: Member): void {
    const triggers = { host, mode: `skipped: ${suspect ? "suspect" : "unreachable"}` };
    localStep(`${this.name}-skipped-${host}`, { triggers }, { parent: this });
  }

  /** Close a phase: with a gate, so that many steps of the next one don't depend on many of this. */
  #phase(name: string, resources: pulumi.Resource[]): void {
    if (resources.length > 1)
      this.#before = [gate(`${this.name}-${name}-gate`, { parent: this, dependsOn: resources })];
    else if (resources.length === 1) this.#before = resources;
    this.#receipts.close();
  }

  #after(resources: readonly pulumi.Resource[] = []): pulumi.CustomResourceOptions {
    return { parent: this, dependsOn: [...this.#before, ...resources] };
  }
}
