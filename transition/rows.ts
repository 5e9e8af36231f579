import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { TransitionArgs } from "./args.ts";
import type { Hosts } from "./hosts.ts";
import { receiptLine } from "./receipt.ts";
import type { Receipts } from "./receipts.ts";
import { installOf, readSoftware } from "./software.ts";
import { refusing, scriptCommand } from "./start.ts";
import { localStep, remoteStep, softwareCopy } from "./step.ts";
import { type Keepers, notNeeded, type Row, rowName } from "./table.ts";
import { isConditional, type Told } from "./told.ts";

/** What the rows of one transition have in common. */
export interface RowContext {
  readonly prefix: string;
  readonly args: TransitionArgs;
  readonly hosts: Hosts;
  readonly receipts: Receipts;
  readonly id: pulumi.Output<string>;
  readonly keepers: pulumi.Output<Keepers>;
  /** Options of a step that comes after the phase before, and after these. */
  readonly after: (resources?: readonly pulumi.Resource[]) => pulumi.CustomResourceOptions;
  /** Tells people of a step. */
  readonly tell: (step: Told) => void;
}

/** One script on one host. */
export interface HostStep {
  readonly host: pulumi.Input<string>;
  /** A file of the scripts. */
  readonly file: string;
  readonly line: pulumi.Output<string[]>;
  readonly says: string;
  /** Words that decide whether it runs. */
  readonly words?: pulumi.Output<string[]>;
  readonly secret?: string;
  readonly needed?: pulumi.Output<boolean>;
  /** Copies that must be there before. */
  readonly copies?: readonly pulumi.Resource[];
}

/** Makes the resources of a table's rows. */
export class Rows {
  readonly #context: RowContext;

  constructor(context: RowContext) {
    this.#context = context;
  }

  /** The resources of one row: one for a role, one a member for `each` and for a set. */
  declare(row: Row): pulumi.Resource[] {
    const { hosts, keepers } = this.#context;
    if (hosts.isLeftOut(row)) return [];
    const names = hosts.namesFor(row);
    if (names) return names.map((host) => this.#rowOn(row, `${rowName(row)}-${host}`, host));
    const host = keepers.apply((kept) => kept[row.on] ?? "");
    return [this.#rowOn(row, rowName(row), host)];
  }

  #rowOn(row: Row, name: string, host: pulumi.Input<string>): pulumi.Resource {
    const { args, keepers } = this.#context;
    const words = pulumi.all([keepers, host]).apply(([kept, on]) => [...(row.words?.(kept, on) ?? [])]);
    const told = {
      name: `${this.#context.prefix}-${name}`,
      row: rowName(row),
      phase: row.phase,
      says: toldOf(row),
      pointOfNoReturn: row.pointOfNoReturn && !row.dormant,
      conditional: isConditional(row),
      wanted: args.keepers[row.on],
    };
    if (row.by === "platform") {
      const moved = this.#byPlatform(row, name, pulumi.output(host));
      const { id } = moved as Partial<pulumi.CustomResource>;
      this.#context.tell({ ...told, host: "platform", left: id ?? moved.urn });
      return moved;
    }
    const byOperator = row.by === "operator";
    const step = byOperator
      ? this.#byOperator(row, name, row.words && words)
      : this.#byHost(row, name, host, words);
    const { stdout } = step;
    const by = byOperator ? "operator" : host;
    this.#context.tell({ ...told, host: by, left: stdout, receipt: stdout });
    return step;
  }

  #byHost(row: Row, name: string, host: pulumi.Input<string>, words: pulumi.Output<string[]>) {
    const { args, id, receipts } = this.#context;
    const { component, transition } = args;
    const taken = row.takes === undefined ? [] : [receipts.of(row.takes)];
    const software = row.software ? this.#software(row, host) : undefined;
    const line = pulumi
      .all([words, this.#settings(row, host), id, pulumi.all(taken)])
      .apply(([goal, settings, own, last]) => [
        ...(row.beside ? ["--beside"] : []),
        ...(row.reads
          ? []
          : [component, transition, own, String(row.deadlineSeconds), software?.script ?? row.script]),
        ...[component, ...(row.limits ?? []), ...goal, ...settings, ...last],
      ]);
    const step = this.onHost(name, {
      host,
      file: row.reads ? `${row.script}.sh` : "step.sh",
      line,
      says: saysOf(row),
      words: row.words && words,
      secret: row.stdin,
      needed: receipts.needed(row),
      copies: software?.copies,
    });
    const said = receipts.keep(row.script, step);
    if (row.verdict) receipts.judge(row.phase, said);
    return step;
  }

  #settings(row: Row, host: pulumi.Input<string>): pulumi.Output<string[]> {
    const { args, hosts } = this.#context;
    const settings = args.settings?.[row.script];
    if (!settings) return pulumi.output([]);
    return hosts.ask(host, (member) => settings(member.host.name)).apply((words) => [...words]);
  }

  /** The folder of the project that a row runs, and its copy on the host that runs it; only hosts that need it have one. */
  #software({ script }: Row, host: pulumi.Input<string>) {
    const { prefix, hosts } = this.#context;
    if (typeof host !== "string") throw new Error(`${prefix}: software ${script} runs on \`each\` alone`);
    const software = readSoftware(script, pulumi.getRootDirectory());
    const { host: machine, scripts } = hosts.member(host);
    return { script: installOf(software), copies: [softwareCopy(machine, software, scripts)] };
  }

