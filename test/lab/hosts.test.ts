import { spawn } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as lab from "../../tools/workshop/lab/lab.ts";
import type { HostInfo } from "../../tools/workshop/lab/lab.ts";
import { image } from "../../tools/workshop/lab/lib/image.ts";
import { run, tryRun, waitUntil } from "../../tools/workshop/lab/lib/run.ts";

const whyNot = lab.whyNoLab();
const cli = join(import.meta.dirname, "../../tools/workshop/lab/main.ts");
const repository = join(import.meta.dirname, "../..");

const newLab = (): { id: string; stack: string; checkout: string } => {
  const id = lab.newLabId();
  return { id, stack: `test-${id}`, checkout: repository };
};

async function texts(dir: string, file: string): Promise<string[]> {
  const pids = (await readdir(dir)).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const read = pids.map((pid) => readFile(join(dir, pid, file), "utf8").catch(() => ""));
  return (await Promise.all(read)).flatMap((text) => text.split("\n"));
}

/** All that is left of a lab anywhere on this machine, one line each. */
async function tracesOf(id: string, subnet: string): Promise<string[]> {
  const network = subnet.replace(/0\/24$/, "");
  const cgroups = ["-type", "d", "-name", id];
  const found: Record<string, string[]> = {
    mount: await texts("/proc", "mountinfo"),
    process: await texts("/proc", "cmdline"),
    link: (await run(["ip", "-br", "link"])).split("\n"),
    route: (await run(["ip", "route", "show", "table", "all"])).split("\n"),
    cgroup: (await tryRun(["find", "/sys/fs/cgroup", ...cgroups])).stdout.split("\n"),
    file: (
      await tryRun(["find", "/var/lib/changeover-lab", "/run", "-xdev", "-name", `*${id}*`])
    ).stdout.split("\n"),
    rule: (await tryRun(["nft", "list", "ruleset"])).stdout.split("\n"),
  };
  const words = [id, `${id.replace("-", "")}-`, network];
  return Object.entries(found).flatMap(([kind, lines]) =>
    lines.filter((line) => words.some((word) => line.includes(word))).map((line) => `${kind}: ${line}`),
  );
}

async function answer(id: string, host: string, command: string): Promise<string> {
  const { code, stdout, stderr } = await lab.ssh(id, host, command);
  return code === 0 ? stdout.trim() : `exit code ${code}: ${stderr.trim()}`;
}

const hears = async (id: string, from: string, to: string): Promise<boolean> =>
  (await lab.ssh(id, from, `ping -c 1 -W 1 ${to}`)).code === 0;

