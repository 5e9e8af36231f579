import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Project, type Run } from "./engine.ts";

const folder = join(import.meta.dirname, "..", "engine", "before");

/** The id of the stack in that state. */
export const stackId = "6be16613edff0db4";

/** The stack file of the development stack that an older release has made, and the same with its pair flipped. */
export const dev = readFileSync(join(folder, "dev.yaml"), "utf8");
export const flipped = dev.replace("production: slayer", "production: megadeth");

/** What the next run of a project is told. */
export const configure = (project: Project, text: string): void => {
  writeFileSync(join(project.folder, "Pulumi.test.yaml"), text);
};

/** A project with an empty stack. @throws when the CLI fails. */
export async function blankProject(main: string, text = dev): Promise<Project> {
  const project = new Project(main);
  required(await project.pulumi(["stack", "init", "test"]));
  configure(project, text);
  return project;
}

/** A project whose stack an older release has made. @param id what its state has as the id of the stack. */
export async function earlierProject(main: string, id = stackId): Promise<Project> {
  const project = await blankProject(main);
  const state = gunzipSync(readFileSync(join(folder, "dev.json.gz"))).toString();
  const file = join(project.folder, "before.json");
  writeFileSync(file, state.replaceAll(stackId, id));
  required(await project.pulumi(["stack", "import", "--file", file]));
  return project;
}

function required({ code, output }: Run): void {
  if (code !== 0) throw new Error(output);
}
