import { readdirSync, readFileSync } from "node:fs";

/** One running process, as /proc shows it. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Every process that can be seen now; one that ends meanwhile is left out. */
export function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return [{ pid: Number(name), parent, command }];
      } catch {
        return [];
      }
    });
}

/** Children of a process, and theirs. */
export function childrenOf(pid: number): Process[] {
  const all = processes();
  const below = (parent: number): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** The plugin of remote steps that a CLI started: the real one, or the stand-in that Node runs. */
export function commandPluginOf(cli: number): Process | undefined {
  return childrenOf(cli).find(({ command }) => /resource-command|stand-ins\S*\/command\./.test(command));
}

/** The program that a CLI started. */
export function programOf(cli: number): Process | undefined {
  return childrenOf(cli).find(({ command }) => command.includes("@pulumi/pulumi/cmd/run"));
}
