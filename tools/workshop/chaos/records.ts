import { existsSync, readFileSync } from "node:fs";

/** How one case of the crash matrix ended. */
export interface ChaosRecord {
  readonly step: string;
  readonly ending: string;
  readonly incident: string;
  readonly which?: string;
  readonly result: "passed" | "failed";
  readonly seconds: number;
}

/** What tells one case from the others. */
export function chaosKey({ step, ending, incident, which }: Omit<ChaosRecord, "result" | "seconds">): string {
  return [step, which ?? "", incident, ending].join("|");
}

/** All records, one line each; none when there is no such file. */
export function readRecords(file: string): ChaosRecord[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as ChaosRecord);
}

/** The last result of each case, as a table by step. */
export function chaosTable(records: readonly ChaosRecord[]): string {
  const last = new Map(records.map((record) => [chaosKey(record), record]));
  const lines = [...last.values()].map(({ step, which, incident, ending, result, seconds }) =>
    [
      step.padEnd(10),
      `${which === undefined ? "" : `the ${which} production `}${incident}`.padEnd(36),
      ending.padEnd(7),
      result.padEnd(7),
      `${String(seconds).padStart(4)} s`,
    ].join(" "),
  );
  const failed = [...last.values()].filter(({ result }) => result === "failed").length;
  return [...lines, `${String(last.size - failed)} passed, ${String(failed)} failed`].join("\n");
}
