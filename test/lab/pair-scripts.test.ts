import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as lab from "../../tools/workshop/lab/lab.ts";
import type { Ran } from "../../tools/workshop/lab/lab.ts";
import { run, tryRun } from "../../tools/workshop/lab/lib/run.ts";

const whyNot = lab.whyNoLab();
const repository = join(import.meta.dirname, "../..");
const release = "/opt/changeover/test";
const data = "/var/lib/postgresql/15/sounz";
const records = "/var/lib/changeover/sounz";
const hosts = ["slayer", "megadeth"] as const;
const secrets = ["peer", "replication", "rsync", "checks", "owner"]
  .map((purpose) => `${purpose}=the-${purpose}-secret\n`)
  .join("");
type Host = (typeof hosts)[number];
const peerOf = (host: Host): Host => (host === "slayer" ? "megadeth" : "slayer");

/** A run that ended with `code` and said something: on stdout when it is so (0), else on stderr. */
const ended = async (running: Promise<Ran>, code: number, said: string | RegExp): Promise<void> => {
  const ran = await running;
  expect(ran.code, ran.stderr).toBe(code);
  expect(code === 0 ? ran.stdout : ran.stderr).toMatch(said);
};
const refused = (running: Promise<Ran>, why: string | RegExp): Promise<void> => ended(running, 77, why);

