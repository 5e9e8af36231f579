import type { SshTarget } from "../platforms/platform.ts";

/** Where everything is that the operator puts on a host. */
export const rootOn = (target: SshTarget): string =>
  target.scriptsRoot ?? (target.user === "root" ? "/opt/changeover" : ".changeover");

/** Where the scripts of this release are on a host. */
export const scriptsOn = (target: SshTarget, release: string): string =>
  `${rootOn(target)}/${release}/scripts`;

const withSudo = (target: SshTarget): boolean => target.sudo ?? target.user !== "root";

/** How a host starts a script that is not of the release's folder. */
export const startOf = (target: SshTarget): string => (withSudo(target) ? "sudo -n bash" : "bash");

/** One word of a command line, quoted for the host's shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A program of this checkout, run on the operator's machine by the Node that runs this one; the checkout's folder may be called anything. */
export const localProgram = (file: string, ...words: readonly string[]): string =>
  [process.execPath, file, ...words].map(quoted).join(" ");

/**
 * The command that runs a file of the scripts on a host, with its words. A login user's copy is not run itself: root
 * runs a copy that belongs to root, whoever logs in.
 */
export function scriptCommand(
  target: SshTarget,
  release: string,
  file: string,
  words: readonly string[],
): string {
  const scripts = scriptsOn(target, release);
  const program = file.endsWith(".py") ? "python3" : "bash";
  const start = withSudo(target)
    ? `sudo -n bash ${scripts}/as-root.sh ${file}`
    : `${program} ${scripts}/${file}`;
  return [start, ...words.map(quoted)].join(" ");
}

/** The read-only look of a host: a program of an area of the scripts, with its words. */
export const lookOf = (target: SshTarget, release: string, probe: string, words: readonly string[]): string =>
  scriptCommand(target, release, `${probe}.py`, words);

/** A command that runs nothing and fails with the reason. */
export const refusing = (why: string): string => `printf '%s\\n' ${quoted(`refused: ${why}`)} >&2; exit 77`;

/** The reason of such a command; undefined: it is another one. */
export function refusedBy(command: string): string | undefined {
  const why = /^printf '%s\\n' '?refused: (.*?)'? >&2; exit 77$/s.exec(command)?.[1];
  return why?.replaceAll(`'\\''`, "'");
}
