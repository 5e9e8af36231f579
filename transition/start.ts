import type { SshTarget } from "../platforms/platform.ts";

/** Where everything is that the operator puts on a host. */
export const rootOn = (target: SshTarget): string =>
  target.scriptsRoot ?? (target.user === "root" ? "/opt/changeover" : ".changeover");

/** Where the scripts of this release are on a host. */
export const scriptsOn = (target: SshTarget, release: string): string =>
  `${rootOn(target)}/${release}/scripts`;

/** How a host starts one of its scripts. */
export function startOf(target: SshTarget): string {
  return (target.sudo ?? target.user !== "root") ? "sudo -n bash" : "bash";
}

/** One word of a command line, quoted for the host's shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A program of this checkout, run on the operator's machine by the Node that runs this one; the checkout's folder may be called anything. */
export const localProgram = (file: string, ...words: readonly string[]): string =>
  [process.execPath, file, ...words].map(quoted).join(" ");

/** The read-only look of a host: a program of an area of the scripts, with its words. */
export function lookOf(target: SshTarget, release: string, probe: string, words: readonly string[]): string {
  const python = startOf(target).replace("bash", "python3");
  return [python, `${scriptsOn(target, release)}/${probe}.py`, ...words.map(quoted)].join(" ");
}

/** A command that runs nothing and fails with the reason. */
export const refusing = (why: string): string => `printf '%s\\n' ${quoted(`refused: ${why}`)} >&2; exit 77`;

/** The reason of such a command; undefined: it is another one. */
export function refusedBy(command: string): string | undefined {
  const why = /^printf '%s\\n' '?refused: (.*?)'? >&2; exit 77$/s.exec(command)?.[1];
  return why?.replaceAll(`'\\''`, "'");
}
