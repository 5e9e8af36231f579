import { setTimeout as pause } from "node:timers/promises";

/** How long an API may take. */
export interface Limits {
  /** One request, its answer included, in seconds. */
  readonly requestSeconds: number;
  /** How often one request is sent at most. */
  readonly attempts: number;
  /** The first pause before a request is sent again, in seconds; it doubles each time. */
  readonly pauseSeconds: number;
  /** The longest pause that an API may ask for, in seconds. */
  readonly longestPauseSeconds: number;
}

export const usualLimits: Limits = {
  requestSeconds: 20,
  attempts: 4,
  pauseSeconds: 1,
  longestPauseSeconds: 60,
};

/** A problem that a person can cure; its message is all that is printed, and names no token. */
export class PostError extends Error {}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** An API: where it is, and what proves who asks. */
export interface Access {
  /** For example `https://api.github.com`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Never in a message. */
  readonly token: string;
  readonly limits: Limits;
}

/** How one attempt ended: with an answer, or with the reason why there is none. */
type Attempt = { readonly answer: Answer } | { readonly failure: string };

/**
 * Send a request until its answer is final: not 5xx, not a rate limit, not a broken connection.
 * @param path begins with `/`.
 * @param body is sent as JSON.
 * @throws PostError when no attempt got a final answer.
 */
export async function request(
  api: Access,
  method: string,
  path: string,
  body?: Readonly<Record<string, string>>,
): Promise<Answer> {
  const { attempts, longestPauseSeconds, pauseSeconds } = api.limits;
  for (let attempt = 1; ; attempt += 1) {
    const ended = await once(api, method, path, body);
    const wait = "answer" in ended ? waitOf(ended.answer) : undefined;
    if ("answer" in ended && wait === undefined) return ended.answer;
    const fact = "answer" in ended ? answered(ended.answer) : ended.failure;
    if (attempt >= attempts) {
      throw problem(api, method, path, `${fact}, ${attempt} times (allowed: ${attempts}); run the job again`);
    }
    const seconds = wait === undefined || wait === "any" ? pauseSeconds * 2 ** (attempt - 1) : wait;
    if (seconds > longestPauseSeconds) {
      const limit = `asks for a pause of ${Math.ceil(seconds)} s (allowed: ${longestPauseSeconds} s)`;
      throw problem(api, method, path, `${fact}, ${limit}; run the job again after that`);
    }
    await pause(seconds * 1000);
  }
}

async function once(
  { url, headers, limits }: Access,
  method: string,
  path: string,
  body: Readonly<Record<string, string>> | undefined,
): Promise<Attempt> {
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: body ? { ...headers, "content-type": "application/json" } : headers,
      body: body ? JSON.stringify(body) : null,
      // A redirect would take the token to another place.
      redirect: "manual",
      signal: AbortSignal.timeout(limits.requestSeconds * 1000),
    });
    return {
      answer: { status: response.status, headers: response.headers, text: await response.text() },
    };
  } catch (error) {
    const { name, cause, message } = error as Error;
    if (name === "TimeoutError") return { failure: `gave no answer (allowed: ${limits.requestSeconds} s)` };
    return { failure: cause instanceof Error ? cause.message || String(cause) : message };
  }
}

/** Seconds to wait before a request is sent again; `any` when the API names none, undefined when its answer is final. */
function waitOf({ status, headers }: Answer): number | "any" | undefined {
  const after = retryAfter(headers.get("retry-after"));
  // GitHub answers 403 for both of its rate limits, and for what is not permitted.
  const used = headers.get("x-ratelimit-remaining") === "0";
  const isLimit = status === 429 || (status === 403 && (used || after !== undefined));
  if (!isLimit && status < 500) return undefined;
  if (after !== undefined) return after;
  const reset = Number(headers.get("x-ratelimit-reset"));
  return isLimit && used && reset > 0 ? Math.max(0, reset - Date.now() / 1000) : "any";
}

