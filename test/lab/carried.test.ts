import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freeze, powerCut, thaw, whyNoLab } from "../../tools/lab/lab.ts";
import { Writer } from "../../tools/writer.ts";
import { Estate } from "../support/estate.ts";
import { arrange, clear } from "../support/incident.ts";
import { asPreviewed } from "../support/previewed.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;
const hosts = ["slayer", "megadeth"] as const;

/** A service as small as one can be: serves the pair's files, and says who it is. */
const unit = `[Service]
ExecStart=/usr/bin/python3 -m http.server -d /data/sounz 8080
StandardError=append:/var/log/sounz-web.log
`;

describe.skipIf(whyNoLab() !== undefined)("what a pair carries besides its database", () => {
  let estate: Estate;
  let writer: Writer;

  beforeAll(async () => {
    estate = await Estate.start();
    estate.fences = true;
    estate.set({
      directories: { data: "/data/sounz", home: "/usr/share/sounz" },
      services: {
        web: { unit: "sounz-web", ports: [8080], logs: ["/var/log/sounz-web.log"] },
        always: { unit: "sounz-always", on: "both" },
      },
      checks: {
        files: { port: 8080, path: "/front.html", contains: "SOUNZ", logs: ["/var/log/sounz-web.log"] },
      },
      copyAt: "*-*-* 03:30",
    });
    for (const host of hosts) {
      await estate.on(host, `cat >/etc/systemd/system/sounz-web.service <<'END'\n${unit}END`);
      await estate.on(
        host,
        "printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/sounz-always.service; systemctl daemon-reload",
      );
    }
    await estate.on("slayer", "mkdir -p /data/sounz && echo SOUNZ >/data/sounz/front.html");
    ok(await estate.up());
    writer = new Writer(await estate.database());
    await writer.start();
  }, 10 * minute);

  afterAll(async () => {
    await writer.stop();
    await estate.stop();
  }, minute);

  /** Both machines there again, production on the primary. */
  const home = async () => {
    estate.config = {};
    estate.set({ production: "megadeth", finalSync: "attempt" });
    ok(await estate.up());
    estate.flip("slayer");
    ok(await estate.up());
  };
  const active = async (name: string) =>
    Promise.all(
      hosts.map((host) => estate.on(host, `systemctl is-active ${name} || true`).then((text) => text.trim())),
    );
  const sync = (host: string) =>
    estate.on(host, "bash /usr/local/lib/changeover/sounz/pair/sync.sh sounz 2>&1 || echo ended with $?");
  const put = (host: string, file: string, text: string) =>
    estate.on(host, `printf '%s' '${text}' >/data/sounz/${file}`);
  const files = (host: string) =>
    estate.on(
      host,
      "cd /data/sounz && find . -type f ! -name front.html -exec sh -c 'echo $1=$(cat $1)' - {} ';' | sort",
    );

  it(
    "runs what each role runs, and nothing else, on both sides of a switch [004-020] [004-021] [004-022] [004-023] [004-024] [004-087] [004-091] [004-101]",
    async () => {
      expect(await active("sounz-web")).toEqual(["active", "inactive"]);
      expect(await active("sounz-always")).toEqual(["active", "active"]);
      await put("slayer", "one", "written on slayer");
      await estate.on("slayer", "chown games: /data/sounz/one; chmod 0640 /data/sounz/one");
      estate.flip("megadeth");
      await asPreviewed(estate);
      expect(await active("sounz-web")).toEqual(["inactive", "active"]);
      expect(await active("sounz-always")).toEqual(["active", "active"]);
      expect(await files("megadeth")).toBe("./one=written on slayer\n");
      expect(await estate.on("megadeth", "stat -c '%U %a' /data/sounz/one")).toBe("games 640\n");
      await put("megadeth", "two", "written on megadeth");
      estate.flip("slayer");
      ok(await estate.up());
      expect(await files("slayer")).toBe("./one=written on slayer\n./two=written on megadeth\n");
      expect(await writer.lost()).toEqual([]);
      const verified = await estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    3 * minute,
  );

  it(
    "copies to the standby by a timer, drops what was staged there, and does nothing anywhere else [004-018] [004-033] [004-098] [004-154] [004-155]",
    async () => {
      await put("slayer", "three", "from production");
      await put("megadeth", "staged", "tried on the standby");
      await estate.on("megadeth", "systemctl start changeover-sync-sounz", 60);
      expect(await files("megadeth")).toBe(await files("slayer"));
      expect(await files("megadeth")).not.toContain("staged");
      expect(await estate.on("megadeth", "cat /var/log/sounz/sounz-general.log")).toContain(
        "data is as on slayer",
      );
      expect(await estate.on("megadeth", "systemctl list-timers --all")).toContain(
        "changeover-sync-sounz.timer",
      );
      expect(await sync("slayer")).toContain("copies nothing: its status is production");
      await estate.on("megadeth", "mv /var/lib/changeover/sounz/done/switch /tmp/done-switch");
      await put("megadeth", "staged", "while a switch is open");
      expect(await sync("megadeth")).toContain("copies nothing: a transition is open");
      expect(await files("megadeth")).toContain("staged");
      await estate.on("megadeth", "mv /tmp/done-switch /var/lib/changeover/sounz/done/switch");
      const twice = await Promise.all([sync("megadeth"), sync("megadeth")]);
      expect(twice.join("")).toContain("sounz megadeth has what slayer carries");
      expect(
        await estate.on("megadeth", "bash /usr/local/lib/changeover/sounz/pair/copies.sh sounz 5"),
      ).toMatch(/^OK: copies on megadeth, data 0 min, home 0 min \(limit 5 min\)/);
    },
    3 * minute,
  );

  it.each(["takeover", "services"] as const)(
    "copies nothing by its timers while a switch has stopped at %s, goes back, and has lost nothing [004-031] [004-154]",
    async (step) => {
      await put("slayer", "newest", `before ${step}`);
      await arrange(estate, step, "before");
      estate.flip("megadeth");
      const stopped = await estate.up();
      expect(stopped.code).not.toBe(0);
      await clear(estate);
      for (const host of hosts) expect(await sync(host)).toContain("copies nothing:");
      // On the way back the files are those of the machine that was production last, whichever way they went.
      estate.flip("slayer");
      ok(await estate.up());
      expect(await estate.on("slayer", "cat /data/sounz/newest")).toBe(`before ${step}`);
      expect(await active("sounz-web")).toEqual(["active", "inactive"]);
      expect(await writer.lost()).toEqual([]);
    },
    3 * minute,
  );

  it(
    "gives the service back at once when the last copy does not come right: nothing has changed",
    async () => {
      // Somebody who goes on writing files though everything of the pair was stopped.
      await estate.on(
        "slayer",
        "systemd-run -q --unit=rogue sh -c 'while :; do date +%N >/data/sounz/rogue; done'",
      );
      estate.flip("megadeth");
      const mark = writer.mark();
      const stopped = await estate.up();
      expect(stopped.code).not.toBe(0);
      expect(stopped.output).toMatch(
        /slayer serves again \(slayer accepts writes again.*nothing has changed/,
      );
      await expect.poll(() => writer.since(mark).acknowledged, { timeout: minute }).toBeGreaterThan(50);
      expect(await active("sounz-web")).toEqual(["active", "inactive"]);
      const again = await estate.up();
      expect(again.output).toContain(
        "was put back; start again: npx pulumi up --replace '**::sounz-switch-id'",
      );
      await estate.on("slayer", "systemctl stop rogue; rm /data/sounz/rogue");
      ok(await estate.up("--replace", "**::sounz-switch-id"));
      expect(await active("sounz-web")).toEqual(["inactive", "active"]);
      await home();
      expect(await writer.lost()).toEqual([]);
    },
    4 * minute,
  );

  it(
    "deletes nothing for an empty source, sets aside what was there before the first copy, and stops what the file names no more",
    async () => {
      await put("slayer", "kept", "in one place only");
      await estate.on(
        "megadeth",
        "echo before >/data/sounz/before; rm /var/lib/changeover/sounz/copies/data",
      );
      expect(await sync("megadeth")).toContain("sounz megadeth has what slayer carries");
      expect(await estate.on("megadeth", "cat /var/lib/changeover/sounz/set-aside/*/data/before")).toBe(
        "before\n",
      );
      const kept = await files("megadeth");
      await estate.on("slayer", "mkdir /data/hidden && mv /data/sounz/* /data/hidden");
      expect(await sync("megadeth")).toMatch(/refused: data on slayer is empty[^]*ended with 75/);
      expect(await files("megadeth")).toBe(kept);
      await estate.on("slayer", "mv /data/hidden/* /data/sounz && rmdir /data/hidden");

      const { services } = estate.pair;
      await estate.on("slayer", "systemctl --quiet enable sounz-always 2>/dev/null || true");
      estate.set({ services: { web: (services as Record<string, unknown>).web } });
      ok(await estate.up());
      expect(await active("sounz-always")).toEqual(["inactive", "inactive"]);
      expect(await active("sounz-web")).toEqual(["active", "inactive"]);
      estate.set({ services });
      ok(await estate.up());
      expect(await active("sounz-always")).toEqual(["active", "active"]);
    },
    4 * minute,
  );

  it(
    "goes back to production's own files after an emergency that was begun and not ended",
    async () => {
      const psql = (statement: string) =>
        estate.on("megadeth", `cd / && runuser -u postgres -- psql -XAtqc '${statement}'`);
      await estate.on("megadeth", "systemctl start changeover-sync-sounz", 60);
      await put("slayer", "newest", "after the last copy");
      await psql("select pg_wal_replay_pause()");
      // What the writer writes now is received and not replayed, so nothing is promoted.
      await expect
        .poll(() => psql("select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"))
        .toBe("t\n");
      await powerCut(estate.lab, "slayer");
      estate.without("slayer");
      estate.flip("megadeth");
      const stopped = await estate.up();
      expect(stopped.output).toContain("megadeth has replayed all that it received: not so after 30 s");
      await psql("select pg_wal_replay_resume()");
      await estate.boot("slayer");
      estate.without();
      estate.flip("slayer");
      ok(await estate.up());
      expect(await files("slayer")).toContain("newest=after the last copy");
      expect(await files("megadeth")).toBe(await files("slayer"));
      expect(await writer.lost()).toEqual([]);
    },
    4 * minute,
  );

  it(
    "ends with everything that is wrong on production, and is mended by an up [004-075] [004-083] [004-084] [004-085] [004-086] [004-132]",
    async () => {
      await put("slayer", "other", "what is left");
      await estate.on("slayer", "mv /data/sounz/front.html /root/");
      estate.flip("megadeth");
      const failed = await estate.up();
      expect(failed.code).not.toBe(0);
      expect(failed.output).toMatch(/FAILED files: .*front.html: status 404, not 200/);
      expect(failed.output).toMatch(/timed out: files: http:.*front.html has status 404, not 200/);
      expect(failed.output).toContain("ok     web: unit sounz-web is active");
      expect(failed.output).toContain("ok     database sounz by its socket");
      expect(failed.output).toContain("ok     database sounz by tcp");
      await estate.on("megadeth", "echo SOUNZ >/data/sounz/front.html");
      ok(await estate.up());
      estate.flip("slayer");
      ok(await estate.up());
    },
    5 * minute,
  );

  it(
    "is switched by hand with its files and services [004-020] [004-023]",
    async () => {
      const hand = (host: string, words: string) => estate.on(host, `changeover-sounz ${words} 2>&1`, 60);
      const next = (said: string, host: string) =>
        new RegExp(`now on ${host}: changeover-sounz (.+)`).exec(said)?.[1] ?? "--help";
      await put("slayer", "by-hand", "before the switch by hand");
      const fenced = await hand("slayer", next(await hand("megadeth", "prepare"), "slayer"));
      const taken = await hand("megadeth", next(fenced, "megadeth"));
      expect(await files("megadeth")).toContain("by-hand=before the switch by hand");
      expect(await active("sounz-web")).toEqual(["inactive", "active"]);
      await hand("slayer", next(taken, "slayer"));
      await home();
      expect(await writer.lost()).toEqual([]);
    },
    3 * minute,
  );

  it(
    "sets aside what only the dead machine has, and stops nothing that the other runs [004-072]",
    async () => {
      await estate.on("megadeth", "systemctl start changeover-sync-sounz", 60);
      await put("slayer", "only-here", "never copied");
      await powerCut(estate.lab, "slayer");
      estate.without("slayer");
      estate.flip("megadeth");
      await asPreviewed(estate);
      expect((await active("sounz-web").catch(() => ["?"])).length).toBeGreaterThan(0);
      expect((await estate.on("megadeth", "systemctl is-active sounz-web")).trim()).toBe("active");
      await put("megadeth", "four", "while alone");
      expect(await sync("megadeth")).toContain("copies nothing: its status is production_alone");
      await estate.boot("slayer");
      await expect
        .poll(() => estate.on("slayer", "cat /etc/sounz/sounz.status"), { timeout: minute })
        .toBe("down\n");
      expect(await sync("slayer")).toContain("copies nothing: its status is down");
      estate.without();
      ok(await estate.up());
      expect(await files("slayer")).toBe(await files("megadeth"));
      expect(await estate.on("slayer", "cat /var/lib/changeover/sounz/set-aside/*/data/only-here")).toBe(
        "never copied",
      );
      estate.flip("slayer");
      ok(await estate.up());
    },
    5 * minute,
  );

  it(
    "gets what a sick production still gives before it is cut off; with `required` nothing happens without it [004-072]",
    async () => {
      await put("slayer", "late", "written on the sick one");
      estate.config = { suspect: ["slayer"] };
      estate.flip("megadeth");
      const run = await asPreviewed(estate);
      expect(run.output).toContain("megadeth got from slayer: everything");
      expect(await files("megadeth")).toContain("late=written on the sick one");
      await estate.boot("slayer");
      await home();

      await freeze(estate.lab, "slayer");
      estate.config = { suspect: ["slayer"] };
      estate.set({ production: "megadeth", finalSync: "required" });
      const refused = await estate.up();
      expect(refused.code).not.toBe(0);
      expect(refused.output).toContain("not got from slayer: database files; nothing has changed");
      estate.set({ finalSync: "attempt" });
      ok(await estate.up());
      await thaw(estate.lab, "slayer").catch(() => undefined);
      await estate.boot("slayer");
      await home();
      expect(await writer.lost()).toEqual([]);
    },
    8 * minute,
  );
});
