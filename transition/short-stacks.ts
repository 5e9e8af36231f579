/** Frames that the SDK drops from the top of what it takes for the stack of a resource. */
const skipped = 5;

/**
 * The SDK takes the whole stack of each resource that is declared, and the engine keeps it in the state: a fourth of
 * what every step writes, with the paths of the checkout. It asks for stacks without a limit, as nothing else does,
 * and gets what it drops. Other stacks are as Node makes them: sources run as they are written, so none is mapped.
 */
export function shortStackTraces(): void {
  Error.prepareStackTrace = (error, frames) => {
    const shown = Number.isFinite(Error.stackTraceLimit) ? frames : frames.slice(0, skipped);
    return [String(error), ...shown.map(String)].join("\n    at ");
  };
}
