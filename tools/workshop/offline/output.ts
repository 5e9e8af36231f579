import { StringDecoder } from "node:string_decoder";
import type { Readable } from "node:stream";
import type { Context } from "./provider.ts";
import type { Value } from "./values.ts";

/** A logged line is shown, not kept: more than this of one is of no use there. */
const longestLine = 16 * 1024;

/** What a command said: kept whole, and each line told to the engine's log as it comes. */
export class Output {
  readonly #chunks: { stream: "stdout" | "stderr"; data: Buffer }[] = [];
  readonly #context: Context;
  readonly #logging: Value | undefined;

  /** @param logging which streams are logged: `stdout`, `stderr`, `stdoutAndStderr` (the default) or `none`. */
  constructor(context: Context, logging: Value | undefined) {
    this.#context = context;
    this.#logging = logging;
  }

  /** Read one stream of the command to its end. */
  take(name: "stdout" | "stderr", stream: Readable): void {
    const logged = this.#logging == null || this.#logging === name || this.#logging === "stdoutAndStderr";
    const decoder = new StringDecoder("utf8");
    let begun = "";
    const say = (line: string) =>
      this.#context.log.say("INFO", this.#context.urn, line.slice(0, longestLine).replace(/\r$/, ""), true);
    stream.on("data", (data: Buffer) => {
      this.#chunks.push({ stream: name, data });
      if (!logged) return;
      const lines = (begun + decoder.write(data)).split("\n");
      begun = (lines.pop() ?? "").slice(0, longestLine);
      lines.forEach(say);
    });
    stream.on("end", () => {
      if (begun !== "") say(begun);
      begun = "";
    });
  }

  /** One stream, or both in the order in which they came. */
  text(stream?: "stdout" | "stderr"): string {
    const chunks = this.#chunks.filter((chunk) => !stream || chunk.stream === stream);
    return Buffer.concat(chunks.map(({ data }) => data)).toString("utf8");
  }

  /** What the resource keeps: without the last line's end. */
  outputs(): { stdout: string; stderr: string } {
    const trimmed = (stream: "stdout" | "stderr") => this.text(stream).replace(/\n$/, "");
    return { stdout: trimmed("stdout"), stderr: trimmed("stderr") };
  }

  /** The error of a command that did not end well: why, which, and all it said. */
  failure(reason: string, command: string): Error {
    return new Error(`${reason}: running ${JSON.stringify(command)}:\n${this.text()}`);
  }
}
