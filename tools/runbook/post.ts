import assert from "node:assert/strict";
import type { Comment, Forge } from "./forge/forge.ts";
import { github } from "./forge/github.ts";
import { gitlab } from "./forge/gitlab.ts";
import { type Limits, usualLimits } from "./forge/http.ts";

export { PostError } from "./forge/http.ts";

/** Where run-books are read. */
export const forges = { github, gitlab };
export type ForgeName = keyof typeof forges;

/** What became of a comment; `skipped`: this is not a run for a pull request. */
export type Posted = "created" | "edited" | "unchanged" | "skipped";

/** A comment that is found again by its first line. */
export interface Sticky {
  /** The first line of the body, an HTML comment that readers do not see. */
  readonly marker: string;
  /** Markdown, at most as long as the platform allows. */
  readonly body: string;
}

/**
 * Leave one comment on the pull request that this job runs for: edit the one of an earlier run, or create it.
 * Where two runs created one each, the oldest stays. Comments of others are left alone, whatever their first line.
 * @param env of the job: `GITHUB_API_URL`, `GITHUB_REPOSITORY`, `GITHUB_TOKEN` and `GITHUB_EVENT_PATH` or `GITHUB_REF`;
 * or `CI_API_V4_URL`, `CI_PROJECT_ID`, `CI_MERGE_REQUEST_IID` and `CHANGEOVER_GITLAB_TOKEN`.
 * @param say takes the one line that tells a person what was done.
 * @throws PostError when the platform refuses or does not answer. An AssertionError when the body is not the caller's
 * to post: without its marker, or too long.
 */
export async function postComment(
  to: ForgeName,
  { marker, body }: Sticky,
  env: NodeJS.ProcessEnv,
  { limits = usualLimits, say = console.error }: { limits?: Limits; say?: (line: string) => void } = {},
): Promise<Posted> {
  assert(/^<!--.*-->$/.test(marker), `the marker "${marker}" is not one HTML comment in one line`);
  assert.equal(firstLine(body), marker, "the first line of the body is not its marker");
  const forge = forges[to](env, limits);
  if (typeof forge === "string") {
    say(`nothing is posted: ${forge}`);
    return "skipped";
  }
  assert(
    body.length <= forge.longestBody,
    `the body has ${body.length} characters (allowed: ${forge.longestBody}); render it shorter`,
  );
  const posted = await settle(forge, marker, body);
  say(`comment ${posted} on ${forge.place}`);
  return posted;
}

async function settle(forge: Forge, marker: string, body: string): Promise<Posted> {
  const own = async () => {
    const marked = await forge.comments((text) => firstLine(text) === marker);
    return marked.filter(({ isOwn }) => isOwn);
  };
  const kept = await keepOne(forge, await own(), body);
  if (kept !== undefined) return kept;
  await forge.create(body);
  // Another run may have created one in the meantime, and so may an attempt whose answer was lost.
  await keepOne(forge, await own(), body);
  return "created";
}

/** Let the oldest comment that can be edited have the body, and remove later ones; undefined when none can be. */
async function keepOne(
  forge: Forge,
  comments: readonly Comment[],
  body: string,
): Promise<"edited" | "unchanged" | undefined> {
  for (const [at, comment] of comments.entries()) {
    const isSame = comparable(comment.body) === comparable(body);
    if (!isSame && (await forge.edit(comment.id, body)) === "refused") continue;
    for (const { id } of comments.slice(at + 1)) await retire(forge, id);
    return isSame ? "unchanged" : "edited";
  }
  return undefined;
}

/** Remove a second comment; where a token may not, it loses its marker and its content. */
async function retire(forge: Forge, id: number): Promise<void> {
  if ((await forge.remove(id)) === "refused") await forge.edit(id, "The run-book is in an earlier comment.");
}

const firstLine = (text: string): string => /^.*/.exec(text)?.[0].trimEnd() ?? "";

/** Platforms may change line ends and drop blanks at the end. */
const comparable = (text: string): string => text.replaceAll("\r\n", "\n").trimEnd();
