import { toolchain } from "../../tools/workshop/setup/toolchain.ts";

type Name = "language" | "command" | "random" | "aws";

/** Whether this plugin is one of ours, which stand in where the real one is missing. */
export function standIn(name: Name): boolean {
  return toolchain().plugins[name].kind === "stand-in";
}
