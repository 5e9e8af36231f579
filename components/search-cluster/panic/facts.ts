/** What a host says of a pause of its writers: `known` in `scripts/search/writers.py`. */
export interface PausedFacts {
  /** Who asks for it: pause, rescue; nobody: it was ending, and was stopped half-way. */
  readonly by: readonly string[];
  readonly since: string | null;
  readonly reason: string | null;
  /** Units that ran before, and units that run although they should not. */
  readonly ran: readonly string[];
  readonly running: readonly string[];
}

/** What a host reports for a cluster in trouble, beside all else. */
export interface PanicFacts {
  /** A pause of programs that write; null: none. */
  readonly writers?: PausedFacts | null;
  /** Searches on this node that run for long; left out: nobody asks. */
  readonly slow_queries?: number | null;
}
