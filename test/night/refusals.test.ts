import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hostKeyOf } from "../../platforms/aws/host-key.ts";
import { outputsIn } from "../../tools/stack.ts";
import { killHost, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Writer } from "../../tools/workshop/writer.ts";
import { processes } from "../support/processes.ts";
import { Estate } from "../support/estate.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;
const sitecustomize = "/etc/python3.11/sitecustomize.py";

describe.skipIf(whyNoLab() !== undefined)("a pair that must not be touched", () => {
  let estate: Estate;
  beforeAll(async () => {
    estate = await Estate.start();
    ok(await estate.up());
  }, 10 * minute);
  afterAll(() => estate.stop(), minute);

  /** What the hosts have on record: equal before and after says that nothing was touched. */
  const records = async (): Promise<string> => {
    const each = [...estate.hosts.keys()].map((name) =>
      estate.on(
        name,
        "cd /var/lib/changeover/sounz && cat claim stack done/* && cat /etc/sounz/sounz.status && ip -o -4 address",
      ),
    );
    return (await Promise.all(each)).join("\n");
  };

  /** Order the flip, and have it refused within 15 s, with the reason and with nothing touched. */
  const refuses = async (reason: string | RegExp): Promise<void> => {
    const before = await records();
    estate.flip("megadeth");
    const started = performance.now();
    const { code, output } = await estate.up();
    const seconds = (performance.now() - started) / 1000;
    estate.flip("slayer");
    expect(code, output).not.toBe(0);
    expect(output).toMatch(reason);
    expect(seconds).toBeLessThan(15);
    expect(await records()).toBe(before);
  };

  const psql = (host: string, statement: string) =>
    estate.on(host, `runuser -u postgres -- psql -XAtq -c "${statement}"`);
  const streams = () =>
    expect
      .poll(() => psql("slayer", "select state from pg_stat_replication"), { timeout: 30_000, interval: 500 })
      .toContain("streaming");

  afterEach(async () => {
    ok(await estate.up());
  }, minute);

  it(
    "is not switched to a standby that does not stream",
    async () => {
      await estate.on("megadeth", "systemctl stop postgresql@15-sounz");
      await refuses("megadeth cannot become production: its PostgreSQL is stopped");
      await estate.on("megadeth", "systemctl start postgresql@15-sounz");
      await streams();
    },
    minute,
  );

  it(
    "is not switched to a standby that lags",
    async () => {
      // A replay that a person has paused is another reason.
      await estate.on("megadeth", "pkill -STOP -f 'postgres: .*startup'");
      await psql(
        "slayer",
        "create table bulk as select repeat(md5(i::text), 30) from generate_series(1, 30000) as i",
      );
      await refuses(/megadeth is \d+\.\d MiB behind slayer \(allowed: 16 MiB\); wait until it has caught up/);
      await estate.on("megadeth", "pkill -CONT -f 'postgres: .*startup'");
      await psql("slayer", "drop table bulk");
    },
    minute,
  );

  it(
    "is not switched when a machine shows another host key",
    async () => {
      const { hostKey } = estate.host("megadeth");
      const { publicKey } = hostKeyOf(Buffer.alloc(32, 7).toString("base64"));
      Object.assign(estate.host("megadeth"), { hostKey: publicKey });
      const before = await records();
      estate.flip("megadeth");
      const { code, output } = await estate.up();
      Object.assign(estate.host("megadeth"), { hostKey });
      estate.flip("slayer");
      expect(code).not.toBe(0);
      expect(output).toMatch(/megadeth[^]*host key/i);
      expect(await records()).toBe(before);
    },
    minute,
  );

  it(
    "is not switched with a disk that is too full",
    async () => {
      estate.set({ minFreeMiB: 900_000_000 });
      await refuses(/megadeth has \d+ MiB free for its database \(needed: 900000000 MiB\); make room/);
      estate.set({ minFreeMiB: undefined });
    },
    minute,
  );

  it(
    "is not switched with a clock that is off by more than 5 s",
    async () => {
      await estate.on(
        "megadeth",
        `cp -a ${sitecustomize} /root/ && printf 'import time\\n_now = time.time_ns\\ntime.time_ns = lambda: _now() - 7 * 10**9\\n' >>${sitecustomize}`,
      );
      await refuses(/megadeth has a clock that is off by -[67]\.\d s \(allowed: 5 s\)/);
      await estate.on("megadeth", `mv /root/${sitecustomize.split("/").at(-1) ?? ""} ${sitecustomize}`);
    },
    minute,
  );

  it(
    "is not switched while a step holds its lock",
    async () => {
      await estate.on(
        "slayer",
        "systemd-run --unit=changeover-test-holder flock /var/lib/changeover/sounz/lock sleep 60",
      );
      await refuses(/slayer is busy: .* holds the lock/);
      await estate.on("slayer", "systemctl stop changeover-test-holder");
    },
    minute,
  );

  it(
    "is told everything at once",
    async () => {
      await estate.on("megadeth", "systemctl stop postgresql@15-sounz");
      estate.set({ minFreeMiB: 900_000_000 });
      await refuses(/reason\(s\):[^]*slayer has \d+ MiB[^]*megadeth has \d+ MiB[^]*PostgreSQL is stopped/);
      estate.set({ minFreeMiB: undefined });
      await estate.on("megadeth", "systemctl start postgresql@15-sounz");
      await streams();
    },
    minute,
  );

  it(
    "is refused in words for a production that is unreachable, before any connection [004-047]",
    async () => {
      estate.config = { unreachable: ["slayer"] };
      estate.write();
      const { code, output } = await estate.up();
      estate.config = {};
      estate.write();
      expect(code).not.toBe(0);
      expect(output).toMatch(/production[^\n]*slayer[^\n]*unreachable/);
      expect(output).not.toMatch(/\n\s+at /);
    },
    minute,
  );

  it(
    "is not switched while a machine is dead, and is not waited for",
    async () => {
      await killHost(estate.lab, "megadeth");
      const started = performance.now();
      estate.flip("megadeth");
      const { code, output } = await estate.up();
      estate.flip("slayer");
      expect(code).not.toBe(0);
      expect(output).toContain("dead host to changeover:unreachable");
      expect((performance.now() - started) / 1000).toBeLessThan(15);
      await estate.boot("megadeth");
      await streams();
    },
    2 * minute,
  );

  it(
    "tells no secret in a log, a preview, a process list or the plain state",
    async () => {
      const secrets = await Promise.all([
        estate.on("slayer", "cat /etc/sounz/secret"),
        estate.on("slayer", "cut -d: -f5 /etc/sounz/pgpass"),
        estate.on("slayer", "cat /etc/sounz/rsync.pass"),
        estate.database().then(({ password }) => password),
      ]);
      estate.flip("megadeth");
      const preview = await estate.project.pulumi(["preview", "--diff"]);
      const seen: string[] = [];
      const watching = setInterval(
        () =>
          seen.push(
            processes()
              .map(({ command }) => command)
              .join("\n"),
          ),
        20,
      );
      const up = await estate.up();
      clearInterval(watching);
      ok(up);
      const state = await estate.project.pulumi(["stack", "export"]);
      const logs = await Promise.all(
        [...estate.hosts.keys()].map((name) => estate.on(name, "journalctl --no-pager -o cat | cat")),
      );
      const everything = [preview.output, up.output, state.output, ...logs, ...seen].join("\n");
      for (const secret of secrets) expect(everything.includes(secret.trim())).toBe(false);
      const { privateKeyPath } = estate.host("slayer");
      expect(everything).not.toContain("PRIVATE KEY");
      expect(everything).toContain(privateKeyPath);
      estate.flip("slayer");
    },
    2 * minute,
  );

  it(
    "gets a password that is replaced on both machines, in the same update",
    async () => {
      const secret = () => estate.on("slayer", "cat /etc/sounz/secret");
      const before = await secret();
      const { resources } = await estate.project.state();
      const urn = resources.find(({ urn }) => urn.endsWith("::sounz-secret"))?.urn ?? "";
      ok(await estate.up("--replace", urn));
      expect(await secret()).not.toBe(before);
      expect(await estate.on("megadeth", "cat /etc/sounz/secret")).toBe(await secret());
      estate.flip("megadeth");
      ok(await estate.up());
      estate.flip("slayer");
    },
    2 * minute,
  );

  it(
    "is adopted by a stack with an empty state, when that is said, without a change or a lost write",
    async () => {
      const { stackId: id } = outputsIn(await estate.project.state());
      const target = await estate.database();
      const writer = new Writer(target);
      await writer.start();
      await estate.forget();
      const refused = await estate.up();
      expect(refused.code).not.toBe(0);
      expect(refused.output).toContain(`is operated by stack ${id}`);
      expect(refused.output).toContain(`npx pulumi config set adopt ${id}`);
      const started = await estate.on("slayer", "cat /var/lib/postgresql/15/sounz/postmaster.pid");
      estate.config = { adopt: id };
      estate.write();
      const mark = writer.mark();
      ok(await estate.up());
      estate.config = {};
      estate.write();
      const { outageMs, unknown } = writer.since(mark);
      await writer.stop();
      // The new state has a password of its own, which the same update has set.
      Object.assign(target, await estate.database());
      expect(await writer.lost()).toEqual([]);
      expect(unknown).toBe(0);
      expect(outageMs).toBeLessThan(500);
      expect(await estate.on("slayer", "cat /var/lib/postgresql/15/sounz/postmaster.pid")).toBe(started);
      expect((await estate.verify()).code).toBe(0);
    },
    3 * minute,
  );

  it(
    "is let go by a destroy that reaches neither machine, and twice",
    async () => {
      await killHost(estate.lab, "megadeth");
      ok(await estate.project.pulumi(["destroy", "--yes", "--skip-preview"]));
      ok(await estate.project.pulumi(["destroy", "--yes", "--skip-preview"]));
      await estate.boot("megadeth");
      const id = await estate.on("slayer", "sed -n s/^id=//p /var/lib/changeover/sounz/stack");
      estate.config = { adopt: id.trim() };
      estate.write();
      await streams();
    },
    2 * minute,
  );
});