describe.skipIf(whyNot !== undefined)(
  `the scripts of a pair${whyNot ? ` (skipped: ${whyNot})` : ""}`,
  { timeout: 120_000 },
  () => {
    const made = { id: lab.newLabId(), stack: "pair-scripts", checkout: repository };
    const addresses: Record<string, string> = {};
    let subnet = "";
    let service = "";
    let epoch = 0;
    let open = { transition: "", id: "" };

    const on = (host: Host, command: string, stdin = ""): Promise<Ran> => {
      const ssh = ["ssh", "-F", join(lab.labDir(made.id), "ssh_config"), "-o", "BatchMode=yes"];
      return tryRun([...ssh, host, command], { stdin, deadline: 100 });
    };
    const answer = async (host: Host, command: string): Promise<string> => {
      const { code, stdout, stderr } = await on(host, command);
      expect(code, `${command}: ${stderr}`).toBe(0);
      return stdout.trim();
    };
    const sql = (host: Host, statement: string): Promise<string> =>
      answer(host, `cd / && runuser -u postgres -- psql -XAtq -d sounz -c "${statement}"`);
    const writes = async (host: Host): Promise<boolean> =>
      (await sql(host, "select pg_is_in_recovery()")) === "f";

    const claim = (host: Host, id: string, number: number): Promise<Ran> =>
      on(
        host,
        `bash ${release}/scripts/claim.sh sounz ${open.transition} ${id} this-stack ${String(number)}`,
      );
    const begin = async (transition: "provision" | "switch"): Promise<void> => {
      epoch++;
      open = { transition, id: `${transition}-${String(epoch)}` };
      for (const host of hosts) await ended(claim(host, open.id, epoch), 0, "claimed");
    };
    const step = (host: Host, script: string, words = "", stdin = ""): Promise<Ran> =>
      on(
        host,
        `bash ${release}/scripts/step.sh sounz ${open.transition} ${open.id} 100 pair/${script} sounz ${words}`,
        stdin,
      );
    const configure = (host: Host): Promise<Ran> => {
      const settings = {
        self: host,
        peer: peerOf(host),
        primary: "slayer",
        secondary: "megadeth",
        self_address: addresses[host],
        peer_address: addresses[peerOf(host)],
        service_address: service,
        interface: "auto",
        database: "sounz",
        port: "5432",
        peer_port: "5480",
        clients: subnet,
      };
      const words = Object.entries(settings).map(([key, value]) => `${key}=${value ?? ""}`);
      return step(host, "configure", words.join(" "), secrets);
    };
    const statuses = (production: Host): Record<Host, string> =>
      production === "slayer"
        ? { slayer: "production", megadeth: "standby" }
        : { slayer: "production_as_standby", megadeth: "standby_as_production" };

    /** All steps of a switch, each run twice; the second run finds it so. */
    const flip = async (to: Host): Promise<void> => {
      const from = peerOf(to);
      await begin("switch");
      const rows: readonly [host: Host, script: string, first: RegExp, second: RegExp][] = [
        [
          to,
          "require-ready 16",
          /streams from|already accepts writes|read-only/,
          /streams from|accepts|read-only/,
        ],
        [from, "fence", /fenced at [0-9A-F]+\/[0-9A-F]+ /, /fenced at/],
        [
          to,
          "takeover",
          new RegExp(`(promoted at|already accepts writes).*holds ${service}`),
          /already accepts writes, holds/,
        ],
        [from, "follow", new RegExp(`${from} streams from ${to}`), /streams from/],
        ...hosts.map((host): [Host, string, RegExp, RegExp] => {
          const status = statuses(to)[host];
          return [host, `write-status ${status}`, new RegExp(`is ${status} `), new RegExp(`is ${status} `)];
        }),
      ];
      for (const [host, words, first, second] of rows) {
        const [script = "", word = ""] = words.split(" ");
        await ended(step(host, script, word), 0, first);
        await ended(step(host, script, word), 0, second);
      }
    };

    beforeAll(async () => {
      ({ subnet } = await lab.createLab(made));
      service = subnet.replace("0/24", "46");
      const packed = await mkdtemp(join(tmpdir(), "changeover-scripts-"));
      await run(["tar", "-C", repository, "-czf", join(packed, "scripts.tgz"), "scripts"]);
      for (const host of hosts) {
        addresses[host] = (await lab.hostUp(made.id, host)).address;
        const config = join(lab.labDir(made.id), "ssh_config");
        await run(["scp", "-q", "-F", config, join(packed, "scripts.tgz"), `${host}:`]);
        await answer(host, `mkdir -p ${release} && tar --no-same-owner -C ${release} -xzf scripts.tgz`);
      }
      await rm(packed, { recursive: true });
    }, 900_000);
    afterAll(() => lab.removeLab(made.id), 60_000);

    it("explain themselves", async () => {
      const help = await answer(
        "slayer",
        `cd ${release}/scripts/pair && for file in *.sh; do case $file in lib* | retire.sh) ;; *) bash $file --help | grep -c "^Usage: $file PAIR" ;; esac; done | sort | uniq -c`,
      );
      expect(help).toMatch(/^\d+ 1$/);
    });

    it("describe a blank machine, and find the packages of a prepared one", async () => {
      const facts = JSON.parse(
        await answer("slayer", `python3 ${release}/scripts/pair/probe.py sounz ${service}`),
      ) as Record<string, unknown>;
      expect(facts).toMatchObject({ claim: null, cluster: "absent", configured: false, postgres: "stopped" });
      await begin("provision");
      for (const host of hosts) {
        const ran = await step(host, "packages");
        expect(ran.code, ran.stderr).toBe(0);
        expect(ran.stderr).not.toContain("installing");
      }
    });

    it("refuse a service address that the machine would hold at boot [004-066]", async () => {
      const file = "/etc/network/interfaces.d/service";
      await answer(
        "slayer",
        `mkdir -p ${file.replace("/service", "")} && echo address ${service}/24 >${file}`,
      );
      await refused(configure("slayer"), `${file} on slayer contains the service address ${service}`);
      expect(await answer("slayer", `rm ${file}; ls /etc/sounz 2>&1 || true`)).toContain("No such");
    });

    it("tell each machine who it is, twice [004-010] [004-012] [004-009] [004-011] [004-014]", async () => {
      for (const host of [...hosts, ...hosts])
        await ended(configure(host), 0, `${host} is configured for pair sounz`);
      const conf = await answer("megadeth", "cat /etc/sounz/sounz.conf");
      expect(conf).toContain(`IP_PRIMARY_SERVER=${addresses["slayer"] ?? ""}\n`);
      expect(conf).toContain(`IP_SECONDARY_SERVER=${addresses["megadeth"] ?? ""}\n`);
      expect(await answer("slayer", "stat -c %a /etc/sounz/secret /etc/sounz/pgpass")).toBe("600\n600");
    });

    it("refuse data that they did not make, and leave it as it is", async () => {
      for (const [host, script] of [
        ["slayer", "init"],
        ["megadeth", "base-copy"],
      ] as const) {
        await answer(host, `mkdir -p ${data} && echo 15 >${data}/PG_VERSION`);
        await refused(step(host, script, "", secrets), "was not created for pair sounz");
        expect(await answer(host, `cat ${data}/PG_VERSION && rm -r ${data}`)).toBe("15");
      }
    });

    it("make no database while the peer is silent, as it may have one", async () => {
      await answer("megadeth", "systemctl stop changeover-peer-sounz");
      await ended(step("slayer", "init", "", secrets), 75, "megadeth does not answer");
      expect(await answer("slayer", `ls -d ${data} 2>&1 || true`)).toContain("No such");
      await answer("megadeth", "systemctl start changeover-peer-sounz");
      await ended(step("slayer", "init", "", secrets), 0, "slayer has cluster 15/sounz with database sounz");
      await ended(step("slayer", "init", "", secrets), 0, "already has the cluster");
    });

    it("copy it to the other, twice, and again when that one has lost it", async () => {
      const copied = "megadeth has a copy of slayer and streams";
      await ended(step("megadeth", "base-copy"), 0, copied);
      await ended(step("megadeth", "base-copy"), 0, "already has the cluster");
      await answer("megadeth", `systemctl stop postgresql@15-sounz && mv ${data} /var/lib/postgresql/away`);
      await ended(step("megadeth", "init", "", secrets), 0, copied);
      await ended(step("megadeth", "init", "", secrets), 0, "already has the cluster");
      expect(await writes("slayer")).toBe(true);
      expect(await writes("megadeth")).toBe(false);
    });

    it("make the first one production [004-043]", async () => {
      await flip("slayer");
      await sql("slayer", "create table lines (line text)");
    });

    it("refuse what is not so, whoever asks", async () => {
      await begin("switch");
      await refused(
        step("megadeth", "takeover"),
        /slayer is not fenced by \S+: its fence is of no transition/,
      );
      await refused(step("slayer", "follow"), "slayer accepts writes and must be fenced first");
      await ended(step("slayer", "write-status", "master"), 64, "status master is unknown");
      await refused(step("slayer", "write-status", "standby"), "slayer is not a running standby");
      await refused(step("megadeth", "write-status", "production"), "megadeth rejects writes");
      await refused(claim("slayer", "another", epoch), "two runs at once");
      await refused(claim("slayer", "another", epoch - 1), "somebody acted since its preflight");
      open = { transition: "switch", id: "another" };
      await refused(step("slayer", "fence"), /slayer is claimed by switch switch-\d+, not by switch another/);
      expect(await writes("slayer")).toBe(true);
    });

    it("refuse a database that is not the pair's", async () => {
      await begin("switch");
      await answer("megadeth", `sed -i.kept s/=./=9/ ${records}/cluster`);
      for (const script of ["require-ready", "fence", "takeover", "follow"])
        await refused(
          step("megadeth", script, script === "require-ready" ? "16" : ""),
          /has system identifier \d+; the database of pair sounz has 9/,
        );
      await answer("megadeth", `mv ${records}/cluster.kept ${records}/cluster`);
    });

    it("promote nothing while another machine answers for the address [004-063]", async () => {
      await begin("switch");
      await sql("slayer", "insert into lines values ('before the fence')");
      await ended(step("megadeth", "require-ready", "16"), 0, "streams from slayer, at most 16 MiB behind");
      await ended(step("slayer", "fence"), 0, "slayer is fenced at");
      await run(["ip", "address", "add", `${service}/32`, "dev", made.id]);
      try {
        await refused(
          step("megadeth", "takeover"),
          new RegExp(`${service} is held by .*nothing was promoted`),
        );
      } finally {
        await run(["ip", "address", "delete", `${service}/32`, "dev", made.id]);
      }
      expect(await writes("megadeth")).toBe(false);
      expect(await writes("slayer")).toBe(true);
      expect(await answer("slayer", `ip -o address show to ${service}/32`)).toContain(service);
    });

    it("serve on when a fence can't be recorded, whatever was stopped by then", async () => {
      await begin("switch");
      const record = `${records}/fence`;
      // No file can take the place of a mount point.
      await answer("slayer", `touch ${record} && mount --bind ${record} ${record}`);
      await ended(
        step("slayer", "fence"),
        75,
        /the fence of slayer can't be recorded[^]*slayer serves again/,
      );
      expect(await writes("slayer")).toBe(true);
      expect(
        await answer("slayer", `umount ${record}; rm -f ${record}; ip -o address show to ${service}/32`),
      ).toContain(service);
    });

    it("go back from there, and there and back again, and lose nothing [004-045]", async () => {
      await flip("slayer");
      expect(await writes("slayer")).toBe(true);
      await flip("megadeth");
      expect(await sql("megadeth", "select line from lines")).toBe("before the fence");
      expect(await answer("slayer", `ip -o address show to ${service}/32; cat /etc/sounz/sounz.status`)).toBe(
        "production_as_standby",
      );
    });

    it("set aside what only one has, and make it follow", async () => {
      // It would put this machine down within a second.
      await answer("slayer", "systemctl stop changeover-watch-sounz");
      await sql("slayer", "select pg_promote()");
      await sql("slayer", "insert into lines values ('only here')");
      await sql("megadeth", "insert into lines values ('there')");
      const asStandby = `runuser -u postgres -- touch ${data}/standby.signal`;
      await answer("slayer", `systemctl stop postgresql@15-sounz && ${asStandby}`);
      await begin("switch");
      const ran = await step("slayer", "follow");
      expect(ran.code, ran.stderr).toBe(0);
      expect(ran.stderr).toMatch(/set aside under .*: \d+ KiB of log/);
      expect(await answer("slayer", `ls ${records}/set-aside/*/ | grep -c .`)).not.toBe("0");
      await expect
        .poll(() => sql("slayer", "select string_agg(line, ', ') from lines"))
        .toBe("before the fence, there");
      await answer("slayer", "systemctl start changeover-watch-sounz");
    });

    it("put down a standby that a hand promotes beside production", async () => {
      await sql("slayer", "select pg_promote()");
      await expect
        .poll(() => answer("slayer", "cat /etc/sounz/sounz.status"), { timeout: 20_000 })
        .toBe("down");
      expect(await answer("slayer", "systemctl is-active postgresql@15-sounz || true")).not.toBe("active");
      expect(await writes("megadeth")).toBe(true);
      await begin("switch");
      const ran = await step("slayer", "follow");
      expect(ran.code, ran.stderr).toBe(0);
    });

    it("take over with a leftover of a broken-off fence", async () => {
      await answer("megadeth", `runuser -u postgres -- touch ${data}/standby.signal`);
      await flip("megadeth");
      expect(await answer("megadeth", `ls ${data}/standby.signal 2>&1 || true`)).toContain("No such");
    });
  },
);