describe.skipIf(whyNot !== undefined)(
  `local hosts${whyNot ? ` (skipped: ${whyNot})` : ""}`,
  { timeout: 120_000 },
  () => {
    const made = newLab();
    const { id } = made;
    let subnet = "";
    let hosts: Record<"slayer" | "megadeth" | "prodapp01", HostInfo>;

    beforeAll(async () => {
      ({ subnet } = await lab.createLab(made));
    }, 900_000);
    afterAll(() => lab.removeLab(id), 120_000);

    it("are up side by side within 10 s", async () => {
      const begun = performance.now();
      const [slayer, megadeth, prodapp01] = await Promise.all([
        lab.hostUp(id, "slayer"),
        lab.hostUp(id, "megadeth"),
        lab.hostUp(id, "prodapp01"),
      ]);
      hosts = { slayer, megadeth, prodapp01 };
      expect((performance.now() - begun) / 1000).toBeLessThan(10);
      expect(new Set([slayer, megadeth, prodapp01].map(({ address }) => address)).size).toBe(3);
      expect(new Set([slayer, megadeth, prodapp01].map(({ identity }) => identity)).size).toBe(3);
    });

    it("run a whole system, in little memory", async () => {
      await waitUntil(
        "the system to be up",
        20,
        async () => (await answer(id, "slayer", "systemctl is-system-running")) === "running",
      );
      const pids = (await lab.stateOf(id, "slayer")).pids;
      expect(pids.length).toBeGreaterThan(4);
      expect(await lab.memory(pids)).toBeLessThan(60);
      expect(await answer(id, "slayer", "psql --version")).toContain("PostgreSQL) 15.");
    });

    it("know each other by name, also those that came later", async () => {
      for (const [from, to] of [
        ["slayer", "megadeth"],
        ["megadeth", "slayer"],
      ] as const) {
        expect(await answer(id, from, `getent hosts ${to}`)).toMatch(
          new RegExp(`^${hosts[to].address}\\s+${to}$`),
        );
        expect(await hears(id, from, to)).toBe(true);
      }
      await lab.hostUp(id, "latecomer");
      expect(await answer(id, "slayer", "getent hosts latecomer")).toContain("latecomer");
      await lab.hostDown(id, "latecomer");
      expect(await answer(id, "slayer", "getent hosts latecomer")).toContain("exit code 2");
    });

    it("have host keys of their own, which are checked", async () => {
      expect(await answer(id, "slayer", "cut -d' ' -f1-2 /etc/ssh/ssh_host_ed25519_key.pub")).toBe(
        hosts.slayer.hostKey,
      );
      const config = join(lab.labDir(id), "ssh_config");
      const other = ["-o", "HostKeyAlias=megadeth", "-o", "BatchMode=yes", "slayer", "true"];
      const { code, stderr } = await tryRun(["ssh", "-F", config, ...other]);
      expect(code).toBe(255);
      expect(stderr).toContain("Host key verification failed");
    });

    it("may do what the estate needs: addresses, gratuitous ARP, nftables, FUSE, bricks on a real file system", async () => {
      const service = subnet.replace("0/24", "46");
      const dev =
        "ip -o route get to 203.0.113.1 2>/dev/null || true; ip -br link show type veth | cut -d@ -f1";
      expect(await answer(id, "slayer", dev)).toBe("eth0");
      const take = `ip address add ${service}/32 dev eth0 && arping -q -A -c 1 -I eth0 ${service}; ip -br address show eth0`;
      expect(await answer(id, "slayer", take)).toContain(service);
      expect(await hears(id, "megadeth", service)).toBe(true);
      const drop =
        "nft add table ip t && nft add chain ip t in '{ type filter hook input priority 0; }' && nft add rule ip t in icmp type echo-request drop";
      expect(await answer(id, "slayer", drop)).toBe("");
      expect(await hears(id, "megadeth", "slayer")).toBe(false);
      expect(
        await answer(id, "slayer", "nft delete table ip t && test -c /dev/fuse && stat -f -c %T /data00"),
      ).not.toContain("overlay");
      expect(await answer(id, "slayer", "date -s 2030-01-01 2>&1 || true")).toContain("not permitted");
    });

    it("come back from a reboot as a machine does: same key and files, another boot, no added address", async () => {
      const boot = "cat /proc/sys/kernel/random/boot_id; systemctl show -P UserspaceTimestampMonotonic";
      const before = await answer(id, "slayer", `touch /data00/kept /root/kept /run/lost; ${boot}`);
      await lab.reboot(id, "slayer");
      expect(await answer(id, "slayer", boot)).not.toBe(before);
      expect(await answer(id, "slayer", "ls /data00/kept /root/kept; ls /run/lost 2>&1 || true")).toMatch(
        /^\/data00\/kept\n\/root\/kept\n.*No such/,
      );
      expect(await answer(id, "slayer", "ip -br address show eth0")).not.toContain(
        subnet.replace("0/24", "46"),
      );
      // From within too, as a script would.
      await lab.ssh(id, "slayer", "touch /run/lost; systemctl reboot");
      const isBack = async (): Promise<boolean> =>
        (await lab.ssh(id, "slayer", "test ! -e /run/lost", 5).catch(() => undefined))?.code === 0;
      await waitUntil("the host to come back by itself", 30, isBack);
    });

    it("stay off when they are powered off or killed, until they are booted", async () => {
      await lab.ssh(id, "prodapp01", "systemctl poweroff");
      await waitUntil(
        "prodapp01 to be off",
        30,
        async () => (await lab.stateOf(id, "prodapp01")).state === "off",
      );
      await lab.killHost(id, "megadeth");
      expect((await lab.stateOf(id, "megadeth")).state).toBe("off");
      await lab.killHost(id, "megadeth");
      expect(await hears(id, "slayer", "megadeth")).toBe(false);
      await Promise.all([lab.boot(id, "megadeth"), lab.boot(id, "prodapp01")]);
      expect(await answer(id, "megadeth", "hostname")).toBe("megadeth");
      expect(await lab.hostUp(id, "megadeth")).toEqual(hosts.megadeth);
    });

    it("run on while they are cut off, also through a reboot, and are mended", async () => {
      await lab.cut(id, "megadeth");
      expect(await hears(id, "slayer", "megadeth")).toBe(false);
      expect(await lab.stateOf(id, "megadeth")).toMatchObject({ state: "running", cut: true });
      await lab.reboot(id, "megadeth");
      expect((await lab.ssh(id, "slayer", "ping -c 2 -W 1 megadeth")).code).not.toBe(0);
      await lab.mend(id, "megadeth");
      await waitUntil("megadeth to be heard", 5, () => hears(id, "slayer", "megadeth"));
      expect((await lab.stateOf(id, "megadeth")).cut).toBe(false);
    });

    it("hang when frozen: connections are taken and nobody answers", async () => {
      await lab.freeze(id, "megadeth");
      expect(await hears(id, "slayer", "megadeth")).toBe(true);
      const { code } = await lab.ssh(
        id,
        "slayer",
        "timeout 2 bash -c 'exec 3<>/dev/tcp/megadeth/22 && head -c 4 <&3'",
      );
      expect(code).toBe(124);
      expect((await lab.stateOf(id, "megadeth")).state).toBe("frozen");
      await lab.thaw(id, "megadeth");
      expect(await answer(id, "megadeth", "hostname")).toBe("megadeth");
      await lab.freeze(id, "megadeth");
      await lab.killHost(id, "megadeth");
      await lab.boot(id, "megadeth");
      expect((await lab.stateOf(id, "megadeth")).state).toBe("running");
    });

    it("send no packet when the power is cut, and some when they are killed", async () => {
      const listen =
        "python3 -c 'import socket; s=socket.create_server((\"\",7000)); c,_=s.accept(); c.recv(1)'";
      const watch = (host: string): string =>
        `timeout 3 python3 -c 'import socket; s=socket.create_connection(("${host}",7000),2); print("joined",flush=True); s.recv(1); print("heard of it")'; true`;
      const watchIts = async (end: () => Promise<void>): Promise<string> => {
        await answer(id, "megadeth", `systemd-run --quiet --collect ${listen}`);
        await waitUntil(
          "the listener",
          5,
          async () => (await answer(id, "megadeth", "ss -Hltn sport = :7000")) !== "",
        );
        const seen = lab.ssh(id, "slayer", watch("megadeth"));
        await waitUntil(
          "the connection",
          5,
          async () => (await answer(id, "megadeth", "ss -Htn state established sport = :7000")) !== "",
        );
        await end();
        return (await seen).stdout;
      };
      expect(await watchIts(() => lab.powerCut(id, "megadeth"))).toBe("joined\n");
      await lab.boot(id, "megadeth");
      expect(await watchIts(() => lab.killHost(id, "megadeth"))).toBe("joined\nheard of it\n");
      await lab.boot(id, "megadeth");
    });

    it("outlive a reboot of this machine, which takes bridge, route and locks away", async () => {
      await Promise.all(Object.keys(hosts).map((host) => lab.killHost(id, host)));
      await run(["ip", "link", "delete", id]);
      await tryRun(["ip", "route", "delete", "unreachable", subnet]);
      await Promise.all(Object.keys(hosts).map((host) => lab.boot(id, host)));
      expect(await hears(id, "slayer", "megadeth")).toBe(true);
      expect(await lab.hostUp(id, "slayer")).toEqual(hosts.slayer);
    });

    it("keep every packet on this machine when the bridge is gone", async () => {
      const other = newLab();
      const { subnet: theirs } = await lab.createLab(other);
      try {
        await run(["ip", "link", "delete", other.id]);
        const { code, stderr } = await tryRun(["ip", "route", "get", theirs.replace("0/24", "101")]);
        expect(code).not.toBe(0);
        expect(stderr).toMatch(/unreachable|No route to host/);
      } finally {
        await lab.removeLab(other.id);
      }
    });

    it("have a new identity when they are made anew under the same name", async () => {
      await lab.hostDown(id, "prodapp01");
      await lab.hostDown(id, "prodapp01");
      const anew = await lab.hostUp(id, "prodapp01");
      expect(anew.identity).not.toBe(hosts.prodapp01.identity);
      expect(await answer(id, "prodapp01", "ls /root/kept 2>&1 || true")).toContain("No such");
    });

    it("of two labs neither meet nor collide, and a verb asks which is meant", async () => {
      const other = newLab();
      const made = await lab.createLab(other);
      try {
        await lab.hostUp(other.id, "slayer");
        expect(made.subnet).not.toBe(subnet);
        expect(await hears(id, "slayer", made.subnet.replace("0/24", "101"))).toBe(false);
        const which = await tryRun(["node", cli, "ssh", "slayer", "true"]);
        expect(which.code).toBe(1);
        expect(which.stderr).toContain("--lab ID or --stack NAME");
        expect(which.stderr).toContain(`${other.id}  stack ${other.stack}: slayer`);
        const there = await tryRun([
          "node",
          cli,
          "ssh",
          "--stack",
          other.stack,
          "slayer",
          "echo",
          "-n",
          "--lab",
          "x",
        ]);
        expect(there).toMatchObject({ code: 0, stdout: "--lab x" });
        const status = await run(["node", cli, "status"]);
        expect(status).toContain(`${other.id}  stack ${other.stack}  ${made.subnet}`);
      } finally {
        await lab.removeLab(other.id);
      }
      expect(await tracesOf(other.id, made.subnet)).toEqual([]);
      expect(await answer(id, "slayer", "hostname")).toBe("slayer");
    });

    it("are units of their own on a machine that systemd runs", async () => {
      // Such a machine is a host of this lab, which makes a lab in itself; what an overlay must not lie on goes to /data00.
      const inner = newLab().id;
      const layers = await image();
      await lab.hostUp(id, "machine", ["debootstrap", "openssh-client", "systemd-container"]);
      const data = join(lab.hostDir(id, "machine"), "data00");
      const key = basename(dirname(layers[0] ?? ""));
      await run(["mkdir", "-p", `${data}/images`, `${data}/labs`, `${data}/changeover/tools/workshop`]);
      await run(["cp", "-a", `/var/cache/changeover/images/${key}`, `${data}/images/`], { deadline: 60 });
      await run(["cp", "-r", join(repository, "tools/workshop/lab"), `${data}/changeover/tools/workshop/`]);
      await run(["cp", join(repository, "package.json"), `${data}/changeover/`]);
      await run(["cp", process.execPath, `${data}/node`]);
      const there = (words: string): Promise<string> =>
        answer(id, "machine", `cd /data00/changeover && /data00/node tools/workshop/lab/main.ts ${words}`);
      await answer(
        id,
        "machine",
        "mkdir /var/cache/changeover; ln -s /data00/images /var/cache/changeover/; ln -s /data00/labs /var/lib/changeover-lab",
      );
      expect(await there(`net-up ${inner} --stack inner`)).toContain(inner);
      expect(await there(`host-up ${inner} slayer`)).toContain("ssh-ed25519 ");
      expect(await answer(id, "machine", `systemctl is-active changeover-lab-${inner}-slayer`)).toBe(
        "active",
      );
      expect(await there("ssh slayer hostname")).toBe("slayer");
      expect(await there("reboot slayer && ip -br link")).toContain(inner);
      expect(await there("ssh slayer hostname")).toBe("slayer");
      expect(await there(`freeze slayer && /data00/node tools/workshop/lab/main.ts status`)).toContain(
        "frozen",
      );
      expect(await there(`net-down ${inner}`)).toBe("");
      const left = `ip -br link; ip route; systemctl list-units --all --plain 'changeover*' | grep '^changeover'; ls /data00/labs`;
      const machines = (
        await answer(id, "machine", `${left}; find /sys/fs/cgroup -name 'changeover*'`)
      ).split("\n");
      expect(machines.filter((line) => !/^(lo|eth0@|10\.\S+ dev eth0)/.test(line))).toEqual([]);
    });

    it("leave no trace, whatever was killed at whatever moment, and removed twice", async () => {
      const other = newLab();
      const made = await lab.createLab(other);
      const { id: them } = other;
      for (const delay of [0, 100, 250, 400, 700]) {
        const up = spawn("node", [cli, "host-up", them, "doomed"], { stdio: "ignore" });
        const ended = new Promise((resolve) => up.on("close", resolve));
        setTimeout(() => up.kill("SIGKILL"), 150 + delay);
        await ended;
        await lab.hostDown(them, "doomed");
      }
      await Promise.all(["one", "two", "three"].map((host) => lab.hostUp(them, host)));
      const killIts = async (host: string, program: RegExp): Promise<void> => {
        for (const pid of (await lab.stateOf(them, host)).pids) {
          if (program.test(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")))
            process.kill(pid, "SIGKILL");
        }
      };
      await killIts("one", /supervise/);
      await killIts("two", /^systemd-nspawn/);
      await lab.freeze(them, "three");
      const kinds = new Set((await tracesOf(them, made.subnet)).map((trace) => trace.split(":")[0]));
      expect([...kinds]).toEqual(
        expect.arrayContaining(["mount", "process", "link", "route", "cgroup", "file"]),
      );
      await Promise.all([lab.removeLab(them), lab.removeLab(them)]);
      await waitUntil(
        "the last traces to go",
        5,
        async () => (await tracesOf(them, made.subnet)).length === 0,
      ).catch(() => undefined);
      expect(await tracesOf(them, made.subnet)).toEqual([]);
      await lab.removeLab(them);
    });
  },
);

describe("the lab's words", () => {
  it("refuse who is not root, with the fact, the value and the cure", async () => {
    // Of root's rights it keeps that of reading, as the checkout may be in a folder of root's.
    const reads = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"];
    const asNobody = [
      "setpriv",
      "--reuid",
      "65534",
      "--clear-groups",
      ...reads,
      process.execPath,
      cli,
      "status",
    ];
    const argv = process.getuid?.() === 0 ? asNobody : ["node", cli, "status"];
    const { code, stderr } = await tryRun(argv);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^lab: local hosts need (root .*this is uid \d+: run it as root|Linux)/);
  });

  it("print the verbs on --help, whoever asks", async () => {
    const { code, stdout } = await tryRun(["node", cli, "--help"]);
    expect(code).toBe(0);
    for (const verb of [
      "status",
      "ssh",
      "kill",
      "power-cut",
      "cut",
      "mend",
      "freeze",
      "thaw",
      "boot",
      "reboot",
      "down",
    ]) {
      expect(stdout).toMatch(new RegExp(`(^  |\\| )${verb} `, "m"));
    }
  });
});
