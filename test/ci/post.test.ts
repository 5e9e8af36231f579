import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { usualLimits } from "../../tools/runbook/forge/http.ts";
import { PostError, postComment } from "../../tools/runbook/post.ts";
import { ForgeServer } from "../support/forge.ts";

const marker = "<!-- changeover:runbook changeover/prod -->";
const body = (text: string) => `${marker}\n${text}\n`;
/** As usual, a hundred times as fast. */
const limits = { ...usualLimits, requestSeconds: 0.3, pauseSeconds: 0.01, longestPauseSeconds: 2 };

describe.each(["github", "gitlab"] as const)("on %s", (kind) => {
  let server: ForgeServer;
  const said: string[] = [];

  beforeEach(async () => {
    server = await ForgeServer.start(kind);
    said.length = 0;
  });
  afterEach(async () => {
    expect(server.problems).toEqual([]);
    await server.stop();
  });

  const post = (text: string, env: NodeJS.ProcessEnv = server.env) =>
    postComment(kind, { marker, body: body(text) }, env, { limits, say: (line) => said.push(line) });
  const failure = async (text = "plan", env?: NodeJS.ProcessEnv): Promise<string> => {
    const error: unknown = await post(text, env).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PostError);
    const { message } = error as PostError;
    expect(message).not.toContain(server.token);
    return message;
  };
  const writes = () => server.asked.filter((ask) => !ask.startsWith("GET "));

  it("a first run creates, the next edits, the same again changes nothing", async () => {
    expect(await post("first")).toBe("created");
    expect(await post("second")).toBe("edited");
    expect(await post("second")).toBe("unchanged");
    expect(server.bodies(marker)).toEqual([body("second")]);
    expect(writes()).toHaveLength(2);
    expect(said).toEqual(
      ["created", "edited", "unchanged"].map((posted): unknown =>
        expect.stringMatching(new RegExp(`^comment ${posted} on (pull|merge) request 7 of `)),
      ),
    );
  });

  it.each([40, 100, 250])("finds its comment after %i of others", async (count) => {
    server.addForeign(count);
    await post("first");
    server.addForeign(3);
    expect(await post("second")).toBe("edited");
    expect(server.comments).toHaveLength(count + 4);
    expect(server.bodies(marker)).toEqual([body("second")]);
  });

  it("finds its comment where pages are smaller than it asks for", async () => {
    server.largestPage = 20;
    server.addForeign(45);
    await post("first");
    expect(await post("second")).toBe("edited");
  });

  it("takes a line end that the platform changed for the same", async () => {
    server.add(body("plan").replaceAll("\n", "\r\n"), server.self);
    expect(await post("plan")).toBe("unchanged");
  });

  it("leaves alone what quotes the marker, another stack's comment, and a person's that begins with it", async () => {
    const others = [
      server.add(`> ${marker}\n> plan\n\nI do not understand this`),
      server.add(`look:\n${body("plan")}`, server.self),
      server.add(`${marker} and more`, server.self),
      server.add("<!-- changeover:runbook changeover/dev -->\nplan", server.self),
      server.add(body("a plan that a person invented")),
    ].map((comment) => ({ ...comment }));
    expect(await post("plan")).toBe("created");
    expect(await post("new plan")).toBe("edited");
    expect(server.comments.slice(0, -1)).toEqual(others);
    expect(server.comments.at(-1)?.body).toBe(body("new plan"));
  });

  it("creates a comment where the token may not edit the one that is there", async () => {
    const locked = server.add(body("old"), server.self);
    server.untouchable.add(locked.id);
    expect(await post("plan")).toBe("created");
    expect(await post("new plan")).toBe("edited");
    expect(server.bodies(marker)).toEqual([body("old"), body("new plan")]);
  });

  it("two runs at once leave one comment", async () => {
    let waiting = 0;
    let release: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (release = resolve));
    // Both have seen a list without a comment before either creates one.
    server.before = async (ask) => {
      if (!ask.startsWith("POST ")) return;
      if ((waiting += 1) === 2) release();
      await both;
    };
    expect(await Promise.all([post("one"), post("two")])).toEqual(["created", "created"]);
    expect(server.bodies(marker)).toHaveLength(1);
    server.before = () => Promise.resolve();
    expect(await post("three")).toBe("edited");
    expect(server.bodies(marker)).toEqual([body("three")]);
  });

  it("edits the oldest of several comments, and removes the others or takes their marker away", async () => {
    const [first, second, third] = ["a", "b", "c"].map((text) => server.add(body(text), server.self));
    server.fault(new RegExp(`^DELETE .*/${String(second!.id)}$`), { status: 403 });
    expect(await post("plan")).toBe("edited");
    expect(server.comments).toEqual([
      { ...first, body: body("plan") },
      { ...second, body: "The run-book is in an earlier comment." },
    ]);
    expect(server.comments).not.toContainEqual(expect.objectContaining({ id: third!.id }));
  });

  it.each([
    ["a 502", { status: 502, body: "<html>Bad Gateway</html>" }],
    ["a rate limit", { status: 429, headers: { "retry-after": "0" } }],
    ["a broken connection", "reset"],
    ["no answer", "hang"],
    ["an answer that is lost", "lost"],
  ] as const)("goes on after %s, with one comment", async (_, fault) => {
    server.fault(/^GET /, fault);
    server.fault(/^POST /, fault, 2);
    expect(await post("plan")).toBe("created");
    expect(server.bodies(marker)).toEqual([body("plan")]);
  });

  it("gives up after 4 attempts, with what happened", async () => {
    server.fault(/^GET /, { status: 503, body: { message: "down for\nmaintenance" } }, 99);
    expect(await failure()).toMatch(
      /^GET http:\S+ answered 503 \(down for maintenance\), 4 times \(allowed: 4\); run the job again$/,
    );
    expect(server.asked).toHaveLength(4);
  });

  it("does not wait for a server that never answers", async () => {
    server.fault(/./, "hang", 99);
    const started = performance.now();
    expect(await failure()).toContain("gave no answer (allowed: 0.3 s), 4 times (allowed: 4)");
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it("does not wait longer than a minute for a rate limit", async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    server.fault(/^GET /, { status: 429, headers: { "retry-after": date } });
    expect(await failure()).toMatch(/answered 429 .*asks for a pause of 3\d{3} s \(allowed: 2 s\)/);
    expect(server.asked).toHaveLength(1);
  });

  it("says what to do when it may not write, and repeats no token", async () => {
    server.fault(/^POST /, { status: 403, body: { message: `${server.token} is not permitted` } });
    expect(await failure()).toMatch(
      /^POST http:\S+ answered 403 \(\*\*\* is not permitted\) \(allowed: 201\); give /,
    );
    const [name = ""] = Object.entries(server.env).find(([, value]) => value === server.token) ?? [];
    expect(await failure("plan", { ...server.env, [name]: "wrong" })).toContain(
      "answered 401 (Bad credentials)",
    );
    expect(await failure("plan", { ...server.env, [name]: undefined })).toMatch(`${name} is not set`);
    expect(await failure("plan", { ...server.env, [name]: `${server.token}\u00e4` })).toMatch("no token has");
  });

  it("takes no redirect, which would carry the token away", async () => {
    server.fault(/^GET /, { status: 302, headers: { location: "http://127.0.0.1:9/" } });
    expect(await failure()).toContain("answered 302");
  });

  it("does nothing outside of a pull request, and says so", async () => {
    const env = { ...server.env, GITHUB_REF: "refs/heads/main", CI_MERGE_REQUEST_IID: undefined };
    expect(await post("plan", env)).toBe("skipped");
    expect(said).toEqual([
      expect.stringMatching(/^nothing is posted: .*(refs\/heads\/main|CI_MERGE_REQUEST_IID)/),
    ]);
    expect(server.asked).toEqual([]);
  });

  it("asserts what only the caller can keep: the marker, and the length", async () => {
    const wrong = (sticky: { marker: string; body: string }) =>
      postComment(kind, sticky, server.env, { limits });
    await expect(wrong({ marker, body: "plan" })).rejects.toThrow("first line");
    await expect(wrong({ marker: "plan", body: "plan" })).rejects.toThrow("marker");
    await expect(wrong({ marker, body: body("x".repeat(1_000_000)) })).rejects.toThrow(
      "characters (allowed: ",
    );
    expect(server.asked).toEqual([]);
  });
});

