import * as pulumi from "@pulumi/pulumi";
import type { Verdict } from "./args.ts";
import { badOf, epochOf, withTail } from "./receipt.ts";
import type { Row } from "./table.ts";

type Receipt = pulumi.Output<string | undefined>;

/** What the rows of one transition have said, for the rows that come after them. */
export class Receipts {
  /** By script; of many hosts, the last one. */
  readonly #byScript = new Map<string, Receipt>();
  /** Of the phases that are closed, and of the one that is not. */
  readonly #verdicts: pulumi.Output<Verdict>[] = [];
  readonly #pending: pulumi.Output<Verdict>[] = [];

  /** Keep the receipt of a step: with a tail, also when a release ran it that knew of none. */
  keep(script: string, { stdout }: { readonly stdout: pulumi.Output<string> }): Receipt {
    const receipt = stdout.apply((said: string | undefined) => (said === undefined ? said : withTail(said)));
    this.#byScript.set(script, receipt);
    return receipt;
  }

  /** Keep what stands for the receipt of a row that no host runs. */
  put(script: string, receipt: pulumi.Output<string>): void {
    this.#byScript.set(script, receipt);
  }

  /** What a row said that runs on one host; `none` when it did not run. */
  of(script: string): pulumi.Output<string> {
    const said = this.#byScript.get(script) ?? pulumi.output("none");
    return said.apply((receipt) => receipt ?? "none");
  }

  /** The epoch to claim, from the receipt of the preflight. */
  get epoch(): pulumi.Output<string> {
    return this.of("preflight").apply(epochOf);
  }

  /** A receipt of a phase that is judged when the phase is closed. */
  judge(phase: string, receipt: Receipt): void {
    this.#pending.push(receipt.apply((said) => ({ phase, receipt: said ?? "" })));
  }

  /** The phase has ended: what it judged counts for the rows after it. */
  close(): void {
    this.#verdicts.push(...this.#pending.splice(0));
  }

  /** What was judged in the phases before. */
  get verdicts(): pulumi.Output<Verdict[]> {
    return pulumi.all([...this.#verdicts]);
  }

  /** Whether a row is needed, as soon as what was judged before it is known; undefined: it always is. */
  needed({ when }: Row): pulumi.Output<boolean> | undefined {
    return when && this.verdicts.apply((verdicts) => when(badPhases(verdicts)));
  }
}

const badPhases = (verdicts: readonly Verdict[]): string[] =>
  verdicts.flatMap(({ phase, receipt }) => (badOf(receipt) === undefined ? [] : [phase]));
