import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { parse, stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Writer, type WriterTarget } from "../../tools/workshop/writer.ts";
import { root } from "../../config/places.ts";
import { Estate } from "../support/estate.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;
/** A checkout of an earlier release that makes the pair first; the update that follows is this one's. */
const earlier = process.env.CHANGEOVER_EARLIER;
const purposes = ["secret", "replication", "rsync", "checks", "owner"];
const files = "cd /etc/sounz && cat secret pgpass rsync.pass rsync.secrets | cat";

const isOpen = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.on("connect", () => {
      end(true);
    });
    socket.on("timeout", () => {
      end(false);
    });
    socket.on("error", () => {
      end(false);
    });
  });

describe.skipIf(whyNoLab() !== undefined)("the secrets of a pair", () => {
  let estate: Estate;
  let writer: Writer;
  let target: WriterTarget;

  const useProgram = (main: string): void => {
    const file = join(estate.project.folder, "Pulumi.yaml");
    writeFileSync(file, stringify({ ...(parse(readFileSync(file, "utf8")) as object), main }));
  };
  const started = () => estate.on("slayer", "cat /var/lib/postgresql/15/sounz/postmaster.pid");
  const streams = () =>
    expect
      .poll(() => estate.psql("slayer", "select state from pg_stat_replication"), { timeout: 30_000 })
      .toBe("streaming");
  const passwords = async (): Promise<Record<string, string>> => {
    const { resources } = await estate.project.state();
    const shown = await estate.project.pulumi(["stack", "export", "--show-secrets"]);
    const { deployment } = JSON.parse(shown.output) as {
      deployment: { resources: { urn: string; outputs?: { result?: unknown } }[] };
    };
    expect(deployment.resources).toHaveLength(resources.length);
    return Object.fromEntries(
      deployment.resources.flatMap(({ urn, outputs }) => {
        const purpose = purposes.find((name) => urn.endsWith(`RandomPassword::sounz-${name}`));
        const result: unknown = outputs?.result;
        const text = (result as { plaintext?: string } | undefined)?.plaintext ?? result;
        const value = typeof text === "string" && text.startsWith('"') ? (JSON.parse(text) as string) : text;
        return purpose === undefined || typeof value !== "string" ? [] : [[purpose, value]];
      }),
    );
  };
  const login = async (host: string, user: string, password: string): Promise<string> => {
    const client = new pg.Client({ host, port: 5432, database: "sounz", user, password });
    client.on("error", () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ user: string }>("select current_user as user");
      return rows[0]?.user ?? "";
    } catch (error) {
      return (error as Error).message;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const replicates = (from: string, to: string, password: string): Promise<string> =>
    estate.on(
      from,
      `PGPASSWORD=${password} /usr/lib/postgresql/15/bin/psql -XAtq -d 'host=${to} user=changeover dbname=postgres sslmode=require channel_binding=require' -c 'select current_user' 2>&1 || true`,
    );

  beforeAll(async () => {
    estate = await Estate.start();
    if (earlier) useProgram(earlier);
    ok(await estate.up());
    target = await estate.database();
    writer = new Writer(target);
    await writer.start();
  }, 10 * minute);
  afterAll(() => estate.stop(), minute);

  it.runIf(earlier)(
    "of an earlier release become one for each purpose, without a restart of production or a failed write",
    async () => {
      const [pid, mark] = [await started(), writer.mark()];
      await estate.on(
        "slayer",
        "echo 'host replication barman 10.9.9.9/32 scram-sha-256' >>/etc/postgresql/15/sounz/pg_hba.conf",
      );
      await estate.psql("slayer", "create role reports login password 'r'");
      useProgram(root);
      ok(await estate.up());
      await streams();
      const { outageMs, unknown } = writer.since(mark);
      expect({ pid: await started(), unknown }).toEqual({ pid, unknown: 0 });
      expect(outageMs).toBeLessThan(500);
      const hba = await estate.on("slayer", "cat /etc/postgresql/15/sounz/pg_hba.conf");
      expect(hba).toContain("host replication barman 10.9.9.9/32 scram-sha-256");
      expect(await login(target.host, "reports", "r")).toBe("reports");
      ok(await estate.up());
    },
    3 * minute,
  );

  it(
    "are all replaced by one update while users write: nothing acknowledged is lost, and production is not restarted",
    async () => {
      const [pid, before, held] = [await started(), await passwords(), await estate.on("slayer", files)];
      const { resources } = await estate.project.state();
      const urns = purposes.flatMap((name) =>
        resources.filter(({ urn }) => urn.endsWith(`RandomPassword::sounz-${name}`)).map(({ urn }) => urn),
      );
      expect(urns).toHaveLength(purposes.length);
      const mark = writer.mark();
      ok(await estate.up(...urns.flatMap((urn) => ["--replace", urn])));
      const after = await passwords();
      Object.assign(target, { password: after.owner });
      await streams();
      const { outageMs, unknown } = writer.since(mark);
      expect({ pid: await started(), unknown }).toEqual({ pid, unknown: 0 });
      // Who is logged in stays logged in.
      expect(outageMs).toBeLessThan(500);
      expect(await writer.lost()).toEqual([]);

      expect(await login(target.host, "sounz", after.owner ?? "")).toBe("sounz");
      expect(await login(target.host, "sounz", before.owner ?? "")).toContain(
        "password authentication failed",
      );
      expect(await login(target.host, "changeover_check", after.checks ?? "")).toBe("changeover_check");
      expect(await login(target.host, "changeover_check", before.checks ?? "")).toContain("failed");
      const slayer = estate.host("slayer").address;
      expect((await replicates("megadeth", slayer, after.replication ?? "")).trim()).toBe("changeover");
      expect(await replicates("megadeth", slayer, before.replication ?? "")).toContain("failed");
      for (const host of ["slayer", "megadeth"]) {
        const now = await estate.on(host, files);
        for (const purpose of ["secret", "replication", "rsync"]) {
          expect(now).toContain(after[purpose]);
          expect(now).not.toContain(before[purpose]);
        }
        expect(now).not.toContain(after.owner);
        expect(now).not.toContain(after.checks);
        await expect
          .poll(() => estate.on(host, "ls /etc/sounz | grep -c before || true"), { timeout: 10_000 })
          .toBe("0\n");
      }
      expect(held).toContain(before.secret);
    },
    4 * minute,
  );

  it("of the checks and of the database admit nobody as role changeover but the other machine", async () => {
    const { replication = "" } = await passwords();
    expect(await login(target.host, "changeover", replication)).toContain("pg_hba.conf rejects connection");
    // The port of the records is open to the other machine only.
    for (const [port, answers] of [
      [5432, true],
      [5480, false],
    ] as const)
      expect(await isOpen(estate.host("slayer").address, port)).toBe(answers);
  });

  it(
    "of a machine that is away are replaced there when it is back, and production serves on",
    async () => {
      await estate.on("megadeth", "systemctl stop changeover-peer-sounz changeover-watch-sounz");
      const { resources } = await estate.project.state();
      const urn = resources.find(({ urn }) => urn.endsWith("::sounz-secret"))?.urn ?? "";
      ok(await estate.up("--replace", urn));
      await streams();
      const asked = await estate.on(
        "slayer",
        "python3 /usr/local/lib/changeover/sounz/pair/ask_peer.py sounz served",
      );
      expect(asked).toMatch(/^\d+\n$/);
    },
    3 * minute,
  );

  it(
    "serve a switch there and back",
    async () => {
      const mark = writer.mark();
      estate.flip("megadeth");
      ok(await estate.up());
      expect((await estate.verify()).code).toBe(0);
      estate.flip("slayer");
      ok(await estate.up());
      expect(writer.since(mark).acknowledged).toBeGreaterThan(0);
      await writer.stop();
      expect(await writer.lost()).toEqual([]);
    },
    4 * minute,
  );

  it(
    "are not needed to start a server again that an upgrade of its package stopped",
    async () => {
      const unit = "postgresql@15-sounz";
      // As dpkg runs it for an upgrade; then it waits, as if the rest of the upgrade took its time.
      const upgrade = `DPKG_MAINTSCRIPT_PACKAGE=postgresql-15 sh /var/lib/dpkg/info/postgresql-15.prerm upgrade 15.99`;
      for (const host of ["slayer", "megadeth"]) {
        await estate.on(host, upgrade);
        await expect
          .poll(() => estate.on(host, `systemctl is-active ${unit} || true`), { timeout: 15_000 })
          .toBe("active\n");
        expect(await estate.on(host, "journalctl -o cat -u changeover-watch-sounz | tail -n 20")).toMatch(
          /^(start|serve): /m,
        );
      }
      await streams();
      await estate.on("megadeth", `systemctl stop ${unit}`);
      await expect
        .poll(() => estate.on("megadeth", "journalctl -o cat -u changeover-watch-sounz | tail -n 3"), {
          timeout: 10_000,
        })
        .toContain("left alone: the server was started at this boot and then stopped by a person");
      expect(await estate.on("megadeth", `systemctl is-active ${unit} || true`)).not.toBe("active\n");
      await estate.on("megadeth", `systemctl start ${unit}`);
      await streams();
    },
    2 * minute,
  );
});
