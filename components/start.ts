import type { SshTarget } from "../platforms/platform.ts";

/** Where the scripts of this release are on a host. */
export function scriptsOn(target: SshTarget, release: string): string {
  const root = target.scriptsRoot ?? (target.user === "root" ? "/opt/changeover" : ".changeover");
  return `${root}/${release}/scripts`;
}

/** How a host starts one of its scripts. */
export function startOf(target: SshTarget): string {
  return (target.sudo ?? target.user !== "root") ? "sudo -n bash" : "bash";
}

/** One word of a command line, quoted for the host's shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The read-only look of a host at its part of a cache. @param words the component, the cache, its port. */
export function cacheProbeOf(target: SshTarget, release: string, words: readonly string[]): string {
  const script = `${scriptsOn(target, release)}/memcached/probe.py`;
  return [startOf(target).replace("bash", "python3"), script, ...words.map(quoted)].join(" ");
}

/** The read-only look of a host at its half of a pair. */
export function probeOf(target: SshTarget, release: string, pair: string): string {
  return `${startOf(target).replace("bash", "python3")} ${scriptsOn(target, release)}/pair/probe.py ${pair}`;
}
