import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";
import { itPostsRunBooks } from "../support/ci-pushes.ts";
import { CiRepository, passphrase, toolFor } from "../support/ci-repository.ts";
import type { Run } from "../support/engine.ts";
import { ForgeServer } from "../support/forge.ts";

const usedActions = ["actions/setup-node", "actions/cache", "actions/upload-artifact"];

let repository: CiRepository;
let server: ForgeServer;

beforeAll(async () => {
  repository = await CiRepository.create();
  server = await ForgeServer.start("github");
  for (const action of usedActions) makeAction(action);
});
afterAll(async () => {
  await server.stop();
  repository.remove();
});

const folderOf = (action: string) => join(repository.folder, action);
const artifact = (name: string) => join(repository.folder, "artifacts", "runbook-prod", name);

/** An action that does nothing, but keeps what it is given to upload, and writes down secrets that it can see. */
function makeAction(action: string): void {
  mkdirSync(folderOf(action), { recursive: true });
  const inputs = ["name", "path", "key", "node-version", "package-manager-cache"];
  writeFileSync(
    join(folderOf(action), "action.yml"),
    `name: ${action}
inputs: { ${[...inputs, "if-no-files-found", "overwrite", "retention-days"].map((one) => `${one}: {}`).join(", ")} }
runs:
  using: composite
  steps:
    - shell: bash
      env: { NAME: "\${{ inputs.name }}", FROM: "\${{ inputs.path }}" }
      run: |
        echo "${action}: \${PULUMI_CONFIG_PASSPHRASE:+passphrase}\${PULUMI_BACKEND_URL:+backend}\${GITHUB_TOKEN:+token}" >>"$SEEN"
        if [ -n "$NAME" ]; then mkdir -p "$ARTIFACTS/$NAME" && cp "$FROM"/* "$ARTIFACTS/$NAME/"; fi
`,
  );
}

const secrets = (): Record<string, string> => ({
  PULUMI_BACKEND_URL: repository.backend,
  PULUMI_CONFIG_PASSPHRASE: passphrase,
});

/** What GitHub does at a push to pull request 7: run the workflow, here on this machine without containers. */
async function push(
  context: TestContext,
  { from = "owner/name", having = secrets() }: { from?: string; having?: Record<string, string> } = {},
): Promise<Run> {
  const act = await toolFor(context, "act");
  await repository.push();
  const event = join(repository.folder, "event.json");
  const full_name = "owner/name";
  writeFileSync(
    event,
    JSON.stringify({
      pull_request: { number: 7, head: { ref: "flip", repo: { full_name: from } }, base: { ref: "main" } },
      repository: { full_name, name: "name", owner: { login: "owner" } },
    }),
  );
  const text = readFileSync(join(repository.clone, ".github", "workflows", "preview.yml"), "utf8");
  const commitOf = (action: string) => new RegExp(`${action}@([0-9a-f]{40})`).exec(text)?.[1] ?? "";
  const pairs = (flag: string, values: Record<string, string>) =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  const env = {
    GITHUB_API_URL: server.url,
    GITHUB_REPOSITORY: full_name,
    ARTIFACTS: join(repository.folder, "artifacts"),
    SEEN: join(repository.folder, "seen"),
  };
  const run = await repository.run([
    ...[act, "pull_request", "--workflows", ".github/workflows/preview.yml", "--eventpath", event],
    ...["--platform", "ubuntu-24.04=-self-hosted", "--container-daemon-socket", "-"],
    ...["--action-offline-mode", "--no-cache-server"],
    ...pairs("--env", env),
    ...pairs("--secret", { GITHUB_TOKEN: server.token, ...having }),
    ...usedActions.flatMap((one) => ["--local-repository", `${one}@${commitOf(one)}=${folderOf(one)}`]),
  ]);
  expect(server.problems).toEqual([]);
  for (const secret of [server.token, passphrase]) expect(run.output).not.toContain(secret);
  return run;
}

itPostsRunBooks({
  repository: () => repository,
  server: () => server,
  push,
  artifact,
  place: "pull request 7 of owner/name",
  shows: "Summary - <!-- changeover:runbook changeover/prod -->",
  seen: [
    ...["actions/cache:", "actions/setup-node:", "actions/upload-artifact:"],
    ...["ci --ignore-scripts:", "run runbook: passphrase backend token", "run setup:"],
  ],
});

it.for([
  ["a fork", { from: "stranger/name" }, "a pull request from a fork gets no secrets"],
  ["a repository without secrets", { having: {} }, "the secret PULUMI_BACKEND_URL is not set"],
  [
    "a repository without passphrase",
    { having: { PULUMI_BACKEND_URL: "file:///tmp" } },
    "the secret PULUMI_CONFIG_PASSPHRASE is not set",
  ],
] as const)("%s gets a word and no preview, and the job is green", async ([, options, word], context) => {
  server.asked.length = 0;
  repository.seen();
  const { code, output } = await push(context, options);
  expect(code, output).toBe(0);
  expect(output).toContain(`Summary - No preview: ${word}`);
  expect(server.asked).toEqual([]);
  expect(repository.seen()).toEqual([]);
});
