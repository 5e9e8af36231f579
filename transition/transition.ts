import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Host } from "../platforms/platform.ts";
import { quoted, scriptsOn, startOf } from "./start.ts";
import type { Mark } from "./marks.ts";
import { installOf, readSoftware } from "./software.ts";
import { gate, localStep, remoteStep, softwareCopy } from "./step.ts";
import { badOf, epochOf, receiptLine, withTail } from "./receipt.ts";
import { type Keepers, notNeeded, phasesOf, type Row, rowName, type Table } from "./table.ts";

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

export interface TransitionArgs {
  /** The system that moves, for example `sounz`; records on the hosts stand under this name. */
  readonly component: string;
  /** For example `switch`. */
  readonly transition: string;
  /** The goal, as flat strings (`keepersOf`). A role of the table names its host here. */
  readonly keepers: Record<string, pulumi.Input<string>>;
  readonly table: Table;
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

/**
 * The run-book from any state to a goal, as resources: preflight, claim, the table's phases, done. The goal enters a
 * step through the keepers of the id alone, so a step on its own (`--target`, an edited table) finds nothing to do.
 */
export class Transition extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  /** Depend on it to come after the whole transition. */
  readonly finished: pulumi.Resource;
  readonly #args: TransitionArgs;
  readonly #prefix: string;
  readonly #keepers: pulumi.Output<Keepers>;
  /** Members and witnesses. */
  readonly #hosts: ReadonlyMap<string, Member>;
  /** What rows said, by script; of many hosts, the last one. */
  readonly #receipts = new Map<string, pulumi.Output<string | undefined>>();
  /** Of the phases that are closed, and of the one that is not. */
  readonly #verdicts: pulumi.Output<Verdict>[] = [];
  readonly #pending: pulumi.Output<Verdict>[] = [];
  readonly #epoch: pulumi.Output<string>;
  #before: pulumi.Resource[];