/** Seconds, from a number or a date. */
function retryAfter(value: string | null): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** Status and message of an answer, in one line. */
function answered({ status, text }: Answer): string {
  const words = messageIn(text).replace(/\s+/g, " ").slice(0, 200).trim();
  return `answered ${status}${words && ` (${words})`}`;
}

function messageIn(text: string): string {
  try {
    const told = JSON.parse(text) as { readonly message?: unknown; readonly error?: unknown } | null;
    const words = told?.message ?? told?.error;
    return typeof words === "string" ? words : JSON.stringify(words ?? "");
  } catch {
    // A page of a proxy says nothing in one line.
    return text.startsWith("<") ? "" : text;
  }
}

/** An error about a request, without the token, wherever the API repeated it. */
function problem({ url, token }: Access, method: string, path: string, fact: string): PostError {
  return new PostError(`${method} ${url}${path} ${fact}`.replaceAll(token, "***"));
}

/**
 * The content of an answer.
 * @param cure what to do when the status is another one.
 * @throws PostError which names status, what is allowed and the cure.
 */
export async function expectJson<T>(
  api: Access,
  method: string,
  path: string,
  { cure, body, allowed = [200] }: { cure: string; body?: Record<string, string>; allowed?: number[] },
): Promise<{ readonly content: T; readonly headers: Headers }> {
  const answer = await request(api, method, path, body);
  if (!allowed.includes(answer.status)) {
    const fact = `${answered(answer)} (allowed: ${allowed.join(", ")}); ${cure}`;
    throw problem(api, method, path, fact);
  }
  try {
    return { content: JSON.parse(answer.text) as T, headers: answer.headers };
  } catch {
    throw problem(api, method, path, "answered what is not JSON; see that the address is the API's");
  }
}

/**
 * Change a comment that may be somebody else's, or gone.
 * @returns `refused` when the token may not change it, or it is gone.
 * @throws PostError for any other answer that is not a success.
 */
export async function change(
  api: Access,
  method: string,
  path: string,
  { cure, body }: { cure: string; body?: Record<string, string> },
): Promise<"done" | "refused"> {
  const answer = await request(api, method, path, body);
  if (answer.status === 403 || answer.status === 404) return "refused";
  if (answer.status >= 200 && answer.status < 300) return "done";
  throw problem(api, method, path, `${answered(answer)} (allowed: 200 to 299, 403, 404); ${cure}`);
}

/**
 * A token of the environment.
 * @throws PostError when it is missing, or cannot be sent as a header.
 */
export function tokenOf(env: NodeJS.ProcessEnv, name: string, cure: string): string {
  const token = env[name]?.trim();
  if (!token) throw new PostError(`${name} is not set, and comments need it; ${cure}`);
  if (/[^\x21-\x7e]/.test(token))
    throw new PostError(
      `${name} has a character that no token has (allowed: printable ASCII without blanks); set it again`,
    );
  return token;
}

const pageSize = 100;
const mostPages = 100;

/**
 * All items of a list, from its first page to its last.
 * @param path has no query of its own.
 * @throws PostError as `expectJson`, and when there are more than 10,000 items.
 */
export async function listAll<T>(api: Access, path: string, query: string, cure: string): Promise<T[]> {
  const items: T[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const at = `${path}?${query}per_page=${pageSize}&page=${page}`;
    const { content, headers } = await expectJson<T[]>(api, "GET", at, { cure });
    items.push(...content);
    const link = headers.get("link");
    // An API may have smaller pages than it was asked for: its link counts, where it sends one.
    const isLast = link === null ? content.length < pageSize : !/;\s*rel="?next"?/.test(link);
    if (isLast) return items;
  }
  const fact = `has over ${mostPages * pageSize} items (allowed: ${mostPages * pageSize})`;
  throw problem(api, "GET", path, `${fact}; open another one`);
}
