import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { powerCut, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { failed, ok } from "../support/runs.ts";
import { SearchSite } from "../support/search-site.ts";

const minute = 60_000;

/** Units that write, beside one to the cluster: one that stops slowly, one that a timer starts, one that is off. */
const units = {
  "queue.service":
    "[Service]\nRestart=always\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep 6\n[Install]\nWantedBy=multi-user.target\n",
  "import.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'date >>/root/imported'\n",
  "spare.service": "[Service]\nExecStart=/bin/sleep infinity\n",
  "import.timer": "[Timer]\nOnCalendar=*:*:0/2\nAccuracySec=1\n[Install]\nWantedBy=timers.target\n",
};

describe.skipIf(whyNoLab() !== undefined)("a search cluster in trouble", () => {
  let site: SearchSite;
  const on = async (host: string, command: string) => (await site.estate.on(host, command)).trim();
  const states = async (): Promise<string[]> => [
    await on("es2", "systemctl is-active indexer || true"),
    await on("worker", "systemctl is-active queue || true"),
    await on("worker", "systemctl is-active spare || true"),
  ];
  /** What the coordinator's newest run of a script said. */
  const receipt = (script: string) =>
    on("frontend", `cat "$(ls -td /var/lib/changeover/*/runs/*-search-${script} | head -1)/out"`);
  const running = ["active", "active", "inactive"];
  const stopped = ["inactive", "inactive", "inactive"];

  beforeAll(async () => {
    site = await SearchSite.start(
      {
        nodes: {
          es1: { roles: ["data", "manager"] },
          es2: { roles: ["data", "manager"] },
          frontend: { roles: ["manager"] },
        },
      },
      { hosts: ["worker"] },
    );
    await site.fill(500, 1, 2);
    await on(
      "es2",
      `cat >/root/index.py <<'END'
import time, urllib.request as u
while True:
    try:
        u.urlopen(u.Request("${site.at("es2")}/pages/_doc", b"{}", {"content-type": "application/json"}), timeout=5)
    except OSError:
        pass
    time.sleep(0.1)
END
printf '[Service]\\nRestart=always\\nExecStart=/usr/bin/python3 /root/index.py\\n' >/etc/systemd/system/indexer.service
systemctl daemon-reload && systemctl start indexer`,
    );
    for (const [name, text] of Object.entries(units))
      await on("worker", `cat >/etc/systemd/system/${name} <<'END'\n${text}END`);
    await on("worker", "systemctl daemon-reload && systemctl enable -q --now queue import.timer");
    const writers = {
      es2: ["indexer.service"],
      worker: ["queue.service", "import.service", "spare.service"],
    };
    site.set({ writers });
    ok(await site.estate.up());
  }, 10 * minute);
  afterAll(() => site.stop(), minute);

  it(
    "is paused: who else writes is named, nothing starts by itself, not after a reboot, and each look says why; then exactly those that ran start [002-078] [002-083]",
    async () => {
      expect(await states()).toEqual(running);
      const users = site.users();
      site.set({ paused: "imports are stuck" });
      const refused = await site.estate.up();
      users.stop();
      failed(refused);
      expect(refused.output).toMatch(/somebody else writes to catalogue: pages \(\d+ a second\)/);
      ok(await site.estate.up());
      expect(await states()).toEqual(stopped);
      const imported = await on("worker", "wc -l </root/imported");
      await on("es2", "systemctl start indexer");
      await powerCut(site.estate.lab, "worker");
      await site.estate.boot("worker");
      await pause(5000);
      expect(await states()).toEqual(stopped);
      expect(await on("worker", "wc -l </root/imported")).toBe(imported);
      const preview = await site.estate.project.pulumi(["preview"], 120);
      expect(preview.output).toMatch(
        /catalogue: its writers are paused since \d{4}-\S+Z: imports are stuck; only the file ends it/,
      );
      expect((await site.estate.look()).output).toMatch(
        /worker\W+.*writes to catalogue, its writers are paused since \S+: imports are stuck/,
      );
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
      site.set({ paused: undefined });
      ok(await site.estate.up());
      expect(await states()).toEqual(running);
      expect(await on("worker", "find /etc/systemd/system -name 'changeover-paused*'")).toBe("");
      expect((await site.estate.verify()).code).toBe(0);
    },
    6 * minute,
  );

  it(
    "goes on or back when its pause dies half-way, and starts nothing that was off [002-082]",
    async () => {
      for (const back of [false, true]) {
        site.set({ paused: "half-way" });
        const update = site.estate.up();
        await expect
          .poll(() => on("worker", "cat /var/lib/changeover/catalogue/writers/found || true"), {
            timeout: minute,
          })
          .toContain("queue.service=running");
        await pause(1000);
        await on("worker", "systemctl kill -s KILL 'changeover-catalogue-writers-*'");
        failed(await update);
        if (back) site.set({ paused: undefined });
        ok(await site.estate.up());
        expect(await states()).toEqual(back ? running : stopped);
        site.set({ paused: undefined });
        ok(await site.estate.up());
        expect(await states()).toEqual(running);
      }
    },
    6 * minute,
  );

  it(
    "is rescued when two of three managers are killed under load: writers stop and start, settings are as found, nothing is lost [002-079] [002-080] [002-081] [002-082]",
    async () => {
      const settings = await site.settings();
      const { seen, missing } = await site.seenWhile(async () => {
        for (const host of ["es1", "frontend"])
          await on(
            host,
            "systemctl kill -s KILL changeover-search-catalogue; systemctl stop changeover-search-catalogue",
          );
        site.set({ rescue: "two nodes died" });
        const rescued = await site.estate.up();
        ok(rescued);
        expect(rescued.output).toMatch(/no node sees a manager; answering: es2/);
        expect(await receipt("end-rescue")).toMatch(/catalogue is green; all nodes are in/);
      });
      expect(seen.written.length).toBeGreaterThan(0);
      expect(missing).toEqual([]);
      expect(await site.settings()).toEqual(settings);
      expect(await states()).toEqual(running);
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    6 * minute,
  );

  it(
    "stays paused when it is rescued meanwhile, until the file takes the pause away [002-082]",
    async () => {
      site.set({ paused: "still stuck" });
      ok(await site.estate.up());
      site.set({ rescue: "while paused" });
      ok(await site.estate.up());
      expect(await states()).toEqual(stopped);
      site.set({ paused: undefined });
      ok(await site.estate.up());
      expect(await states()).toEqual(running);
    },
    4 * minute,
  );

  it(
    "has its slow searches cancelled and its old documents deleted by config, each once [002-083] [002-084]",
    async () => {
      const now = Date.now();
      await site.ask("/visits", { mappings: { properties: { at: { type: "date" } } } });
      for (const age of [40, 40, 1])
        await site.ask("/visits/_doc?refresh=true", { at: now - age * 86_400_000 }, { method: "POST" });
      const rule = {
        index: "visits*",
        field: "at",
        olderThanDays: 30,
        limit: 1,
        now: "disk",
        withoutSnapshot: "a test",
      };
      site.set({ queries: { slowSeconds: 1, cancel: "slow" }, retention: { visits: rule } });
      const refused = await site.estate.up();
      failed(refused);
      expect(refused.output).toContain("2 documents match (allowed: 1, the rule's limit): visits: 2 of 3");
      site.set({ retention: { visits: { ...rule, limit: 10 } } });
      ok(await site.estate.up());
      expect(await receipt("delete-documents")).toContain("2 documents are deleted, none matches any more");
      expect(await receipt("cancel-queries")).toContain("no search of catalogue runs longer than 1 s");
      expect(await site.ask("/visits/_count")).toMatchObject({ count: 1 });
      const verified = await site.estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    4 * minute,
  );
});
