import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HaproxyGoal, haproxyConfig } from "../../components/app-pool/haproxy-config.ts";
import * as lab from "../../tools/workshop/lab/lab.ts";
import type { Ran } from "../../tools/workshop/lab/lab.ts";
import { run, tryRun } from "../../tools/workshop/lab/lib/run.ts";
import { startLoad } from "../support/load.ts";

const whyNot = lab.whyNoLab();
const repository = join(import.meta.dirname, "../..");
const scripts = "/opt/changeover/test/scripts";
const apps = ["prodapp01", "prodapp02"] as const;
type App = (typeof apps)[number];
const site = "www.learnexa.com";
const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** Facts of `probe.py` that are used here. */
interface Facts {
  readonly version: string;
  readonly running: boolean;
  readonly servers: Readonly<Record<string, { status: string; admin: string; sessions: number }>>;
  readonly serves: Readonly<Record<string, readonly string[]>>;
  readonly apacheRetired: string | null;
  readonly agrees: string | null;
  readonly socket: string | null;
  readonly minHealthyNow: number;
}

/** A run that ends with `code` and a message: on stdout for 0, otherwise on stderr. */
const ended = async (running: Promise<Ran>, code: number, said: string | RegExp): Promise<void> => {
  const ran = await running;
  expect(ran.code, ran.stderr + ran.stdout).toBe(code);
  expect(code === 0 ? ran.stdout : ran.stderr).toMatch(said);
};