  constructor(args: TransitionArgs, opts: pulumi.ComponentResourceOptions) {
    const prefix = `${args.component}-${args.transition}`;
    super("changeover:index:Transition", prefix, {}, opts);
    this.#args = args;
    this.#prefix = prefix;
    this.#hosts = new Map([...args.members, ...(args.witnesses ?? [])]);
    const id = new random.RandomId(
      `${prefix}-id`,
      { byteLength: 8, keepers: args.keepers },
      { parent: this, ignoreChanges: args.frozen ? ["keepers"] : [] },
    );
    this.id = id.hex;
    this.#keepers = id.keepers.apply((keepers): Keepers => keepers ?? {});
    this.#before = [id, ...(args.after ?? [])];

    this.#epoch = this.#preflight();
    this.#phase(
      "claim",
      this.#reachable().map((member) => this.#claim(member)),
    );
    for (const [phase, rows] of phasesOf(args.table)) {
      this.#phase(
        phase,
        rows.flatMap((row) => this.#row(row)),
      );
    }
    const done = this.#reachable().map((member) => this.#done(member));
    this.finished = gate(`${prefix}-done-gate`, {
      parent: this,
      dependsOn: done.length > 0 ? done : this.#before,
    });
    for (const member of args.members.values()) if (member.unreachable) this.#skipped(member);
    this.registerOutputs({ id: this.id });
  }

  /** What a row said that runs on one host, by its script. */
  receipt(script: string): pulumi.Output<string> {
    const said = this.#receipts.get(script) ?? pulumi.output("none");
    return said.apply((receipt) => receipt ?? "none");
  }

  /** What is done on which host when it is complete. */
  get marks(): pulumi.Output<Mark>[] {
    const { component, transition, members } = this.#args;
    return [...members.keys()].map((host) => this.id.apply((id) => ({ host, component, transition, id })));
  }

  #preflight(): pulumi.Output<string> {
    const { create, stdin } = this.#args.preflight(this.#keepers, this.id);
    const look = localStep(
      `${this.#prefix}-preflight`,
      {
        create: this.#refusal() ?? create,
        stdin,
        triggers: this.#triggers({ says: "look at every host; refuse before anything is touched" }),
      },
      // Every later step comes after this one, so the copies of all hosts are named here alone.
      this.#after([...this.#hosts.values()].flatMap(({ scripts }) => scripts ?? [])),
    );
    this.#phase("preflight", [look]);
    return this.#said("preflight", look).apply(epochOf);
  }

  #claim({ host }: Member): pulumi.Resource {
    const { component, transition, stack, adopt } = this.#args;
    const words = pulumi
      .all([this.id, stack, this.#epoch])
      .apply(([id, owner, number]) => [
        ...[component, transition, id, owner, number],
        ...(adopt ? [adopt] : []),
      ]);
    return this.#declare(`claim-${host.name}`, host.name, "claim.sh", words, {
      says: `${host.name} belongs to this transition`,
    });
  }

  #done({ host }: Member): pulumi.Resource {
    const without = [...this.#args.members.values()].find(({ unreachable }) => unreachable)?.host.name;
    const words = this.id.apply((id) => [
      ...[this.#args.component, this.#args.transition, id],
      ...(without === undefined ? [] : [without]),
    ]);
    return this.#declare(`done-${host.name}`, host.name, "done.sh", words, {
      says: `${this.#args.transition} is complete on ${host.name}`,
    });
  }

  /** The resources of one row: one for a role, one a member for `each` and for a set. */
  #row(row: Row): pulumi.Resource[] {
    if (this.#isLeftOut(row)) return [];
    const hosts = row.on === "each" ? this.#reachable().map(({ host }) => host.name) : this.#set(row);
    if (hosts) return hosts.map((host) => this.#rowOn(row, `${rowName(row)}-${host}`, host));
    const host = this.#keepers.apply((keepers) => keepers[row.on] ?? "");
    return [this.#rowOn(row, rowName(row), host)];
  }

  #set(row: Row): readonly string[] | undefined {
    return this.#args.sets?.[row.on]?.filter((host) => !this.#member(host).unreachable);
  }

  #rowOn(row: Row, name: string, host: pulumi.Input<string>): pulumi.Resource {
    const words = pulumi
      .all([this.#keepers, host])
      .apply(([keepers, on]) => [...(row.words?.(keepers, on) ?? [])]);
    const shown = row.words ? words : undefined;
    const says = row.pointOfNoReturn ? `${row.says} (point of no return)` : row.says;
    const when = this.#when(row);
    if (row.by === "operator") return this.#operator(row, name, shown, says, when);
    if (row.by === "platform") return this.#move(row, name, pulumi.output(host));
    const { component, transition } = this.#args;
    const taken = row.takes === undefined ? [] : [this.receipt(row.takes)];
    const software = row.software ? this.#software(row, host) : undefined;
    const line = pulumi
      .all([words, this.#settings(row, host), this.id, pulumi.all(taken)])
      .apply(([goal, settings, id, receipts]) => [
        ...(row.beside ? ["--beside"] : []),
        ...(row.reads
          ? []
          : [component, transition, id, String(row.deadlineSeconds), software?.script ?? row.script]),
        ...[component, ...(row.limits ?? []), ...goal, ...settings, ...receipts],
      ]);
    const step = this.#declare(
      name,
      host,
      row.reads ? `${row.script}.sh` : "step.sh",
      line,
      { says },
      shown,
      row.stdin,
      when,
      software?.copies,
    );
    const said = this.#said(row.script, step);
    if (row.verdict)
      this.#pending.push(said.apply((receipt) => ({ phase: row.phase, receipt: receipt ?? "" })));
    return step;
  }

  /** Whether the row is needed, as soon as what was judged before it is known. */
  #when({ when }: Row): pulumi.Output<boolean> | undefined {
    return when && pulumi.all([...this.#verdicts]).apply((verdicts) => when(badPhases(verdicts)));
  }

  /** Keep the receipt of a row: with a tail, also when a release ran it that knew of none. */
  #said(script: string, { stdout }: { stdout: pulumi.Output<string> }): pulumi.Output<string | undefined> {
    const receipt = stdout.apply((said: string | undefined) => (said === undefined ? said : withTail(said)));
    this.#receipts.set(script, receipt);
    return receipt;
  }

  #settings(row: Row, host: pulumi.Input<string>): pulumi.Output<string[]> {
    const settings = this.#args.settings?.[row.script];
    if (!settings) return pulumi.output([]);
    return this.#ofHost(host, (member) => settings(member.host.name)).apply((words) => [...words]);
  }

  #operator(
    row: Row,
    name: string,
    words: pulumi.Output<string[]> | undefined,
    says: string,
    when: pulumi.Output<boolean> | undefined,
  ): pulumi.Resource {
    const declared = this.#args.commands?.[row.script];
    if (!declared)
      throw new Error(`${this.#prefix}: row ${row.script} is run by the operator, but has no command`);
    const { create, stdin } = declared(
      this.#keepers,
      this.receipt("preflight"),
      pulumi.all([...this.#verdicts]),
    );
    const step = localStep(
      `${this.#prefix}-${name}`,
      {
        create: pulumi.output(when ?? true).apply((needed) => (needed ? create : undefined)),
        stdin,
        triggers: this.#triggers({ says }, words, undefined, when),
      },
      this.#after(),
    );
    this.#said(row.script, step);
    return step;
  }

  #move(row: Row, name: string, host: pulumi.Output<string>): pulumi.Resource {
    const move = this.#args.moves?.[row.script];
    if (!move)
      throw new Error(
        `${this.#prefix}: row ${row.script} is the platform's, but the platform has no such move`,
      );
    const moved = move(`${this.#prefix}-${name}`, host, this.#after());
    const receipt = pulumi
      .all([moved.urn, this.#epoch])
      .apply(([, epoch]) => receiptLine(`done by the platform, epoch ${epoch}`, 0, { epoch }));
    this.#receipts.set(row.script, receipt);
    return moved;
  }

  #declare(
    name: string,
    host: pulumi.Input<string>,
    script: string,
    line: pulumi.Output<string[]>,
    shown: Record<string, string>,
    words?: pulumi.Output<string[]>,
    secret?: string,
    when?: pulumi.Output<boolean>,
    copies: readonly pulumi.Resource[] = [],
  ): command.remote.Command {
    const ssh = this.#ofHost(host, (member) => member.host.ssh);
    const create = pulumi.all([ssh, host, line, when ?? true]).apply(([target, on, argv, wanted]) => {
      if (!wanted) return undefined;
      const refusal = this.#refusal();
      if (refusal !== undefined) return refusal;
      const release = this.#member(on).release;
      return [startOf(target), `${scriptsOn(target, release)}/${script}`, ...argv.map(quoted)].join(" ");
    });
    const triggers = this.#triggers(shown, words, host, when);
    const stdin = secret === undefined ? undefined : this.#args.secrets?.[secret];
    return remoteStep(`${this.#prefix}-${name}`, { ssh, create, triggers, stdin }, this.#after(copies));
  }

  /** The folder of the project that a row runs, and its copy on the host that runs it; only hosts that need it have one. */
  #software({ script }: Row, host: pulumi.Input<string>) {
    if (typeof host !== "string")
      throw new Error(`${this.#prefix}: software ${script} runs on \`each\` alone`);
    const software = readSoftware(script, pulumi.getRootDirectory());
    const { host: machine, scripts } = this.#member(host);
    return { script: installOf(software), copies: [softwareCopy(machine, software, scripts)] };
  }

  #refusal(): string | undefined {
    const { refuses } = this.#args;
    return refuses && `printf '%s\\n' ${quoted(`refused: ${refuses}`)} >&2; exit 77`;
  }

  /**
   * What is known of a host today: its address, its limits. A host that is known here is asked alone, since each of
   * many hosts that asked all of them would cost the square of their number.
   */
  #ofHost<T>(host: pulumi.Input<string>, value: (member: Member) => pulumi.Input<T>): pulumi.Output<T> {
    if (typeof host === "string") return pulumi.output(value(this.#member(host))) as pulumi.Output<T>;
    const all = Object.fromEntries([...this.#hosts].map(([name, member]) => [name, value(member)]));
    return pulumi.all([host, pulumi.all(all)]).apply(([name, values]) => {
      return values[this.#member(name).host.name] as T;
    });
  }

  #member(name: string): Member {
    const member = this.#hosts.get(name);
    if (!member)
      throw new Error(`${this.#prefix}: "${name}" is not a member (${[...this.#hosts.keys()].join(", ")})`);
    return member;
  }

  /**
   * Identities of all members stand in the keepers, so the id speaks for every host that a step is about. Each value
   * is an output of its own: the preview shows all of them but the id. A row that is not needed is the same from
   * transition to transition: each step that is replaced costs four writes of the whole state.
   */
  #triggers(
    shown: Record<string, string>,
    words?: pulumi.Output<string[]>,
    host?: pulumi.Input<string>,
    when?: pulumi.Output<boolean>,
  ): Record<string, pulumi.Input<string>> {
    const ifNeeded = (value: pulumi.Output<string>) =>
      when ? pulumi.all([value, when]).apply(([text, needed]) => (needed ? text : notNeeded)) : value;
    return {
      ...shown,
      ...(host ? { host } : {}),
      ...(host && this.#args.perMachine
        ? { machine: this.#ofHost(host, (member) => member.host.identity) }
        : {}),
      ...(words ? { words: ifNeeded(words.apply((goal) => goal.join(" "))) } : {}),
      transition: ifNeeded(this.id),
    };
  }

  /**
   * Whether the row is left out since the machine that plays its role is lost: where nothing new is begun there is
   * nothing to leave out. A fence, a drain, a proof can't be: `each` leaves out the machine, not the row.
   * @throws when the row must not be skipped.
   */
  #isLeftOut(row: Row): boolean {
    if (row.by === "operator" || row.by === "platform") return false;
    const lost = [...this.#args.members.values()]
      .filter(({ unreachable }) => unreachable)
      .map(({ host }) => host.name);
    const together = row.on === "each" ? lost : this.#args.sets?.[row.on];
    const concerned = lost.filter((name) => together?.includes(name) ?? name === this.#args.keepers[row.on]);
    if (concerned.length === 0) return false;
    if (!row.mayBeSkipped && !this.#args.frozen)
      throw new Error(
        `${this.#prefix}: ${row.script} must not be skipped, but ${concerned.join(", ")} is in changeover:unreachable`,
      );
    return together === undefined;
  }

  #reachable(): Member[] {
    return [...this.#args.members.values()].filter(({ unreachable }) => !unreachable);
  }

  /** The preview's line for a host that nothing dials. */
  #skipped({ host: { name: host }, suspect }: Member): void {
    const triggers = { host, mode: `skipped: ${suspect ? "suspect" : "unreachable"}` };
    localStep(`${this.#prefix}-skipped-${host}`, { triggers }, { parent: this });
  }

  /** Close a phase: with a gate, so that many steps of the next one don't depend on many of this. */
  #phase(name: string, resources: pulumi.Resource[]): void {
    if (resources.length > 1)
      this.#before = [gate(`${this.#prefix}-${name}-gate`, { parent: this, dependsOn: resources })];
    else if (resources.length === 1) this.#before = resources;
    this.#verdicts.push(...this.#pending.splice(0));
  }

  #after(resources: readonly pulumi.Resource[] = []): pulumi.CustomResourceOptions {
    return { parent: this, dependsOn: [...this.#before, ...resources] };
  }
}

const badPhases = (verdicts: readonly Verdict[]): string[] =>
  verdicts.flatMap(({ phase, receipt }) => (badOf(receipt) === undefined ? [] : [phase]));
