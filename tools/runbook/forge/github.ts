import { readFileSync } from "node:fs";
import type { Forge } from "./forge.ts";
import {
  type Access,
  change,
  expectJson,
  type Limits,
  listAll,
  PostError,
  request,
  tokenOf,
} from "./http.ts";

/** As GitHub lists a comment. */
interface IssueComment {
  readonly id: number;
  readonly body?: string | null;
  readonly user?: { readonly login: string; readonly type: string } | null;
}

const cure = "give the job `permissions: pull-requests: write`; pull requests from forks never have it";

/**
 * The pull request that a GitHub workflow runs for.
 * @returns why there is none, in words.
 * @throws PostError when the environment lacks what the API needs.
 */
export function github(env: NodeJS.ProcessEnv, limits: Limits): Forge | string {
  const number = numberOf(env);
  if (number === undefined)
    return `GITHUB_REF is ${env.GITHUB_REF ?? "not set"}, which is not a pull request (refs/pull/N/merge)`;
  const { GITHUB_API_URL: url = "https://api.github.com", GITHUB_REPOSITORY: repository = "" } = env;
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new PostError(
      `GITHUB_REPOSITORY is "${repository}" (allowed: owner/name); set it to the repository of the pull request`,
    );
  const token = tokenOf(env, "GITHUB_TOKEN", "add `GITHUB_TOKEN: ${{ github.token }}` to the step's `env`");
  const api: Access = {
    url: url.replace(/\/+$/, ""),
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
      "user-agent": "changeover-runbook",
    },
    token,
    limits,
  };
  return comments(api, repository, number);
}

function comments(api: Access, repository: string, number: number): Forge {
  const ofRepository = `/repos/${repository}/issues`;
  const ofPull = `${ofRepository}/${number}/comments`;
  return {
    place: `pull request ${number} of ${repository}`,
    longestBody: 65_536,
    comments: async (isCandidate) => {
      const all = await listAll<IssueComment>(api, ofPull, "", cure);
      const candidates = all.filter(({ body }) => isCandidate(body ?? ""));
      if (candidates.length === 0) return [];
      const isOwn = await ownership(api);
      return candidates
        .map((comment) => ({ id: comment.id, body: comment.body ?? "", isOwn: isOwn(comment) }))
        .sort((a, b) => a.id - b.id);
    },
    create: async (body) => {
      await expectJson(api, "POST", ofPull, { cure, body: { body }, allowed: [201] });
    },
    edit: (id, body) => change(api, "PATCH", `${ofRepository}/comments/${id}`, { cure, body: { body } }),
    remove: (id) => change(api, "DELETE", `${ofRepository}/comments/${id}`, { cure }),
  };
}

/** Which comments the token wrote. The token of a workflow is not a user, and may edit what people wrote. */
async function ownership(api: Access): Promise<(comment: IssueComment) => boolean> {
  const { status, text } = await request(api, "GET", "/user");
  if (status !== 200) return ({ user }) => user?.type === "Bot";
  const { login } = JSON.parse(text) as { readonly login: string };
  return ({ user }) => user?.login === login;
}

/** The number of the pull request: of the event, else of the ref. */
function numberOf(env: NodeJS.ProcessEnv): number | undefined {
  const ofRef = /^refs\/pull\/(\d+)\//.exec(env.GITHUB_REF ?? "")?.[1];
  const number = eventIn(env.GITHUB_EVENT_PATH)?.pull_request?.number ?? Number(ofRef);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

function eventIn(file: string | undefined): { pull_request?: { number?: number } } | undefined {
  try {
    return file
      ? (JSON.parse(readFileSync(file, "utf8")) as { pull_request?: { number?: number } })
      : undefined;
  } catch {
    // The ref says it too.
    return undefined;
  }
}
