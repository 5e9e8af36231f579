/** A comment, as far as posting looks. */
export interface Comment {
  readonly id: number;
  readonly body: string;
  /** Written by the token that asks. */
  readonly isOwn: boolean;
}

/** The comments of one pull request or merge request, at one API. */
export interface Forge {
  /** For messages, such as "pull request 7 of owner/name". */
  readonly place: string;
  /** The longest body in UTF-16 units. */
  readonly longestBody: number;
  /** Comments that `isCandidate` accepts, the oldest first. */
  readonly comments: (isCandidate: (body: string) => boolean) => Promise<Comment[]>;
  readonly create: (body: string) => Promise<void>;
  readonly edit: (id: number, body: string) => Promise<"done" | "refused">;
  readonly remove: (id: number) => Promise<"done" | "refused">;
}
