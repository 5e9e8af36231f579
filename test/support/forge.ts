import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A comment as the server keeps it. */
export interface Kept {
  readonly id: number;
  body: string;
  readonly author: string;
}

/** What the server does instead of an answer. `lost`: it acts, and cuts the connection. */
type Fault =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | "hang"
  | "reset"
  | "lost";

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Reply {
  readonly status: number;
  readonly content?: unknown;
  readonly headers?: Record<string, string>;
}

const apis = {
  github: {
    token: "ghs_TheTokenOfTheJob",
    self: "github-actions[bot]",
    list: "/repos/owner/name/issues/7/comments",
    one: /^\/repos\/owner\/name\/issues\/comments\/(\d+)$/,
    edit: "PATCH",
    longest: 65_536,
    env: (url: string): Record<string, string> => ({
      GITHUB_API_URL: url,
      GITHUB_REPOSITORY: "owner/name",
      GITHUB_REF: "refs/pull/7/merge",
      GITHUB_TOKEN: "ghs_TheTokenOfTheJob",
    }),
    shown: ({ id, body, author }: Kept) => ({
      id,
      body,
      user: { login: author, type: author.endsWith("[bot]") ? "Bot" : "User" },
    }),
    problem: ({ headers }: Ask): string | undefined => {
      if (headers.accept !== "application/vnd.github+json") return `accept: ${String(headers.accept)}`;
      if (headers["x-github-api-version"] !== "2022-11-28") return "no x-github-api-version";
      return headers["user-agent"] ? undefined : "no user-agent";
    },
    isToken: ({ headers }: Ask, token: string) => headers.authorization === `Bearer ${token}`,
    // The token of a workflow belongs to no user.
    user: { status: 403, content: { message: "Resource not accessible by integration" } } as Reply,
  },
  gitlab: {
    token: "glpat-TheTokenOfTheProject",
    self: "project_42_bot",
    list: "/projects/42/merge_requests/7/notes",
    one: /^\/projects\/42\/merge_requests\/7\/notes\/(\d+)$/,
    edit: "PUT",
    longest: 1_000_000,
    env: (url: string): Record<string, string> => ({
      CI_API_V4_URL: url,
      CI_PROJECT_ID: "42",
      CI_MERGE_REQUEST_IID: "7",
      CHANGEOVER_GITLAB_TOKEN: "glpat-TheTokenOfTheProject",
    }),
    shown: ({ id, body, author }: Kept) => ({ id, body, system: false, author: { id: numberOf(author) } }),
    problem: ({ method, query, path }: Ask): string | undefined =>
      method === "GET" && path !== "/user" && query.get("sort") !== "asc" ? "sort is not asc" : undefined,
    isToken: ({ headers }: Ask, token: string) => headers["private-token"] === token,
    user: { status: 200, content: { id: 1 } } as Reply,
  },
};

const numberOf = (author: string): number => (author === apis.gitlab.self ? 1 : 2);

export type Kind = keyof typeof apis;

/** A server on loopback that speaks the part of an API that comments need, and refuses whatever the real one would. */
export class ForgeServer {
  readonly comments: Kept[] = [];
  /** What was asked, for example `POST /repos/owner/name/issues/7/comments`. */
  readonly asked: string[] = [];
  /** What the real API would not have taken. */
  readonly problems: string[] = [];
  /** The largest page that it gives, whatever it is asked for. */
  largestPage = 100;
  /** Comments of others that the token may neither edit nor remove. */
  readonly untouchable = new Set<number>();
  /** Awaited before each request is looked at. */
  before: (ask: string) => Promise<void> = () => Promise.resolve();
  /** The user of the token. */
  user: Reply;
  readonly #api: (typeof apis)[Kind];
  readonly #server: Server;
  readonly #faults: { readonly match: RegExp; readonly fault: Fault; left: number }[] = [];
  #lastId = 1000;

