/** Flags that choose the stack, for `parseArgs`; the CLI is given them as they are. */
export const stackOptions = {
  help: { type: "boolean" },
  stack: { type: "string" },
  cwd: { type: "string" },
} as const;

/** The flags of the CLI that choose the stack. */
export const stackArgs = ({ stack, cwd }: { readonly stack?: string; readonly cwd?: string }): string[] => [
  ...(stack === undefined ? [] : ["--stack", stack]),
  ...(cwd === undefined ? [] : ["--cwd", cwd]),
];

/**
 * Run a tool to its exit code, from flags that are wrong (64) to a failure in words (1).
 *
 * @param parse reads the flags. @param does gets them, and returns the exit code.
 */
export async function runTool<Flags extends { readonly help?: boolean }>(
  help: string,
  parse: () => Flags,
  does: (flags: Flags) => number | Promise<number>,
): Promise<void> {
  let flags: Flags;
  try {
    flags = parse();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exitCode = 64;
    return;
  }
  if (flags.help) {
    console.log(help);
    return;
  }
  try {
    process.exitCode = await does(flags);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
