/** Tests and checks, counted. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

export function add(...tallies: readonly Tally[]): Tally {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  return {
    passed: sum((one) => one.passed),
    failed: sum((one) => one.failed),
    skipped: sum((one) => one.skipped),
  };
}

/** The last line of a run of the tests, which machines read too. */
export function summary({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** What vitest's JSON report counts; the fields that are read here. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

/**
 * What a suite came to. A run that failed counts at least one failure, whatever its report says: a file that cannot
 * be loaded has no tests, and a suite without tests, or without a report, shows nothing.
 * @param code vitest's exit code.
 */
export function tallyOf(report: VitestReport | undefined, code: number): Tally {
  const {
    numPassedTests: passed = 0,
    numFailedTests = 0,
    numPendingTests = 0,
    numTodoTests = 0,
  } = report ?? {};
  const isEmpty = passed + numFailedTests === 0;
  const failed = code !== 0 || isEmpty ? Math.max(numFailedTests, 1) : numFailedTests;
  return { passed, failed, skipped: numPendingTests + numTodoTests };
}
