import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { powerCut, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { killGroup } from "../support/engine.ts";
import { unlock } from "../support/incidents.ts";
import { ok } from "../support/runs.ts";
import { SearchSite } from "../support/search-site.ts";

const minute = 60_000;
const exclude = "cluster.routing.allocation.exclude._ip";
const foreign = "10.255.255.9";

/** Documents that do not shrink, so that the drain has bytes to move. */
async function fillNoise(site: SearchSite, mib: number): Promise<void> {
  await site.ask("/noise", { settings: { number_of_shards: 4, number_of_replicas: 1 } });
  for (let at = 0; at < mib; at += 4) {
    const lines = Array.from({ length: 64 }, () => {
      const text = randomBytes(64 * 768).toString("base64");
      return `{"index":{}}\n${JSON.stringify({ text })}\n`;
    }).join("");
    const answer = await fetch(`${site.at("frontend")}/noise/_bulk?filter_path=errors`, {
      method: "POST",
      body: lines,
      headers: { "content-type": "application/x-ndjson" },
    });
    expect(await answer.json()).toEqual({ errors: false });
  }
  await site.ask("/noise/_flush", undefined, { method: "POST" });
  await site.ask("/_cluster/health?wait_for_status=green&timeout=60s");
}

describe.skipIf(whyNoLab() !== undefined)("a drain of which everything is killed", () => {
  let site: SearchSite;
  beforeAll(async () => {
    site = await SearchSite.start();
    await fillNoise(site, 128);
    await site.ask("/_cluster/settings", { persistent: { [exclude]: foreign } });
  }, 10 * minute);
  afterAll(() => site.stop(), minute);

  it(
    "goes on when the CLI is killed five times and the coordinator's host loses power: one exclusion, progress only grows, settings as found [003-082] [003-084] [003-106]",
    async () => {
      const found = await site.settings();
      const documents = async (): Promise<number> => {
        await site.ask("/noise/_refresh", undefined, { method: "POST" });
        return (await site.ask<{ count: number }>("/noise/_count")).count;
      };
      const before = await documents();
      site.setNode("es4", { is: "out" });
      site.set({ drain: { mibPerSecond: 1, waitMinutes: 10 } });
      const { estate } = site;
      const { address } = estate.host("es4");
      const excluded = async (): Promise<string> => {
        const { persistent = {} } = await site
          .settings()
          .catch((): Record<string, Record<string, string>> => ({}));
        return persistent[exclude] ?? "";
      };
      const percents: number[] = [];
      const told = (output: string): readonly number[] =>
        [...output.matchAll(/es4: draining (\d+) %/g)].map(([, percent]) => Number(percent));
      for (let kills = 0; kills < 5; kills++) {
        const { child, run } = estate.project.start(["up", "--yes", "--skip-preview"]);
        let waited = 0;
        await expect.poll(excluded, { timeout: 2 * minute, interval: 250 }).toContain(address);
        while (waited++ < 6 + kills) await pause(1000);
        killGroup(child, "SIGKILL");
        percents.push(...told((await run).output));
        expect((await excluded()).split(",").sort()).toEqual([foreign, address].sort());
        await unlock(site);
        if (kills === 2) {
          await powerCut(estate.lab, "frontend");
          await estate.boot("frontend");
          await expect.poll(excluded, { timeout: 2 * minute }).toContain(address);
        }
      }
      const last = await estate.up();
      ok(last);
      percents.push(...told(last.output));
      expect(percents.length).toBeGreaterThan(5);
      expect(percents).toEqual([...percents].sort((a, b) => a - b));
      expect(new Set(percents).size).toBeGreaterThan(3);
      ok(await estate.project.pulumi(["refresh", "--clear-pending-creates", "--yes"]));
      expect(await site.settings()).toEqual(found);
      const nodes = await site.ask<{ name: string }[]>("/_cat/nodes?format=json&h=name");
      expect(nodes.map(({ name }) => name).sort()).toEqual(["es1", "es2", "es3", "frontend"]);
      expect(await documents()).toBe(before);
      const verified = await estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    15 * minute,
  );
});
