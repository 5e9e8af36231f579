import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Load, loadOf, quantile, reasonOf, reportOf } from "../../tools/workshop/load.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const servers: Server[] = [];

async function site(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

describe("what users saw", () => {
  it("is counted from a mark: good ones by server, failures by reason, times without the slow ones", () => {
    const one = { path: "/", isSlow: false };
    const ended = [
      { ...one, at: 10, ms: 4, server: "a", revision: "1" },
      { ...one, at: 30, ms: 2, server: "b", revision: "2", session: "anew" as const },
      { ...one, at: 31, ms: 9, reason: "closed" },
      { ...one, at: 60, ms: 2000, isSlow: true, server: "a", revision: "2" },
    ];
    expect(reportOf(ended, 0, 100)).toEqual({
      seconds: 0.1,
      ok: 3,
      failed: 1,
      reasons: { closed: 1 },
      sessionsLost: 1,
      sessionsBehind: 0,
      gapMs: 40,
      byServer: { a: 2, b: 1 },
      byRevision: { 1: 1, 2: 2 },
      latency: { p50: 2, p99: 4, max: 4 },
    });
    expect(reportOf([{ ...one, at: 300, ms: 1 }], 0, 100)).toMatchObject({ ok: 1, gapMs: 100 });
    expect(reportOf([], 0, 100)).toMatchObject({ ok: 0, failed: 0, gapMs: 100, latency: { max: 0 } });
    expect([quantile([], 0.5), quantile([1, 2, 3], 0.5), quantile([1, 2, 3], 1)]).toEqual([0, 2, 3]);
  });

  it("names a reason in the same words, and one that it does not know by its code", () => {
    const named = (code: string) => reasonOf(Object.assign(new Error("x"), { code }));
    expect(["ECONNRESET", "EPIPE", "ECONNREFUSED", "ENOBUFS"].map(named)).toEqual([
      ...["closed", "closed", "refused", "ENOBUFS"],
    ]);
  });
});

describe("a load", () => {
  it("asks so many times a second whether or not it is answered, over kept connections", async () => {
    let asked = 0;
    const connections = new Set();
    const target = await site(({ socket, url }, response) => {
      asked++;
      connections.add(socket);
      setTimeout(() => response.end("x"), url === "/slow?s=2" ? 300 : 0);
    });
    let turn = 0;
    const load = new Load({
      targets: [target],
      perSecond: 100,
      connections: 5,
      slowShare: 0.5,
      chance: () => turn++ % 2,
    });
    const begun = load.mark();
    await load.start();
    await pause(1000);
    const due = (load.mark() - begun) / 10;
    await load.stop();
    const report = load.since(0);
    expect(report.failed).toBe(0);
    expect(report.ok).toBe(asked);
    expect(asked).toBeGreaterThan(due * 0.7);
    expect(asked).toBeLessThan(due + 2);
    // Half of them wait 0.3 s, 50 a second: 15 users wait at any time, and no request waits for them.
    expect(connections.size).toBeGreaterThan(8);
    expect(connections.size).toBeLessThan(30);
    expect(report.latency.p50).toBeLessThan(100);
  });

  it("counts each failure once, by its reason, and asks nothing again", async () => {
    let asked = 0;
    const target = await site(({ socket }, response) => {
      asked++;
      const number = asked % 5;
      if (number === 0) socket.destroy();
      else if (number === 1) response.writeHead(502).end("x");
      else if (number === 2) return;
      else if (number === 3)
        response.writeHead(200, { "Content-Length": 10 }).write("x", () => socket.destroy());
      else response.setHeader("X-Server", "a").setHeader("X-Revision", "1").end("x");
    });
    const load = new Load({
      targets: [target],
      perSecond: 100,
      connections: 3,
      slowShare: 0,
      limitSeconds: 0.3,
    });
    await load.start();
    await pause(500);
    await load.stop();
    const { ok, failed, reasons, byServer, byRevision } = load.since(0);
    expect(ok + failed).toBe(asked);
    expect(Object.keys(reasons).sort()).toEqual(["answered 502", "closed", "timeout"]);
    expect(Math.abs((reasons.closed ?? 0) - 2 * ok)).toBeLessThan(3);
    expect(byServer).toEqual({ a: ok });
    expect(byRevision).toEqual({ 1: ok });
    expect(load.failures()).toHaveLength(failed);
  });

  it("ends when nobody answers, and says why", async () => {
    const load = new Load({ targets: ["http://127.0.0.1:1"], perSecond: 50 });
    await expect(load.start(0.2)).rejects.toThrow(/no request was answered within 0.2 s: {"refused":\d+}/);
    expect(() => new Load({ targets: [] })).toThrow("at least one target");
  });

  it("takes its options from a command line", () => {
    expect(loadOf(["http://a", "--per-second", "50", "--slow", "0.5", "--host", "b", "http://c"])).toEqual({
      seconds: 30,
      options: { targets: ["http://a", "http://c"], perSecond: 50, slowShare: 0.5, host: "b" },
    });
    expect(() => loadOf(["--colour", "red"])).toThrow("--colour");
  });

  it.each([
    ["begun anew", "sessionsLost", 1, 4],
    ["gone back to an older value", "sessionsBehind", 2, 3],
  ] as const)("has a user keep the session, and sees one that has %s", async (_, seen, again, visitsEach) => {
    const visits = new Map<string, number>();
    const target = await site(({ headers }, response) => {
      const known = headers.cookie;
      const user = known ?? `crossbow=${visits.size}`;
      if (known === undefined) response.setHeader("Set-Cookie", `${user}; Path=/`);
      const count = visits.get(user) === 4 ? again : (visits.get(user) ?? 0) + 1;
      visits.set(user, count);
      response.setHeader("X-Session", String(count)).end("x");
    });
    const load = new Load({ targets: [target], perSecond: 200, connections: 4, slowShare: 0 });
    await load.start();
    await expect.poll(() => load.since(0)[seen], { timeout: 8000, interval: 100 }).toBeGreaterThan(0);
    await load.stop();
    const { ok, ...counts } = load.since(0);
    // A slow machine needs more users for the same rate; each sees it at every so many visits, not at the first ones.
    expect(counts[seen]).toBeGreaterThanOrEqual(ok / visitsEach - 1 - 2 * visits.size);
    expect(counts[seen]).toBeLessThanOrEqual(ok / visitsEach);
    expect(counts.sessionsLost + counts.sessionsBehind).toBe(counts[seen]);
  });
});
