import { createInterface, type Interface } from "node:readline/promises";

/** One question: what it asks, what is taken when nothing is answered, and what is wrong with an answer. */
export interface Question {
  readonly text: string;
  readonly fallback?: string;
  /** Undefined: the answer is allowed. */
  readonly wrong: (answer: string) => string | undefined;
}

/** Asks on the terminal, or reads the answers line by line where there is none. */
export class Questions {
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    this.#lines = createInterface({ input: process.stdin });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /**
   * Asks until the answer is allowed.
   *
   * @param given the answer of a flag, which is not asked for.
   * @throws when a given answer is not allowed, or stdin ends.
   */
  async ask({ text, fallback, wrong }: Question, given: string | undefined): Promise<string> {
    if (given !== undefined) {
      const why = wrong(given);
      if (why !== undefined) throw new Error(why);
      return given;
    }
    for (;;) {
      process.stdout.write(`${text}${fallback === undefined ? "" : ` [${fallback}]`}: `);
      const next = await this.#answers.next();
      if (next.done) throw new Error(`no answer to "${text}"; nothing was written`);
      const answer = next.value.trim() || (fallback ?? "");
      const why = wrong(answer);
      if (why === undefined) return answer;
      console.log(why);
    }
  }

  close(): void {
    this.#lines.close();
  }
}
