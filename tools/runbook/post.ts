/** Where a comment goes. */
export type Forge = "github" | "gitlab";

/** Post or edit the comment of a pull request that begins with the marker. */
export function postComment(
  to: Forge,
  _comment: { readonly marker: string; readonly body: string },
  _env: NodeJS.ProcessEnv,
): Promise<"created" | "edited" | "unchanged"> {
  return Promise.reject(new Error(`--post ${to} is not built in`));
}
