import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as lab from "../../tools/workshop/lab/lab.ts";
import type { Ran } from "../../tools/workshop/lab/lab.ts";
import { run, tryRun } from "../../tools/workshop/lab/lib/run.ts";

const whyNot = lab.whyNoLab();
const repository = join(import.meta.dirname, "../..");
const scripts = "/opt/changeover/test/scripts";
const data = "/var/lib/apollo/apollo/data";
const units = "apollo sounz-app@8001 sounz-app@8002 apache2";
const hosts = ["slayer", "megadeth"] as const;
type Host = (typeof hosts)[number];
const peerOf = (host: Host): Host => (host === "slayer" ? "megadeth" : "slayer");

const secrets = Object.entries({
  peer: "a-secret",
  replication: "a-secret",
  rsync: "a-secret",
  checks: "a-secret",
  owner: "owner",
})
  .map(([purpose, secret]) => `${purpose}=${secret}\n`)
  .join("");

const rsyncd = `uid = apollo
gid = apollo
[apollo]
path = ${data}
read only = yes
auth users = changeover
secrets file = /etc/sounz/rsyncd.secrets
`;
const carries = `indexes.apollo.core=apollo
indexes.apollo.port=8983
indexes.apollo.data=${data}
indexes.apollo.rsyncPort=18983
`;