describe.skipIf(whyNot !== undefined)(
  `the scripts of a balancer${whyNot ? ` (skipped: ${whyNot})` : ""}`,
  { timeout: 120_000 },
  () => {
    const made = { id: lab.newLabId(), stack: "haproxy", checkout: repository };
    const addresses: Record<string, string> = {};
    let goal: HaproxyGoal;
    let epoch = 0;
    let open = { component: "", id: "" };
    /** Seconds after which the next scripts are killed, all at once; 0: never. */
    let killedAfter = 0;

    const on = (host: string, command: string): Promise<Ran> => {
      const ssh = ["ssh", "-F", join(lab.labDir(made.id), "ssh_config"), "-o", "BatchMode=yes"];
      return tryRun([...ssh, host, command], { deadline: 100 });
    };
    const answer = async (host: string, command: string): Promise<string> => {
      const { code, stdout, stderr } = await on(host, command);
      expect(code, `${command}: ${stderr}${stdout}`).toBe(0);
      return stdout.trim();
    };
    const begin = async (part: string): Promise<void> => {
      epoch++;
      open = { component: `crossbow-${part}`, id: `id-${String(epoch)}` };
      const words = `${open.component} ${part} ${open.id} this-stack ${String(epoch)}`;
      await ended(on("websvr", `bash ${scripts}/claim.sh ${words}`), 0, "claimed");
    };
    /** A script by its name, of haproxy/ unless it says another folder. */
    const script = (name: string, ...words: string[]): Promise<Ran> => {
      const { component, id } = open;
      const told = `CHANGEOVER_COMPONENT=${component} CHANGEOVER_TRANSITION=${component.slice(9)} CHANGEOVER_ID=${id}`;
      return on(
        "websvr",
        `${told} ${killedAfter ? `timeout -s KILL ${String(killedAfter)} ` : ""}bash ${scripts}/${name.includes("/") ? name : `haproxy/${name}`}.sh ${[component, ...words].map(quoted).join(" ")}`,
      );
    };
    /** Twice, since every step may be run again; the second run finds nothing to do. */
    const twice = async (first: RegExp, again: RegExp, name: string, ...words: string[]): Promise<void> => {
      await ended(script(name, ...words), 0, first);
      await ended(script(name, ...words), 0, again);
    };
    const refused = (why: string | RegExp, name: string, ...words: string[]): Promise<void> =>
      ended(script(name, ...words), 77, why);
    const look = async (): Promise<Facts> =>
      JSON.parse(
        await answer("websvr", `python3 ${scripts}/haproxy/probe.py ${open.component} crossbow`),
      ) as Facts;
    const admins = async () => {
      const { servers, agrees } = await look();
      return {
        ...Object.fromEntries(Object.entries(servers).map(([name, { admin }]) => [name, admin])),
        agrees,
      };
    };
    const bothReady = { prodapp01: "ready", prodapp02: "ready", agrees: null };
    const configure = (change: Partial<HaproxyGoal> = {}): Promise<Ran> =>
      script("configure", "crossbow", haproxyConfig({ ...goal, ...change }));
    const drain = (server: string, seconds = 10, policy = "fail", least = 1): Promise<Ran> =>
      script("drain", "crossbow", String(seconds), policy, String(least), "900", server);
    const enter = (...servers: string[]): Promise<Ran> =>
      script("enter", "crossbow", "5", "1", "/", site, "900", ...servers);
    const tell = (app: App, what: string, value: string) =>
      answer(app, value === "" ? `rm -f /run/app/${what}` : `echo ${value} >/run/app/${what}`);
    const startApp = (app: App, port = 8080) =>
      answer(
        app,
        `mkdir -p /run/app && systemd-run --quiet --collect --unit=app python3 /root/tiny-app.py ${app} /run/app ${String(port)}`,
      );
    const curl = (path: string, method = "GET") =>
      tryRun(["curl", "-si", "-X", method, "--max-time", "20", `http://${addresses["websvr"] ?? ""}${path}`]);
    const slowOnes = (count: number, method = "GET") =>
      Promise.all(Array.from({ length: count }, () => curl("/slow", method)));
    /** Requests that are on their way at a server, before something is done to it. */
    const busy = (app: App) =>
      expect.poll(async () => (await look()).servers[app]?.sessions, { timeout: 5000 }).toBeGreaterThan(0);

    beforeAll(async () => {
      await lab.createLab(made);
      const packed = await mkdtemp(join(tmpdir(), "changeover-scripts-"));
      await run(["tar", "-C", repository, "-czf", join(packed, "scripts.tgz"), "scripts"]);
      const config = join(lab.labDir(made.id), "ssh_config");
      for (const host of ["websvr", ...apps]) addresses[host] = (await lab.hostUp(made.id, host)).address;
      await run(["scp", "-q", "-F", config, join(packed, "scripts.tgz"), "websvr:"]);
      await answer("websvr", `mkdir -p ${scripts} && tar --no-same-owner -C ${scripts}/.. -xzf scripts.tgz`);
      for (const app of apps) {
        await run(["scp", "-q", "-F", config, join(repository, "test/support/tiny-app.py"), `${app}:`]);
        await startApp(app);
      }
      await rm(packed, { recursive: true });
      goal = {
        pool: "crossbow",
        binds: [`${addresses["websvr"] ?? ""}:80`],
        servers: apps.map((name) => ({ name, address: addresses[name] ?? "", port: 8080 })),
        ready: { path: "/ready", status: 200 },
        host: site,
      };
    }, 900_000);
    afterAll(() => lab.removeLab(made.id), 60_000);

    it("explain themselves", async () => {
      const help = await answer(
        "websvr",
        `cd ${scripts}/haproxy && for file in *.sh; do case $file in lib*|retire.sh) ;; *) bash $file --help | grep -c "^Usage: $file COMPONENT" ;; esac; done | sort | uniq -c`,
      );
      expect(help).toMatch(/^\d+ 1$/);
    });

    it("find the packages of a prepared machine, and HAProxy at rest", async () => {
      await begin("websvr");
      await twice(/has HAProxy 2\.6/, /has HAProxy 2\.6/, "install-packages");
      expect(await look()).toMatchObject({
        version: expect.stringMatching(/^2\.6\./) as string,
        running: false,
      });
    });

    it("refuse a configuration that HAProxy does not take, with its words [001-053]", async () => {
      await begin("balancers");
      await refused(
        /HAProxy rejects the configuration: .*unknown keyword 'nonsense'/,
        "configure",
        "crossbow",
        `${haproxyConfig(goal)}    nonsense\n`,
      );
      expect(await answer("websvr", "grep -c prodapp /etc/haproxy/haproxy.cfg || true")).toBe("0");
    });

    it("take the whole text as a word through a step, and let new servers in as MAINT only", async () => {
      const text = quoted(haproxyConfig(goal));
      const step = `bash ${scripts}/step.sh ${open.component} balancers ${open.id} 60 haproxy/configure ${open.component} crossbow ${text}`;
      await ended(on("websvr", step), 0, "for its next start");
      await ended(configure(), 0, "unchanged");
      const file = await answer("websvr", "cat /etc/haproxy/haproxy.cfg");
      expect(`${file}\n`.replaceAll(/ disabled$/gm, "")).toBe(haproxyConfig(goal));
      expect(file.match(/ disabled$/gm)).toHaveLength(2);
    });

    it("serve no address that another program has, or that the machine lacks [001-098]", async () => {
      await begin("edge");
      await answer("websvr", "systemctl start apache2");
      await refused(
        /:80 is held by apache2: two programs never serve one address/,
        "serve-site",
        "crossbow",
        "on",
      );
      await answer("websvr", "systemctl stop apache2");
      await begin("balancers");
      await ended(configure({ binds: ["10.99.0.1:80"] }), 0, "next start");
      await begin("edge");
      await refused("10.99.0.1 is on no interface", "serve-site", "crossbow", "on");
      expect(await answer("websvr", "systemctl is-active haproxy || true")).toBe("inactive");
      await begin("balancers");
      await ended(configure(), 0, "next start");
    });

    it("serve every address, and say so only when it is bound [001-090] [001-135] [001-136]", async () => {
      await begin("edge");
      await twice(
        /HAProxy serves \S+:80 now/,
        /HAProxy serves \S+:80 already/,
        "serve-site",
        "crossbow",
        "on",
      );
      expect((await curl("/")).stdout).toMatch(/^HTTP\/1.1 503/);
      expect(await admins()).toEqual({ prodapp01: "maint", prodapp02: "maint", agrees: null });
    });

    it("bring in who is to be in, and nobody else [001-011] [001-159]", async () => {
      await begin("prodapp01");
      await ended(enter("prodapp01"), 0, "good: prodapp01 stays in maintenance");
      await twice(
        /wanted state of prodapp01 is now in /,
        /wanted state of prodapp01 is in already/,
        "record-membership",
        "crossbow",
        "in",
        "prodapp01",
      );
      await ended(enter("prodapp01"), 0, /good: prodapp01 in traffic, \d+ answers without an error/);
      await ended(enter("prodapp01"), 0, "good: prodapp01 in traffic already");
      await ended(script("record-membership", "crossbow", "in", "prodapp02"), 0, "is now in");
      await ended(enter("prodapp02"), 0, "good: prodapp02 in traffic");
      expect(await admins()).toEqual(bothReady);
      expect((await look()).minHealthyNow).toBe(2);
    });

    it("tell from the log who still comes by an address [001-102] [001-103] [001-104]", async () => {
      const [bind = ""] = goal.binds;
      await ended(
        script("require-no-clients", "crossbow", "10.99.0.1:80", "7"),
        0,
        "good: 10.99.0.1:80 is not served on this balancer",
      );
      await ended(
        script("require-no-clients", "crossbow", bind, "7"),
        0,
        /bad: \S+ is still used by|good: no client used/,
      );
      for (const name of ["www.customer.example", "www.customer.example", "old.other.example"])
        await run(["curl", "-s", "-H", `Host: ${name}`, `http://${addresses["websvr"] ?? ""}/`]);
      const said =
        / bad: \S+ is still used by .*www.customer.example \(2 requests, last [^)]+\).*old.other.example \(1 request,/;
      await expect
        .poll(async () => (await script("require-no-clients", "crossbow", bind, "7")).stdout)
        .toMatch(said);
      await refused(
        "; remind these users: the address is released after 7 days",
        "require-no-clients",
        "crossbow",
        bind,
        "7",
        "2999-12-24",
      );
      await ended(
        script("require-no-clients", "crossbow", bind, "7", "2001-12-24"),
        0,
        /good: .*; the deadline 2001-12-24 is over/,
      );
    });

    it("lose no request by a reload, a leave and an enter under load with kept connections", async () => {
      const stop = startLoad(`http://${addresses["websvr"] ?? ""}`);
      for (const checkMilliseconds of [300, 350, 250]) {
        await begin("balancers");
        await ended(configure({ checkMilliseconds }), 0, "reloaded");
        expect(await admins()).toEqual(bothReady);
      }
      for (const app of apps) {
        await begin("release");
        await ended(drain(app), 0, `${app} out of traffic, 0 sessions cut`);
        await ended(enter(app), 0, `good: ${app} in traffic`);
      }
      const seen = await stop();
      expect(seen.failed).toEqual([]);
      expect(seen.answers).toBeGreaterThan(300);
    });

    it("wait for a slow request, and send no new one meanwhile", async () => {
      for (const app of apps) await tell(app, "slow", "4");
      await begin("release");
      const slow = slowOnes(4);
      await busy("prodapp02");
      const started = performance.now();
      const drained = drain("prodapp02");
      await expect
        .poll(async () => (await look()).servers["prodapp02"]?.admin, { timeout: 5000 })
        .toBe("drain");
      expect((await curl("/")).stdout).toContain("prodapp01");
      expect((await curl("/")).stdout).toContain("prodapp01");
      await ended(drained, 0, "prodapp02 out of traffic, 0 sessions cut");
      expect(performance.now() - started).toBeGreaterThan(1000);
      for (const { stdout } of await slow) expect(stdout).toMatch(/^HTTP\/1.1 200/);
      await ended(drain("prodapp02"), 0, "prodapp02 out of traffic, 0 sessions cut");
      for (const app of apps) await tell(app, "slow", "");
    });

    it("never leave fewer than minHealthy servers UP, and say the numbers", async () => {
      await begin("release");
      await ended(
        drain("prodapp01"),
        77,
        "without prodapp01 0 of 2 servers would be UP (allowed: 1 or more, by minHealthy)",
      );
      expect(await admins()).toEqual({ prodapp01: "ready", prodapp02: "maint", agrees: null });
      await ended(enter("prodapp02"), 0, "good: prodapp02");
    });

    it("wait for the sessions of a worker that a reload left behind", async () => {
      await begin("balancers");
      const slow = slowOnes(4);
      await busy("prodapp01");
      await ended(configure({ checkMilliseconds: 260 }), 0, "reloaded");
      await begin("release");
      const started = performance.now();
      await ended(drain("prodapp01"), 0, "0 sessions cut");
      expect(performance.now() - started).toBeGreaterThan(600);
      for (const { stdout } of await slow) expect(stdout).toMatch(/^HTTP\/1.1 200/);
      await ended(enter("prodapp01"), 0, "good");
    });

    it("put back what was found when the time is over (fail), or cut and say how many (cut)", async () => {
      for (const app of apps) await tell(app, "slow", "6");
      const codes = (ran: readonly Ran[]) => ran.map(({ stdout }) => stdout.slice(9, 12)).sort();
      for (const [method, expected] of [
        ["POST", ["200", "200", "502", "502"]],
        // HAProxy repeats safe requests at the other server.
        ["GET", ["200", "200", "200", "200"]],
      ] as const) {
        await begin("release");
        const slow = slowOnes(4, method);
        await busy("prodapp01");
        await ended(
          script("record-membership", "crossbow", "maintenance", "prodapp01"),
          0,
          "is now maintenance",
        );
        await ended(drain("prodapp01", 1), 75, /\d sessions are left at prodapp01 after 1 s; prodapp01 went/);
        expect(await admins()).toEqual(bothReady);
        await ended(drain("prodapp01", 1, "cut"), 0, /prodapp01 out of traffic, 2 sessions cut/);
        expect(codes(await slow)).toEqual(expected);
        await ended(script("record-membership", "crossbow", "in", "prodapp01"), 0, "is now in");
        await ended(enter("prodapp01"), 0, "good");
      }
      for (const app of apps) await tell(app, "slow", "");
    });

    it("go on from a drain and from an enter that were killed half-way", async () => {
      for (const app of apps) await tell(app, "slow", "4");
      await begin("release");
      const slow = slowOnes(4);
      await busy("prodapp01");
      killedAfter = 1;
      expect((await drain("prodapp01")).code).not.toBe(0);
      expect(await admins()).toEqual({ prodapp01: "drain", prodapp02: "ready", agrees: null });
      killedAfter = 0;
      await ended(drain("prodapp01"), 0, "prodapp01 out of traffic, 0 sessions cut");
      for (const { stdout } of await slow) expect(stdout).toMatch(/^HTTP\/1.1 200/);
      killedAfter = 3;
      expect((await script("enter", "crossbow", "5", "30", "/", site, "900", "prodapp01")).code).not.toBe(0);
      expect(await admins()).toEqual(bothReady);
      expect(await answer("websvr", "grep -c ' disabled$' /etc/haproxy/haproxy.cfg")).toBe("1");
      killedAfter = 0;
      await ended(enter("prodapp01"), 0, "good: prodapp01 in traffic");
      expect(await answer("websvr", "grep -c ' disabled$' /etc/haproxy/haproxy.cfg || true")).toBe("0");
      for (const app of apps) await tell(app, "slow", "");
    });

    it("refuse a wrong name, and touch nothing", async () => {
      await begin("release");
      await ended(
        drain("prodapp09"),
        77,
        "pool crossbow has no server prodapp09 (known: prodapp01, prodapp02)",
      );
      await ended(enter("prodapp09"), 77, "no server prodapp09");
      await ended(
        script("drain", "crossbow", "5", "fail", "0", "900", "prodapp01", "prodapp09"),
        77,
        "no server",
      );
      expect(await admins()).toEqual(bothReady);
    });

    it("refuse a server that the running HAProxy does not have, and mend the file", async () => {
      const edit =
        "cp /etc/haproxy/haproxy.cfg /root/kept && sed -i '/server prodapp02/d' /etc/haproxy/haproxy.cfg";
      await answer("websvr", `${edit} && systemctl reload haproxy && sleep 1`);
      expect((await look()).agrees).toBe("/etc/haproxy/haproxy.cfg is not what the records say");
      await ended(drain("prodapp02", 5, "fail", 0), 77, "HAProxy knows no server prodapp02");
      await begin("balancers");
      const ran = await configure({ checkMilliseconds: 260 });
      expect(ran.code, ran.stderr).toBe(0);
      expect(ran.stderr).toContain("was changed by hand; keeping it as /etc/haproxy/haproxy.cfg.by-hand");
      expect(await admins()).toEqual(bothReady);
    });

    it("refuse a socket without permission, and mend it", async () => {
      await answer(
        "websvr",
        "sed -i 's/level admin/level operator/' /etc/haproxy/haproxy.cfg && systemctl reload haproxy && sleep 1",
      );
      await begin("release");
      await ended(drain("prodapp01"), 77, /has level operator \(needed: admin\).*nothing was changed/);
      expect((await look()).socket).toContain("level operator");
      await begin("balancers");
      await ended(configure({ checkMilliseconds: 260 }), 0, "reloaded");
      expect(await admins()).toEqual(bothReady);
    });

    it("refuse a socket that answers anything but HAProxy's words, or nothing", async () => {
      const fake = `import socket; s = socket.socket(socket.AF_UNIX); s.bind("/run/haproxy/admin.sock"); s.listen()\nwhile True:\n c = s.accept()[0]; c.recv(99); c.sendall(b"220 mail.example ESMTP\\n"); c.close()`;
      await answer(
        "websvr",
        `mv /run/haproxy/admin.sock /run/haproxy/kept && systemd-run --quiet --collect --unit=fake python3 -c ${quoted(fake)} && sleep 1`,
      );
      await begin("release");
      await ended(
        drain("prodapp01"),
        77,
        /admin.sock answered 'show info' with: 220 mail.example ESMTP; nothing was changed/,
      );
      await answer("websvr", "systemctl stop fake; rm -f /run/haproxy/admin.sock");
      await ended(drain("prodapp01"), 77, /admin.sock does not answer .*nothing was changed/);
      await ended(enter("prodapp01"), 77, "does not answer");
      await answer("websvr", "mv /run/haproxy/kept /run/haproxy/admin.sock");
      expect(await admins()).toEqual(bothReady);
    });

    it("keep a server that never gets ready out of traffic [001-158]", async () => {
      await begin("release");
      await ended(drain("prodapp01"), 0, "out of traffic");
      await tell("prodapp01", "ready", "503");
      const stop = startLoad(`http://${addresses["websvr"] ?? ""}`, { perSecond: 50 });
      await ended(enter("prodapp01"), 0, / bad: prodapp01 is not UP after 5 s: DOWN \(L7STS 503/);
      expect((await stop()).failed).toEqual([]);
      await tell("prodapp01", "ready", "");
      expect(await admins()).toEqual({ prodapp01: "maint", prodapp02: "ready", agrees: null });
    });

    it("take a server out again that answers with errors once it has traffic [001-145]", async () => {
      await tell("prodapp01", "status", "500");
      await ended(enter("prodapp01"), 0, / bad: prodapp01 answered \d+ of \d+ with 5xx/);
      await tell("prodapp01", "status", "");
      expect(await admins()).toEqual({ prodapp01: "maint", prodapp02: "ready", agrees: null });
      await ended(enter("prodapp01"), 0, "good: prodapp01 in traffic");
    });

    it("put a server that is down straight to maintenance, and one that was there stays there", async () => {
      await answer("prodapp02", "systemctl stop app");
      await expect
        .poll(async () => (await look()).servers["prodapp02"]?.status, { timeout: 5000 })
        .toBe("DOWN");
      // A reload keeps what HAProxy knew: a check that comes only in a minute would leave it UP till then.
      await begin("balancers");
      await ended(configure({ checkMilliseconds: 60_000 }), 0, "reloaded");
      expect((await look()).servers["prodapp02"]?.status).toBe("DOWN");
      await ended(configure(), 0, "reloaded");
      await begin("prodapp02");
      await ended(
        script("record-membership", "crossbow", "maintenance", "prodapp02"),
        0,
        "is now maintenance",
      );
      const ran = await drain("prodapp02");
      expect(ran.code, ran.stderr).toBe(0);
      expect(ran.stderr).toContain("prodapp02 is DOWN: setting it to maintenance at once");
      await startApp("prodapp02");
      await begin("release");
      await ended(drain("prodapp02"), 0, "out of traffic");
      await ended(enter("prodapp02"), 0, "good: prodapp02 stays in maintenance");
      // No timer brings back a server that is wanted in maintenance.
      expect(await answer("websvr", "ls /var/lib/changeover/*/temporary/* 2>/dev/null | wc -l")).toBe("0");
      expect(await admins()).toEqual({ prodapp01: "ready", prodapp02: "maint", agrees: null });
    });

    it("bring nobody into traffic by a reload or a reboot of the balancer", async () => {
      await begin("balancers");
      await ended(configure({ checkMilliseconds: 270 }), 0, "reloaded");
      const expected = { prodapp01: "ready", prodapp02: "maint", agrees: null };
      expect(await admins()).toEqual(expected);
      await lab.reboot(made.id, "websvr");
      await expect.poll(async () => (await look()).running, { timeout: 20_000 }).toBe(true);
      expect(await admins()).toEqual(expected);
      expect((await curl("/")).stdout).toContain("prodapp01");
    });

    it("drop a server from the file only when it is out of traffic", async () => {
      await begin("balancers");
      await ended(
        configure({ servers: goal.servers.slice(1) }),
        77,
        /drops prodapp01, but prodapp01 is ready with \d+ sessions?; set prodapp01 to out first/,
      );
      await ended(configure({ servers: goal.servers.slice(0, 1) }), 0, "reloaded");
      await ended(configure(), 0, "reloaded");
      expect(await admins()).toEqual({ prodapp01: "ready", prodapp02: "maint", agrees: null });
      await begin("prodapp02");
      await ended(script("record-membership", "crossbow", "in", "prodapp02"), 0, "is now in");
      await ended(enter("prodapp02"), 0, "good: prodapp02 in traffic");
    });

    it("go back to the file that was there when HAProxy can't take the new one over", async () => {
      await begin("balancers");
      await answer(
        "websvr",
        "systemd-run --quiet --collect --unit=other python3 -m http.server 81 && sleep 1",
      );
      const binds = [...goal.binds, `${addresses["websvr"] ?? ""}:81`];
      const ran = await configure({ binds });
      expect(ran.code, ran.stderr).toBe(77);
      expect(ran.stderr).toMatch(/HAProxy can't reload: .*cannot bind/);
      await answer("websvr", "systemctl stop other");
      expect(await admins()).toEqual(bothReady);
      expect((await curl("/")).stdout).toContain("prodapp0");
    });

    it("roll another port of the application server by server, also over a reboot of the balancer", async () => {
      const places = async () => [
        await answer("websvr", "grep -oE 'server prodapp.*' /etc/haproxy/haproxy.cfg | grep -oE ':[0-9]+'"),
        await answer(
          "websvr",
          "echo 'show servers state crossbow' | python3 -c \"import socket,sys; s=socket.socket(1); s.connect('/run/haproxy/admin.sock'); s.send(sys.stdin.read().encode()); print(*(':'+l.split()[18] for l in s.makefile() if ' prodapp' in l), sep=chr(10))\"",
        ),
      ];
      const both = (...ports: number[]) =>
        Array.from({ length: 2 }, () => ports.map((port) => `:${String(port)}`).join("\n"));
      const rebooted = async () => {
        await lab.reboot(made.id, "websvr");
        await expect
          .poll(async () => (await look().catch(() => undefined))?.running, { timeout: 20_000 })
          .toBe(true);
        await expect.poll(async () => (await curl("/")).stdout, { timeout: 5000 }).toContain("200 OK");
      };
      for (const [from, to] of [
        [8080, 8081],
        [8081, 8080],
      ] as const) {
        await begin("balancers");
        await ended(
          configure({ servers: goal.servers.map((server) => ({ ...server, port: to })) }),
          0,
          "reloaded",
        );
        expect(await places()).toEqual(both(from, from));
        expect(await admins()).toEqual(bothReady);
        // Half-way once; the second roll is the way back to the port of the tests after this one.
        if (to === 8081) await rebooted();
        expect(await admins()).toEqual(bothReady);
        for (const app of apps) {
          await begin("release");
          // A drain that is taken back finds the old process.
          if (to === 8081) {
            await ended(drain(app), 0, "out of traffic");
            await ended(script("undo-drain", "crossbow", app), 0, "in traffic again");
          }
          await ended(drain(app), 0, "out of traffic");
          await answer(app, "systemctl stop app");
          await startApp(app, to);
          await ended(enter(app), 0, "good");
        }
        expect(await places()).toEqual(both(to, to));
        expect(await admins()).toEqual(bothReady);
      }
    });

    const refusesToGoOn = () =>
      refused(
        /drain-prodapp01 on websvr was put back; start again/,
        "enter",
        "crossbow",
        "5",
        "1",
        "/",
        site,
        "900",
        "prodapp01",
      );

    it("put a drained server back after the power of the balancer was cut", async () => {
      await begin("release");
      await ended(script("drain", "crossbow", "1", "fail", "1", "10", "prodapp01"), 0, "out of traffic");
      await lab.reboot(made.id, "websvr");
      await expect
        .poll(async () => (await look().catch(() => undefined))?.running, { timeout: 20_000 })
        .toBe(true);
      await expect.poll(admins, { timeout: 90_000 }).toEqual(bothReady);
      await refusesToGoOn();
    });

    it("put a drained server back by a timer when nobody comes, and let later steps refuse", async () => {
      await begin("release");
      await ended(drain("prodapp01"), 0, "out of traffic");
      const timer = await answer(
        "websvr",
        "systemctl list-units --all --plain --no-legend 'changeover-crossbow-release-undo-drain-prodapp01-*.timer'",
      );
      const unit = timer.split(" ")[0]?.replace(/\.timer$/, ".service") ?? "";
      await answer("websvr", `systemctl start ${unit}`);
      await expect.poll(admins, { timeout: 10_000 }).toEqual(bothReady);
      await refusesToGoOn();
    });

    it("show the page on every address while the site is in maintenance: PASS is 503 and its marker [001-133] [001-137] [001-139]", async () => {
      await begin("maintenance");
      const slow = slowOnes(2);
      await busy("prodapp01");
      await twice(/is on, PASS at/, /is on, PASS at/, "set-maintenance", "crossbow", "on");
      for (const { stdout } of await slow) expect(stdout).toMatch(/^HTTP\/1.1 200/);
      const page = (await curl("/any")).stdout;
      expect(page).toMatch(/^HTTP\/1.1 503/);
      expect(page).toMatch(/x-maintenance: crossbow/i);
      expect(page).toContain("<!-- changeover-maintenance: crossbow -->");
      expect(await admins()).toEqual(bothReady);
      await twice(/is off, PASS at/, /is off, PASS at/, "set-maintenance", "crossbow", "off");
      expect((await curl("/")).stdout).toMatch(/^HTTP\/1.1 200/);
    });

    it("give up every address, now and at boot [001-090] [001-091]", async () => {
      await begin("edge");
      const slow = slowOnes(2);
      await busy("prodapp01");
      await twice(
        /HAProxy serves no address, 0 connections cut/,
        /serves no address/,
        "serve-site",
        "crossbow",
        "off",
      );
      for (const { stdout } of await slow) expect(stdout).toMatch(/^HTTP\/1.1 200/);
      expect(await answer("websvr", "ss -Hltn 'sport = :80'; systemctl is-enabled haproxy || true")).toBe(
        "disabled",
      );
      await refused(
        "HAProxy is not running on this balancer",
        "drain",
        "crossbow",
        "5",
        "fail",
        "1",
        "900",
        "prodapp01",
      );
    });

    const siteOf = (app: App) => [site, `${addresses[app] ?? ""}:8080`, ...goal.binds];
    const whoServes = async () => (await look()).serves[goal.binds[0] ?? ""];

    it("have Apache serve the same addresses from one app server, as before [001-094] [001-097]", async () => {
      await begin("edge");
      const configureApache = ["apache/configure", "crossbow", ...siteOf("prodapp01")] as const;
      await twice(
        /Apache is configured to serve .* from/,
        /Apache is configured to serve .* from/,
        ...configureApache,
      );
      await refused("Apache rejects the configuration", "apache/configure", "crossbow", "a b <", "x:1", "y");
      await twice(
        /Apache serves \S+:80 now/,
        /Apache serves \S+:80 already/,
        "apache/serve-site",
        "crossbow",
        "on",
      );
      expect((await curl("/")).stdout).toContain("prodapp01");
      expect(await whoServes()).toEqual(["apache2"]);
      await refused(
        "is held by apache2: two programs never serve one address",
        "serve-site",
        "crossbow",
        "on",
      );
      await answer("prodapp01", "systemctl stop app");
      expect((await curl("/")).stdout).toMatch(/^HTTP\/1.1 503[^]*x-maintenance: crossbow/i);
      await startApp("prodapp01");
    });

    it("cut over to HAProxy behind the maintenance page, and back, within a minute each [001-133] [001-134] [001-135] [001-137] [001-139] [001-142]", async () => {
      await begin("edge");
      let started = performance.now();
      await ended(script("set-maintenance", "crossbow", "on"), 0, "is on, for its next start");
      await twice(
        /Apache serves no address/,
        /Apache serves no address/,
        "apache/serve-site",
        "crossbow",
        "off",
      );
      await ended(script("serve-site", "crossbow", "on"), 0, "HAProxy serves");
      expect(await whoServes()).toEqual(["haproxy"]);
      await ended(script("set-maintenance", "crossbow", "on"), 0, "PASS at");
      await ended(script("set-maintenance", "crossbow", "off"), 0, "is off, PASS");
      expect((await curl("/")).stdout).toMatch(/^HTTP\/1.1 200/);
      expect(performance.now() - started).toBeLessThan(60_000);
      await refused("is held by haproxy", "apache/serve-site", "crossbow", "on");

      started = performance.now();
      await ended(script("serve-site", "crossbow", "off"), 0, "HAProxy serves no address");
      await ended(script("apache/serve-site", "crossbow", "on"), 0, "Apache serves");
      expect(performance.now() - started).toBeLessThan(60_000);
      expect(await whoServes()).toEqual(["apache2"]);
      expect((await curl("/")).stdout).toContain("prodapp01");
    });

    it("retire Apache only when HAProxy serves; its configuration is archived, and the way back says that it is gone [001-110] [001-111] [001-112]", async () => {
      await begin("edge");
      await refused("Apache is running on websvr; cut over to HAProxy first", "apache/uninstall", "crossbow");
      await ended(script("apache/serve-site", "crossbow", "off"), 0, "serves no address");
      await refused("HAProxy is not running on websvr", "apache/uninstall", "crossbow");
      await ended(script("serve-site", "crossbow", "on"), 0, "HAProxy serves");
      await answer("websvr", "touch /etc/apache2/sites-enabled/other.conf");
      await refused("has site other.conf besides pool crossbow", "apache/uninstall", "crossbow");
      await answer("websvr", "rm /etc/apache2/sites-enabled/other.conf");
      const gone = /Apache is uninstalled, its configuration is in (\S+)/;
      await twice(gone, gone, "apache/uninstall", "crossbow");
      const archive = (await look()).apacheRetired ?? "";
      expect(
        await answer("websvr", `tar -tzf ${archive} | grep -c sites-available/changeover-crossbow.conf`),
      ).toBe("1");
      expect(await answer("websvr", "command -v apache2 || echo gone")).toBe("gone");
      await refused(
        /Apache was retired on .*, so no way leads back to it; .*unpack its configuration/,
        "apache/serve-site",
        "crossbow",
        "on",
      );
      await ended(script("apache/serve-site", "crossbow", "off"), 0, "serves no address");
      expect((await curl("/")).stdout).toMatch(/^HTTP\/1.1 200/);
    });
  },
);
