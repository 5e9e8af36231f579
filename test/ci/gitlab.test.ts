import { join } from "node:path";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";
import { toolchain } from "../../tools/workshop/setup/toolchain.ts";
import { itPostsRunBooks } from "../support/ci-pushes.ts";
import { CiRepository, passphrase, toolFor } from "../support/ci-repository.ts";
import type { Run } from "../support/engine.ts";
import { ForgeServer } from "../support/forge.ts";

let repository: CiRepository;
let server: ForgeServer;

beforeAll(async () => {
  repository = await CiRepository.create();
  await repository.ok(["git", "remote", "add", "origin", "git@gitlab.example.com:owner/name.git"]);
  server = await ForgeServer.start("gitlab");
});
afterAll(async () => {
  await server.stop();
  repository.remove();
});

const secrets = (): Record<string, string> => ({
  PULUMI_BACKEND_URL: repository.backend,
  PULUMI_CONFIG_PASSPHRASE: passphrase,
  CHANGEOVER_GITLAB_TOKEN: server.token,
});

/** What GitLab does at a push to merge request 7: run the pipeline, here on this machine without containers. */
async function push(
  context: TestContext,
  { from = "42", having = secrets(), source = "merge_request_event" } = {},
): Promise<Run> {
  const gitlabCiLocal = await toolFor(context, "gitlab-ci-local");
  await repository.push();
  const { CHANGEOVER_GITLAB_TOKEN: _token, ...job } = server.env;
  const variables = {
    ...job,
    CI_PIPELINE_SOURCE: source,
    CI_MERGE_REQUEST_PROJECT_ID: "42",
    CI_MERGE_REQUEST_SOURCE_PROJECT_ID: from,
    ...having,
  };
  const run = await repository.run([
    ...[toolchain().node, gitlabCiLocal, "--force-shell-executor", "--no-color", "--no-timestamps"],
    ...["--ignore-predefined-vars", "CI_PIPELINE_SOURCE,CI_PROJECT_ID,CI_API_V4_URL"],
    ...Object.entries(variables).flatMap(([name, value]) => ["--variable", `${name}=${value}`]),
  ]);
  expect(server.problems).toEqual([]);
  for (const secret of [server.token, passphrase]) expect(run.output).not.toContain(secret);
  return run;
}

itPostsRunBooks({
  repository: () => repository,
  server: () => server,
  push,
  artifact: (name) =>
    join(repository.clone, ".gitlab-ci-local", "artifacts", "previewOiBbprodXQ", "runbook", name),
  place: "merge request 7 of project 42",
  shows: "json schema validated",
  seen: ["ci --ignore-scripts:", "run runbook: passphrase backend token", "run setup:"],
});

it.for([
  ["a fork", { from: "43" }, "a merge request from a fork gets no secrets"],
  ["a project without variables", { having: {} }, "the variable PULUMI_BACKEND_URL is not set"],
] as const)("%s gets a word and no preview, and the job is green", async ([, options, word], context) => {
  server.asked.length = 0;
  repository.seen();
  const { code, output } = await push(context, options);
  expect(code, output).toBe(0);
  expect(output).toContain(`No preview: ${word}`);
  expect(server.asked).toEqual([]);
  expect(repository.seen()).toEqual([]);
});

it("a branch without a merge request has no pipeline", async (context) => {
  server.asked.length = 0;
  const { output } = await push(context, { source: "push" });
  expect(output).not.toContain("preview: [prod]");
  expect(server.asked).toEqual([]);
});