describe.skipIf(whyNot !== undefined)(
  `the site of SOUNZ${whyNot ? ` (skipped: ${whyNot})` : ""}`,
  { timeout: 90_000 },
  () => {
    const made = { id: lab.newLabId(), stack: "demo", checkout: repository };
    const addresses = {} as Record<Host, string>;

    const on = (host: Host, command: string, stdin = ""): Promise<Ran> => {
      const ssh = ["ssh", "-F", join(lab.labDir(made.id), "ssh_config"), "-o", "BatchMode=yes"];
      return tryRun([...ssh, host, command], { stdin, deadline: 80 });
    };
    const answer = async (host: Host, command: string, stdin = ""): Promise<string> => {
      const { code, stdout, stderr } = await on(host, command, stdin);
      expect(code, `${command}: ${stderr}`).toBe(0);
      return stdout.trim();
    };
    const install = (host: Host): Promise<Ran> =>
      on(host, `CHANGEOVER_SCRIPTS=${scripts} bash ${scripts}/../demo/sounz/install.sh sounz`, "owner\n");
    const copy = (host: Host, ...words: string[]): Promise<Ran> =>
      on(host, `python3 ${scripts}/pair/copy-index.py sounz apollo ${words.join(" ")}`);

    const page = async (host: Host, path: string): Promise<string> =>
      (await fetch(`http://${addresses[host]}${path}`)).text();
    const post = async (host: Host, title: string): Promise<string> => {
      const body = new URLSearchParams({ title });
      return (await fetch(`http://${addresses[host]}/works`, { method: "POST", body })).text();
    };
    const solr = async (host: Host, path: string, change?: unknown): Promise<Record<string, unknown>> => {
      const asked = await fetch(`http://${addresses[host]}:8983/solr/apollo/${path}`, {
        ...(change ? { method: "POST", body: JSON.stringify(change) } : {}),
        headers: { "Content-Type": "application/json" },
      });
      return (await asked.json()) as Record<string, unknown>;
    };
    const index = async (
      host: Host,
    ): Promise<{ version: unknown; generation: unknown; documents: unknown }> => {
      const { details } = (await solr(host, "replication?command=details&wt=json")) as {
        details: { indexVersion: number; generation: number };
      };
      const { response } = (await solr(host, "select?q=*:*&rows=0&wt=json")) as {
        response: { numFound: number };
      };
      return {
        version: details.indexVersion,
        generation: details.generation,
        documents: response.numFound,
      };
    };
    const folders = (host: Host): Promise<string> => answer(host, `cd ${data} && ls -d index*/`);
    const serveIndex = async (...options: string[]): Promise<void> => {
      const words = [
        "--daemon",
        "--no-detach",
        "--port=18983",
        "--config=/etc/apollo/rsyncd.conf",
        ...options,
      ];
      for (const host of hosts) {
        await answer(host, "systemctl stop apollo-rsync 2>/dev/null || true");
        await answer(host, `systemd-run --quiet --collect --unit=apollo-rsync rsync ${words.join(" ")}`);
        await answer(host, "until ss -ltn | grep -q :18983; do :; done");
      }
    };

    beforeAll(async () => {
      const { subnet } = await lab.createLab(made);
      const packed = await mkdtemp(join(tmpdir(), "changeover-scripts-"));
      await run(["tar", "-C", repository, "-czf", join(packed, "scripts.tgz"), "scripts", "demo/sounz"]);
      for (const host of hosts) {
        addresses[host] = (await lab.hostUp(made.id, host)).address;
        const config = join(lab.labDir(made.id), "ssh_config");
        await run(["scp", "-q", "-F", config, join(packed, "scripts.tgz"), `${host}:`]);
        await answer(host, `mkdir -p ${scripts}/.. && tar --no-same-owner -C ${scripts}/.. -xzf scripts.tgz`);
      }
      await rm(packed, { recursive: true });
      for (const host of hosts) {
        const settings = {
          self: host,
          peer: peerOf(host),
          primary: "slayer",
          secondary: "megadeth",
          self_address: addresses[host],
          peer_address: addresses[peerOf(host)],
          service_address: subnet.replace("0/24", "46"),
          interface: "auto",
          clients: subnet,
          database: "sounz",
          port: "5432",
          peer_port: "5480",
        };
        const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
        await answer(host, "mkdir -p /var/lib/changeover/sounz");
        await answer(host, `bash ${scripts}/pair/configure.sh sounz ${words.join(" ")}`, secrets);
        // No transition is open here, and without one it starts and stops servers by itself.
        await answer(host, "systemctl stop changeover-watch-sounz");
      }
      for (const host of hosts) await answer(host, `bash ${scripts}/pair/init.sh sounz`, secrets);
    }, 900_000);
    afterAll(() => lab.removeLab(made.id), 60_000);

    it("is not installed without ports for its app servers, nor without the files of Solr", async () => {
      const asked = await install("slayer");
      expect(asked.code).toBe(77);
      expect(asked.stderr).toContain('MONGREL_PORTS in /etc/sounz/sounz.conf is ""; set it to the ports');
      for (const host of hosts) await answer(host, "echo MONGREL_PORTS=8001 8002 >>/etc/sounz/sounz.conf");
      await answer("slayer", "mv /opt/apollo/lib/reload4j.jar /opt/apollo/solr.war /root");
      const lacking = await install("slayer");
      expect(lacking.code).toBe(77);
      expect(lacking.stderr).toContain(
        "/opt/apollo on slayer lacks solr.war lib/reload4j.jar; put them there",
      );
      await answer("slayer", "mv /root/solr.war /opt/apollo && mv /root/reload4j.jar /opt/apollo/lib");
    });

    it("is installed, twice, and starts nothing", async () => {
      for (const host of [...hosts, ...hosts]) {
        const { code, stdout, stderr } = await install(host);
        expect(code, stderr).toBe(0);
        expect(stdout).toMatch(new RegExp(`^sounz ${host} has the site of SOUNZ \\d`));
        expect(stderr).not.toContain("installing");
      }
      const states = await answer("slayer", `systemctl is-active ${units} || true`);
      expect(states.split("\n")).toEqual(["inactive", "inactive", "inactive", "inactive"]);
      expect(await answer("slayer", "systemctl is-enabled apache2 || true")).toBe("disabled");
      expect(await answer("slayer", "cat /etc/apollo/apollo.conf")).toBe("PORT=8983\nRSYNC_PORT=18983");
    });

    it("serves its front page and keeps a work in the database, a file and the index", async () => {
      for (const host of hosts) await answer(host, `systemctl start ${units}`);
      for (const host of hosts)
        await expect
          .poll(() => page(host, "/health"), { timeout: 20_000 })
          .toBe("ok: 0 works, 0 in the index\n");
      expect(await post("slayer", "Landfall & in Unknown Seas")).toBe("work 1\n");
      expect(await page("slayer", "/")).toContain("<h1>SOUNZ</h1><p>1 works, 1 in the index</p>");
      expect(await answer("slayer", "cat /data/sounz/works/1.txt")).toBe("Landfall & in Unknown Seas");
      expect(await post("slayer", " ")).toBe("POST /works with title=…\n");
      const logs = [
        "sounz/sounz-app/production.log:POST /works HTTP/1.1. 201",
        "sounz/apache2/sounz.org.nz-access.log:POST /works HTTP/1.1. 201",
        "apollo/apollo.log:path=/update",
      ].map((each) => each.split(":") as [string, string]);
      for (const [file, line] of logs) await answer("slayer", `grep -q '${line}' /var/log/${file}`);
      await answer("slayer", "test -e /var/log/sounz/apache2/sounz.org.nz-error.log");
      expect(await answer("slayer", "ps ax | grep -c '[s]tart.jar'")).toBe("1");
    });

    it("goes on when the database was away, and says what is missing", async () => {
      await answer("slayer", "systemctl stop postgresql@15-sounz");
      const sick = await fetch(`http://${addresses.slayer}/health`);
      expect(sick.status).toBe(503);
      expect(await sick.text()).toMatch(/OperationalError: .*Connection refused/);
      await answer("slayer", "systemctl start postgresql@15-sounz");
      for (const _ of "four") expect(await page("slayer", "/health")).toBe("ok: 1 works, 1 in the index\n");
    });

    it("is not restarted by an installation that changes nothing; only the part that changed is", async () => {
      const pids = (): Promise<string> => answer("slayer", `systemctl show -P MainPID ${units}`);
      const before = await pids();
      expect((await install("slayer")).code).toBe(0);
      expect(await pids()).toBe(before);
      await answer("slayer", "echo '# older' >>/usr/share/sounz/app.py");
      expect((await install("slayer")).code).toBe(0);
      const [apollo, ...rest] = (await pids()).split("\n\n");
      expect(before.split("\n\n")[0]).toBe(apollo);
      expect(before.split("\n\n").slice(1, 3)).not.toEqual(rest.slice(0, 2));
    });

    it("is read-only where the database is", async () => {
      await expect.poll(() => page("megadeth", "/")).toContain("1 works, 0 in the index");
      expect(await post("megadeth", "A staging work")).toMatch(/^ReadOnlySqlTransaction: /);
    });

    it("has its index pulled to the other machine, and once only", async () => {
      for (const host of hosts) {
        await answer(host, "cat >/etc/apollo/rsyncd.conf", rsyncd);
        await answer(host, "cat >/etc/sounz/carries", carries);
        await answer(host, "umask 077 && echo changeover:a-secret >/etc/sounz/rsyncd.secrets");
        await answer(host, "umask 077 && echo another >/etc/sounz/rsync.pass");
      }
      await serveIndex();
      const refused = await copy("megadeth");
      expect(refused.code, refused.stderr).toBe(77);
      expect(refused.stderr).toContain("/apollo rejects megadeth");
      for (const host of hosts) await answer(host, "echo a-secret >/etc/sounz/rsync.pass");
      const first = await copy("megadeth");
      expect(first.code, first.stderr).toBe(0);
      expect(first.stdout).toMatch(
        /^sounz apollo is copied: version \d{13}, generation \d+, 1 documents, [1-9]\d+ bytes copied \d+\.\d\d$/m,
      );
      expect(await index("megadeth")).toEqual(await index("slayer"));
      expect((await copy("megadeth")).stdout).toMatch(/is already the same.* 1 documents, 0 bytes copied/);
      await post("slayer", "A second one");
      expect((await copy("megadeth")).stdout).toContain("2 documents");
      expect(await index("megadeth")).toEqual(await index("slayer"));
      expect(await folders("megadeth")).toMatch(/^index\.\d{17}\/$/);
    });

    it("has the old index in service when a pull breaks off, and no leftover after the next", async () => {
      const noise = [...crypto.getRandomValues(new Uint8Array(60_000))]
        .map((byte) => byte.toString(36))
        .join(" ");
      const many = Array.from({ length: 4 }, (_, n) => ({ id: `n${n}`, title: `${n}${noise}` }));
      await solr("slayer", "update?commit=true", many);
      await serveIndex("--bwlimit=100");
      const before = await index("megadeth");
      const pulling = copy("megadeth");
      await answer(
        "megadeth",
        `until ls ${data}/index.*/.*.?????? >/dev/null 2>&1; do :; done; pkill -f '[f]iles-from'`,
      );
      const broken = await pulling;
      expect(broken.code, broken.stderr).toBe(75);
      expect(broken.stderr).toMatch(/rsync from .* ended with .*; the index in service stays/);
      expect(await folders("megadeth")).toMatch(/^\S+$/);

      const killed = copy("megadeth");
      await answer(
        "megadeth",
        `until ls ${data}/index.*/.*.?????? >/dev/null 2>&1; do :; done; pkill -9 -f '[c]opy-index'`,
      );
      expect((await killed).code).not.toBe(0);
      expect(await folders("megadeth")).toMatch(/^\S+\n\S+$/);
      expect(await answer("megadeth", "pgrep -f '[f]iles-from' || true")).toBe("");
      expect(await index("megadeth")).toEqual(before);
      await answer("megadeth", "systemctl restart apollo");
      await expect.poll(() => index("megadeth").catch(() => undefined), { timeout: 20_000 }).toEqual(before);

      await serveIndex();
      const whole = await copy("megadeth");
      expect(whole.code, whole.stderr).toBe(0);
      expect(await index("megadeth")).toEqual(await index("slayer"));
      expect(await folders("megadeth")).toMatch(/^\S+$/);
    });

    it("drops what was changed on the standby, committed or not", async () => {
      const wanted = await index("slayer");
      for (const how of ["commit=true", "softCommit=true", ""]) {
        await solr("megadeth", `update?${how}`, [{ id: "staging", title: "staging" }]);
        const ran = await copy("megadeth");
        expect(ran.code, ran.stderr).toBe(0);
        expect(await index("megadeth")).toEqual(wanted);
        await solr("megadeth", "update?commit=true", [{ id: "next", title: "next" }]);
        expect((await index("megadeth")).documents).toBe(Number(wanted.documents) + 1);
      }
    });

    it("goes on from the copy on the new production, and back", async () => {
      expect((await copy("megadeth", "--final")).code).toBe(0);
      await solr("megadeth", "update", [{ id: "later", title: "not committed yet" }]);
      const refused = await copy("slayer");
      expect(refused.code).toBe(77);
      expect(refused.stderr).toContain("PostgreSQL on slayer accepts writes, so slayer is production");
      const back = await copy("slayer", "--final");
      expect(back.code, back.stderr).toBe(0);
      expect(await index("slayer")).toEqual(await index("megadeth"));
      const { response } = (await solr("slayer", "select?q=title:committed&wt=json")) as {
        response: { docs: { id: string }[] };
      };
      expect(response.docs.map(({ id }) => id)).toEqual(["later"]);
    });

    it("has its copy in place while Solr is off, and keeps the old one when Solr does not open the new", async () => {
      await answer("megadeth", "systemctl stop apollo");
      await post("slayer", "While it was off");
      expect((await copy("megadeth")).stdout).toContain("is copied for the next start of Solr");
      await answer("megadeth", "systemctl start apollo");
      await expect
        .poll(() => index("megadeth").catch(() => undefined), { timeout: 20_000 })
        .toEqual(await index("slayer"));
      const before = await index("megadeth");
      await post("slayer", "Not to be opened");
      await answer(
        "megadeth",
        "cd /var/lib/apollo/apollo/conf && cp schema.xml kept && echo broken >schema.xml",
      );
      const ran = await copy("megadeth");
      expect(ran.code).toBe(77);
      expect(ran.stderr).toContain("does not open the copy");
      expect(await index("megadeth")).toEqual(before);
      await answer("megadeth", "cd /var/lib/apollo/apollo/conf && mv kept schema.xml");
      expect((await copy("megadeth")).code).toBe(0);
    });

    it("refuses an index that was made anew in place of one that holds something", async () => {
      await answer("slayer", `systemctl stop apollo && rm -r ${data}/index* && systemctl start apollo`);
      await expect
        .poll(() => index("slayer").catch(() => undefined), { timeout: 20_000 })
        .toMatchObject({ version: 0 });
      const ran = await copy("megadeth");
      expect(ran.code).toBe(77);
      expect(ran.stderr).toContain("apollo on slayer never had a commit");
    });
  },
);
