import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HaproxyGoal, haproxyConfig } from "../../components/app-pool/haproxy-config.ts";

const goal: HaproxyGoal = {
  pool: "crossbow",
  binds: ["10.166.152.10:80", "10.166.152.11:80"],
  servers: [
    { name: "prodapp02", address: "10.166.152.22", port: 8080 },
    { name: "prodapp01", address: "10.166.152.21", port: 8080 },
  ],
  ready: { path: "/ready", status: 200 },
  host: "www.learnexa.com",
};
const linesOf = (text: string, word: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith(`${word} `));

describe("haproxy.cfg", () => {
  it("is this whole text for the pool of the seed [001-014] [001-053]", () => {
    const golden = join(import.meta.dirname, "haproxy.cfg");
    expect(haproxyConfig(goal)).toBe(readFileSync(golden, "utf8"));
  });

  it("names each server and each address once, servers by name, whatever the order of the config", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), { maxLength: 8 });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 65535 }), (chosen, port) => {
        const servers = chosen.map((name, index) => ({ name, address: `10.0.0.${String(index)}`, port }));
        const text = haproxyConfig({ ...goal, servers });
        expect(linesOf(text, "server").map((line) => line.split(" ")[1])).toEqual([...chosen].sort());
        expect(haproxyConfig({ ...goal, servers: [...servers].reverse() })).toBe(text);
        expect(linesOf(text, "bind")).toEqual(goal.binds.map((bind) => `bind ${bind}`));
      }),
    );
  });

  it("asks the application itself whether it is ready, by its own name [001-163]", () => {
    const text = haproxyConfig({ ...goal, ready: { path: "/up?deep=1", status: 204 } });
    expect(linesOf(text, "http-check")).toEqual([
      "http-check send meth GET uri /up?deep=1 ver HTTP/1.1 hdr Host www.learnexa.com",
      "http-check expect status 204",
    ]);
  });

  it("logs by which address a client came, for the check of who still uses an old one [001-103]", () => {
    expect(linesOf(haproxyConfig(goal), "log-format")[0]).toContain(" %fi:%fp ");
  });
});
