import type { Forge } from "./forge.ts";
import { type Access, change, expectJson, type Limits, listAll, PostError, tokenOf } from "./http.ts";

/** As GitLab lists a note. */
interface Note {
  readonly id: number;
  readonly body: string;
  readonly system: boolean;
  readonly author: { readonly id: number };
}

const cure =
  "give CHANGEOVER_GITLAB_TOKEN a project access token with the role Developer and the scope `api` that has not expired";

/**
 * The merge request that a GitLab pipeline runs for.
 * @returns why there is none, in words.
 * @throws PostError when the environment lacks what the API needs.
 */
export function gitlab(env: NodeJS.ProcessEnv, limits: Limits): Forge | string {
  const { CI_API_V4_URL: url, CI_PROJECT_ID: project, CI_MERGE_REQUEST_IID: iid } = env;
  if (!iid) return "CI_MERGE_REQUEST_IID is not set: this is not a pipeline of a merge request";
  if (!url || !project)
    throw new PostError(
      `${url ? "CI_PROJECT_ID" : "CI_API_V4_URL"} is not set, and comments need it; run this in a job of GitLab`,
    );
  const token = tokenOf(env, "CHANGEOVER_GITLAB_TOKEN", `CI_JOB_TOKEN may not write any; ${cure}`);
  const api: Access = {
    url: url.replace(/\/+$/, ""),
    headers: { "private-token": token, accept: "application/json", "user-agent": "changeover-runbook" },
    token,
    limits,
  };
  return notes(api, project, iid);
}

function notes(api: Access, project: string, iid: string): Forge {
  const path = `/projects/${encodeURIComponent(project)}/merge_requests/${encodeURIComponent(iid)}/notes`;
  return {
    place: `merge request ${iid} of project ${project}`,
    longestBody: 1_000_000,
    comments: async (isCandidate) => {
      const all = await listAll<Note>(api, path, "sort=asc&order_by=created_at&", cure);
      const candidates = all.filter(({ body, system }) => !system && isCandidate(body));
      if (candidates.length === 0) return [];
      const { content: user } = await expectJson<{ readonly id: number }>(api, "GET", "/user", { cure });
      return candidates
        .map(({ id, body, author }) => ({ id, body, isOwn: author.id === user.id }))
        .sort((a, b) => a.id - b.id);
    },
    create: async (body) => {
      await expectJson(api, "POST", path, { cure, body: { body }, allowed: [201] });
    },
    edit: (id, body) => change(api, "PUT", `${path}/${id}`, { cure, body: { body } }),
    remove: (id) => change(api, "DELETE", `${path}/${id}`, { cure }),
  };
}