describe("on github alone", () => {
  let server: ForgeServer;
  const folder = mkdtempSync(join(tmpdir(), "changeover-post-"));
  beforeEach(async () => void (server = await ForgeServer.start("github")));
  afterEach(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const post = (env: NodeJS.ProcessEnv) =>
    postComment("github", { marker, body: body("plan") }, env, { limits, say: () => undefined });

  it("the event names the pull request, before the ref", async () => {
    const event = join(folder, "event.json");
    writeFileSync(event, JSON.stringify({ pull_request: { number: 7 } }));
    expect(await post({ ...server.env, GITHUB_EVENT_PATH: event, GITHUB_REF: "refs/pull/8/merge" })).toBe(
      "created",
    );
    writeFileSync(event, "cut o");
    expect(await post({ ...server.env, GITHUB_EVENT_PATH: event })).toBe("unchanged");
  });

  it("a person's token edits that person's comment", async () => {
    server.user = { status: 200, content: { login: "operator" } };
    const old = server.add(body("old"), "operator");
    expect(await post(server.env)).toBe("edited");
    expect(server.comments).toEqual([{ ...old, body: body("plan") }]);
  });

  it("a used-up limit that answers 403 is waited for; a 403 without one is not", async () => {
    const reset = String(Math.ceil(Date.now() / 1000));
    server.fault(/^GET /, {
      status: 403,
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset },
    });
    expect(await post(server.env)).toBe("created");
    server.fault(/^GET /, { status: 403 });
    await expect(post(server.env)).rejects.toThrow("answered 403 (fault 403) (allowed: 200)");
  });

  it("names a repository that is none", async () => {
    await expect(post({ ...server.env, GITHUB_REPOSITORY: "http://host/a/b" })).rejects.toThrow(
      'GITHUB_REPOSITORY is "http://host/a/b" (allowed: owner/name)',
    );
  });
});