  private constructor(kind: Kind) {
    this.#api = apis[kind];
    this.user = this.#api.user;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(kind: Kind): Promise<ForgeServer> {
    const forge = new ForgeServer(kind);
    forge.#server.listen(0, "127.0.0.1");
    await once(forge.#server, "listening");
    return forge;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** The environment of a job for pull request 7. */
  get env(): Record<string, string> {
    return this.#api.env(this.url);
  }

  get token(): string {
    return this.#api.token;
  }

  /** The author of what this token writes. */
  get self(): string {
    return this.#api.self;
  }

  /** Let the next requests that match end otherwise. @param match sees `METHOD /path`. */
  fault(match: RegExp, fault: Fault, times = 1): void {
    this.#faults.push({ match, fault, left: times });
  }

  /** A comment that is there already. */
  add(body: string, author = "colleague"): Kept {
    const kept = { id: (this.#lastId += 1), body, author };
    this.comments.push(kept);
    return kept;
  }

  /** Comments of people, of all kinds that are not ours. */
  addForeign(count: number): void {
    for (let at = 1; at <= count; at += 1) this.add(`Comment ${String(at)} of a colleague`);
  }

  /** Bodies of comments that begin with a text. */
  bodies(beginning = ""): string[] {
    return this.comments.filter(({ body }) => body.startsWith(beginning)).map(({ body }) => body);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { pathname: path, searchParams: query } = new URL(request.url ?? "", this.url);
    const ask: Ask = { method: request.method ?? "", path, query, headers: request.headers, body };
    const words = `${ask.method} ${path}`;
    this.asked.push(words);
    await this.before(words);
    const planned = this.#faults.find(({ match, left }) => left > 0 && match.test(words));
    if (planned) planned.left -= 1;
    const fault = planned?.fault;
    if (fault === "hang") return;
    if (fault === "reset") return void request.socket.destroy();
    if (fault !== undefined && fault !== "lost") {
      const { status, headers, body: said = { message: `fault ${String(status)}` } } = fault;
      return void response
        .writeHead(status, headers)
        .end(typeof said === "string" ? said : JSON.stringify(said));
    }
    const { status, content, headers } = this.#take(ask);
    if (fault === "lost") return void request.socket.destroy();
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(content === undefined ? "" : JSON.stringify(content));
  }

  #take(ask: Ask): Reply {
    const api = this.#api;
    if (!api.isToken(ask, api.token)) return { status: 401, content: { message: "Bad credentials" } };
    const problem = api.problem(ask);
    if (problem !== undefined) return this.#refuse(ask, problem);
    if (ask.path === "/user" && ask.method === "GET") return this.user;
    if (ask.path === api.list) return ask.method === "POST" ? this.#create(ask) : this.#list(ask);
    const id = Number(api.one.exec(ask.path)?.[1]);
    if (Number.isNaN(id)) return this.#refuse(ask, "no such path");
    const kept = this.comments.find((comment) => comment.id === id);
    if (!kept) return { status: 404, content: { message: "Not Found" } };
    if (this.untouchable.has(id)) return { status: 403, content: { message: "Forbidden" } };
    if (ask.method === "DELETE") {
      this.comments.splice(this.comments.indexOf(kept), 1);
      return { status: 204 };
    }
    if (ask.method !== api.edit) return this.#refuse(ask, "no such method");
    const body = this.#bodyOf(ask);
    if (body === undefined) return this.#refuse(ask, "no body");
    kept.body = body;
    return { status: 200, content: api.shown(kept) };
  }

  #create(ask: Ask): Reply {
    const body = this.#bodyOf(ask);
    if (body === undefined) return this.#refuse(ask, "no body");
    return { status: 201, content: this.#api.shown(this.add(body, this.#api.self)) };
  }

  #list({ method, path, query }: Ask): Reply {
    if (method !== "GET") return this.#refuse({ method, path }, "no such method");
    const size = Math.min(Number(query.get("per_page") ?? 30), this.largestPage);
    const page = Number(query.get("page") ?? 1);
    const next = new URLSearchParams({ per_page: String(size), page: String(page + 1) }).toString();
    const isLast = page * size >= this.comments.length;
    const links = [
      ...(isLast ? [] : [`<${this.url}${path}?${next}>; rel="next"`]),
      `<${this.url}${path}?page=1>; rel="first"`,
    ];
    return {
      status: 200,
      content: this.comments.slice((page - 1) * size, page * size).map((kept) => this.#api.shown(kept)),
      headers: { link: links.join(", ") },
    };
  }

  /** The body of a comment; undefined when the request has none that the API takes. */
  #bodyOf({ headers, body }: Ask): string | undefined {
    if (headers["content-type"] !== "application/json") return undefined;
    const { body: text } = JSON.parse(body) as { body?: unknown };
    return typeof text === "string" && text !== "" && text.length <= this.#api.longest ? text : undefined;
  }

  #refuse({ method, path }: Pick<Ask, "method" | "path">, why: string): Reply {
    this.problems.push(`${method} ${path}: ${why}`);
    return { status: 422, content: { message: why } };
  }
}