  #byOperator(row: Row, name: string, words: pulumi.Output<string[]> | undefined) {
    const { prefix, args, keepers, receipts, after } = this.#context;
    const declared = args.commands?.[row.script];
    if (!declared) throw new Error(`${prefix}: row ${row.script} is run by the operator, but has no command`);
    const { create, stdin } = declared(keepers, receipts.of("preflight"), receipts.verdicts);
    const needed = receipts.needed(row);
    const step = localStep(
      `${prefix}-${name}`,
      {
        create: pulumi.output(needed ?? true).apply((runs) => (runs ? create : undefined)),
        stdin,
        triggers: this.triggers({ says: saysOf(row), words, needed }),
      },
      after(),
    );
    receipts.keep(row.script, step);
    return step;
  }

  #byPlatform(row: Row, name: string, host: pulumi.Output<string>): pulumi.Resource {
    const { prefix, args, receipts, after } = this.#context;
    const move = args.moves?.[row.script];
    if (!move)
      throw new Error(`${prefix}: row ${row.script} is the platform's, but the platform has no such move`);
    const moved = move(`${prefix}-${name}`, host, after());
    const receipt = pulumi
      .all([moved.urn, receipts.epoch])
      .apply(([, epoch]) => receiptLine(`done by the platform, epoch ${epoch}`, undefined, { epoch }));
    receipts.put(row.script, receipt);
    return moved;
  }

  /** Declare one script on one host. */
  onHost(name: string, step: HostStep): command.remote.Command {
    const { prefix, args, hosts, after } = this.#context;
    const ssh = hosts.ask(step.host, (member) => member.host.ssh);
    const create = pulumi
      .all([ssh, step.host, step.line, step.needed ?? true])
      .apply(([target, on, argv, runs]) => {
        if (!runs) return undefined;
        const refusal = refusalOf(args);
        if (refusal !== undefined) return refusal;
        const { release } = hosts.member(on);
        return scriptCommand(target, release, step.file, argv);
      });
    const triggers = this.triggers(step);
    const stdin = step.secret === undefined ? undefined : args.secrets?.[step.secret];
    const { refuses } = args;
    return remoteStep(`${prefix}-${name}`, { ssh, create, triggers, stdin, refuses }, after(step.copies));
  }

  /**
   * Identities of all members stand in the keepers, so the id speaks for every host that a step is about. Each value
   * is an output of its own: the preview shows all of them but the id. A row that is not needed is the same from
   * transition to transition: each step that is replaced costs four writes of the whole state.
   */
  triggers({
    says,
    host,
    words,
    needed,
  }: Pick<HostStep, "says" | "words" | "needed"> & Partial<HostStep>): Record<string, pulumi.Input<string>> {
    const { args, hosts, id } = this.#context;
    const ifNeeded = (value: pulumi.Output<string>) =>
      needed ? pulumi.all([value, needed]).apply(([text, runs]) => (runs ? text : notNeeded)) : value;
    return {
      says,
      ...(host ? { host } : {}),
      ...(host && args.perMachine ? { machine: hosts.ask(host, (member) => member.host.identity) } : {}),
      ...(words ? { words: ifNeeded(words.apply((goal) => goal.join(" "))) } : {}),
      transition: ifNeeded(id),
    };
  }
}

const saysOf = ({ says, pointOfNoReturn }: Row): string =>
  pointOfNoReturn ? `${says} (point of no return)` : says;

/** The sentence of a row in the run-book. */
export const toldOf = (row: Row): string =>
  saysOf({ ...row, pointOfNoReturn: row.pointOfNoReturn && !row.dormant });

/** A command that fails with the reason why nothing of the transition goes on; undefined: it goes on. */
export const refusalOf = ({ refuses }: TransitionArgs): string | undefined =>
  refuses === undefined ? undefined : refusing(refuses);
