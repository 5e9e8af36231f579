import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { archiveOf, filesOf, demoReleases } from "../../tools/workshop/demo-releases.ts";
import * as lab from "../../tools/workshop/lab/lab.ts";
import type { Ran } from "../../tools/workshop/lab/lab.ts";
import { run, tryRun } from "../../tools/workshop/lab/lib/run.ts";
import { installed, offered, versionOf } from "../support/local-packages.ts";
import { Load } from "../../tools/workshop/load.ts";

const whyNot = lab.whyNoLab();
const repository = join(import.meta.dirname, "../..");
const scripts = "/opt/changeover/test/scripts";
const folder = "/deploy/crossbow";
const component = "crossbow-release";
const records = `/var/lib/changeover/${component}`;
const ring = "/etc/changeover/caches/sessions.ring";
const hosts = ["prodapp01", "prodapp02"] as const;
type Host = (typeof hosts)[number];
/** A password as a person would choose it to break things. */
const password = `p"a$s\\w\`o'rd %d`;

const ended = async (running: Promise<Ran>, code: number, said: string | RegExp): Promise<void> => {
  const ran = await running;
  expect(ran.code, ran.stderr).toBe(code);
  expect(code === 0 ? ran.stdout : ran.stderr).toMatch(said);
};
const refused = (running: Promise<Ran>, why: string | RegExp): Promise<void> => ended(running, 77, why);
/** For what is polled. */
const soon = { timeout: 20_000 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Archives that must not be unpacked, by what is wrong with them; Python writes what our own packer can't. */
const badArchives = String.raw`
import io, tarfile
def make(name, *members):
    with tarfile.open(f"/root/{name}.tar.gz", "w:gz") as archive:
        for path, kind, link in (("REVISION", tarfile.REGTYPE, ""), *members):
            member = tarfile.TarInfo(path)
            member.type, member.linkname, member.mode = kind, link, 0o4755
            content = b"9999\n" if kind == tarfile.REGTYPE else b""
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
make("up", ("bin/../../../evil", tarfile.REGTYPE, ""))
make("absolute", ("/tmp/evil", tarfile.REGTYPE, ""))
make("link", ("out", tarfile.SYMTYPE, "../../../tmp"))
make("under", ("sub", tarfile.SYMTYPE, "bin"), ("sub/evil", tarfile.REGTYPE, ""))
make("device", ("null", tarfile.CHRTYPE, ""))
make("without", ("README", tarfile.REGTYPE, ""))
make("good", ("bin/serve", tarfile.REGTYPE, ""), ("lib/here", tarfile.SYMTYPE, "../bin"))
`;

describe.skipIf(whyNot !== undefined)(
  `the scripts of an app server${whyNot ? ` (skipped: ${whyNot})` : ""}`,
  { timeout: 120_000 },
  () => {
    const made = { id: lab.newLabId(), stack: "app-scripts", checkout: repository };
    const addresses = {} as Record<Host, string>;
    const sums: Record<string, string> = {};
    let packed = "";
    let epoch = 0;
    let open = { transition: "", id: "" };

    const on = (host: Host, command: string, stdin = ""): Promise<Ran> => {
      const ssh = ["ssh", "-F", join(lab.labDir(made.id), "ssh_config"), "-o", "BatchMode=yes"];
      return tryRun([...ssh, host, command], { stdin, deadline: 100 });
    };
    const answer = async (host: Host, command: string, stdin = ""): Promise<string> => {
      const { code, stdout, stderr } = await on(host, command, stdin);
      expect(code, `${command}: ${stderr}`).toBe(0);
      return stdout.trim();
    };
    const begin = async (transition = "release"): Promise<void> => {
      epoch++;
      open = { transition, id: `${transition}-${epoch}` };
      for (const host of hosts)
        await answer(
          host,
          `bash ${scripts}/claim.sh ${component} ${transition} ${open.id} this-stack ${epoch}`,
        );
    };
    const step = (host: Host, script: string, words: string, stdin = ""): Promise<Ran> =>
      on(
        host,
        `bash ${scripts}/step.sh ${component} ${open.transition} ${open.id} 90 app/${script} ${component} crossbow ${words}`,
        stdin,
      );
    const stage = (
      host: Host,
      revision: string,
      sha256 = sums[revision] ?? "",
      source?: string,
    ): Promise<Ran> =>
      step(host, "stage-release", `${revision} ${sha256} ${source ?? `/root/crossbow-${revision}.tar.gz`}`);
    const release = (host: Host, revision: string, seconds = 10): Promise<Ran> =>
      step(host, "run-release", `${revision} ${seconds}`);
    const back = (host: Host, revision: string, seconds = 10): Promise<Ran> =>
      step(host, "run-previous-release", `${revision} ${seconds}`);
    const settings = (host: Host): string[] => [
      `address=${addresses[host]}`,
      "links=public/styles=system/styles",
      `env.CACHE=${ring}`,
    ];
    const configure = (host: Host, more: readonly string[] = [], secrets = ""): Promise<Ran> =>
      step(host, "configure", [...settings(host), ...more].join(" "), secrets);
    const probe = async (host: Host, words = ""): Promise<Record<string, unknown>> =>
      JSON.parse(
        await answer(host, `python3 ${scripts}/app/probe.py ${component} crossbow ${words}`),
      ) as Record<string, unknown>;
    const get = (host: Host, path: string): Promise<Response> =>
      fetch(`http://${addresses[host]}:8080${path}`, { signal: AbortSignal.timeout(10_000) });
    const pid = (host: Host): Promise<string> => answer(host, "systemctl show -P MainPID crossbow");
    /** What is there of releases; equal before and after a step that changed nothing. */
    const standing = (host: Host): Promise<string> =>
      answer(
        host,
        `cd ${folder} && ls -A releases archives; readlink current || true; ls /var/lib/changeover/crossbow/staged`,
      );
    const memcached = (host: Host, verb: "start" | "stop"): Promise<string> =>
      answer(
        host,
        verb === "start"
          ? `systemd-run --quiet --collect --unit=cache -p User=nobody memcached -l ${addresses[host]} -m 16`
          : "systemctl stop cache",
      );

    beforeAll(async () => {
      await lab.createLab(made);
      packed = await mkdtemp(join(tmpdir(), "changeover-app-"));
      await run(["tar", "-C", repository, "-czf", join(packed, "scripts.tgz"), "scripts"]);
      const numbered = (revision: string) =>
        filesOf("4685").map((file) =>
          file.path === "REVISION" ? { ...file, content: Buffer.from(`${revision}\n`) } : file,
        );
      const dead = numbered("4689-never-starts").map((file) =>
        file.path === "bin/serve" ? { ...file, content: Buffer.from("#!/bin/false\n") } : file,
      );
      const archives = new Map([
        ...Object.keys(demoReleases).map((revision) => [revision, filesOf(revision)] as const),
        ...["4691", "4692", "4693", "4694", "4695"].map(
          (revision) => [revision, numbered(revision)] as const,
        ),
        ["4689-never-starts", dead] as const,
      ]);
      for (const [revision, files] of archives) {
        const bytes = archiveOf(files);
        sums[revision] = createHash("sha256").update(bytes).digest("hex");
        await writeFile(join(packed, `crossbow-${revision}.tar.gz`), bytes);
      }
      await Promise.all(
        hosts.map(async (host) => {
          addresses[host] = (await lab.hostUp(made.id, host)).address;
          const config = join(lab.labDir(made.id), "ssh_config");
          await run(["sh", "-c", `scp -q -F ${config} ${packed}/* ${host}:`]);
          await answer(
            host,
            `mkdir -p ${scripts}/.. && tar --no-same-owner -C ${scripts}/.. -xzf scripts.tgz`,
          );
        }),
      );
      for (const host of hosts) {
        await memcached(host, "start");
        const nodes = hosts.map((each) => `${addresses[each]}:11211`).join("\n");
        await answer(host, `mkdir -p ${ring.replace(/\/[^/]*$/, "")} && cat >${ring}`, `${nodes}\n`);
      }
    }, 900_000);
    afterAll(async () => {
      await lab.removeLab(made.id);
      await rm(packed, { recursive: true });
    }, 60_000);

    it("explain themselves, and describe a blank machine", async () => {
      const help = await answer(
        "prodapp01",
        `cd ${scripts}/app && for file in *.sh; do case $file in lib*|retire.sh) ;; *) bash $file --help | grep -c "^Usage: $file COMPONENT" ;; esac; done | sort | uniq -c`,
      );
      expect(help).toMatch(/^\d+ 1$/);
      expect(await probe("prodapp01")).toMatchObject({
        claim: null,
        configured: false,
        current: null,
        ready: false,
      });
    });

    it("install nothing on a prepared machine, and what is named besides on any [001-049]", async () => {
      await begin("provision");
      for (const words of ["", "openjdk-17-jre-headless"]) {
        const ran = await on(
          "prodapp01",
          `bash ${scripts}/step.sh ${component} provision ${open.id} 90 app/install-packages ${component} ${words}`,
        );
        expect(ran.code, ran.stderr).toBe(0);
        expect(ran.stderr).not.toContain("installing");
      }
    });

    it("refuse settings that they do not know, and a user whose number is another's", async () => {
      await ended(
        configure("prodapp01", ["colour=red"]),
        64,
        '"colour" is not a key; allowed: address port ready',
      );
      await ended(
        configure("prodapp01", ["env.path=x"]),
        64,
        "env.path: allowed in the name of a variable are A-Z",
      );
      await answer("prodapp01", "useradd --uid 4711 expprodl");
      await refused(
        configure("prodapp01"),
        "user expprodl has user ID 4711 on prodapp01 (allowed: 763, the pool's ownerUid)",
      );
      await answer("prodapp01", "userdel expprodl");
    });

    it("make a machine an app server, twice: user, folders, settings, and the secret on no command line [001-030] [001-033] [001-034] [001-043] [001-044]", async () => {
      await answer("prodapp01", "cat >/root/seen.sh", "while :; do ps axww -o args; done >/root/seen 2>&1\n");
      await answer("prodapp01", "systemd-run --quiet --collect --unit=seen bash /root/seen.sh");
      for (const host of [...hosts, ...hosts])
        await ended(
          configure(host, ["env.MOTTO=two'\\ 'words"], `DATABASE_PASSWORD=${password}\n`),
          0,
          `${host} is configured as a server of pool crossbow`,
        );
      await answer("prodapp01", "systemctl stop seen");
      expect(await answer("prodapp01", "grep -c configure /root/seen")).not.toBe("0");
      expect(await on("prodapp01", "grep -F 'p\"a$s' /root/seen")).toMatchObject({ code: 1 });
      expect(await answer("prodapp01", "stat -c '%a %U:%G' /etc/crossbow/environment")).toBe(
        "640 root:expprodl",
      );
      expect(
        await answer("prodapp01", `stat -c '%U:%G %u' ${folder}/releases ${folder}/shared/system/styles`),
      ).toBe("root:root 0\nexpprodl:expprodl 763");
      expect(await on("prodapp01", `grep -rF 'p"a$s' /var/lib/changeover`)).toMatchObject({ code: 1 });
    });

    it("let the owner open and close the port by sudo, and nothing else [001-045] [001-046] [001-047]", async () => {
      const listed = await answer("prodapp01", "runuser -u expprodl -- sudo -n -l | sed -n '/may run/,$p'");
      expect(listed).toMatch(
        /NOPASSWD: \/usr\/local\/sbin\/crossbow-maintenance on, +\/usr\/local\/sbin\/crossbow-maintenance off$/,
      );
      expect((await on("prodapp01", "runuser -u expprodl -- sudo -n nft list ruleset")).code).not.toBe(0);
    });

    it("refuse an archive with another checksum, and change nothing", async () => {
      await begin();
      const before = await standing("prodapp01");
      const [wrong = "", right = ""] = [sums["4684"], sums["4685"]];
      await answer(
        "prodapp01",
        "cp crossbow-4685.tar.gz damaged.tar.gz && printf x | dd of=damaged.tar.gz bs=1 seek=3000 conv=notrunc status=none",
      );
      await refused(
        stage("prodapp01", "4685", right, "/root/damaged.tar.gz"),
        new RegExp(
          `/root/damaged.tar.gz has sha256 [0-9a-f]{64}, the config says ${right}; correct the archive or the config; nothing was changed`,
        ),
      );
      await refused(stage("prodapp01", "4685", wrong), `has sha256 ${right}, the config says ${wrong}`);
      await refused(stage("prodapp01", "4685", right, "/root/nowhere.tar.gz"), "No such file");
      await refused(
        stage("prodapp01", "4685", wrong, "/root/crossbow-4684.tar.gz"),
        "has revision 4684 in its file REVISION (allowed: 4685)",
      );
      await ended(stage("prodapp01", "../4685", right), 64, "is not a folder name");
      expect(await standing("prodapp01")).toBe(before);
    });

    it("refuse an archive with anything outside of its folder, and write nothing there", async () => {
      await answer("prodapp01", "python3 -", badArchives);
      const tried = async (name: string) =>
        stage(
          "prodapp01",
          "9999",
          (await answer("prodapp01", `sha256sum ${name}.tar.gz`)).split(" ")[0],
          `/root/${name}.tar.gz`,
        );
      await refused(
        tried("up"),
        "which is outside of the release; remove it from the archive; nothing was unpacked",
      );
      await refused(tried("absolute"), "'/tmp/evil', which is outside of the release");
      await refused(tried("link"), "'out', which leads to ../../../tmp, outside of the release");
      await refused(tried("under"), "'sub/evil', which is under the link sub");
      await refused(tried("device"), "'null', which is neither a file, a folder nor a link");
      await refused(tried("without"), "has no executable bin/serve");
      await ended(tried("good"), 0, "9999 is staged on prodapp01");
      expect(
        await answer(
          "prodapp01",
          `stat -c %a ${folder}/releases/9999/bin/serve; ls /tmp/evil ${folder}/evil /deploy/evil 2>&1 | grep -c 'No such'`,
        ),
      ).toBe("755\n3");
    });

    it("stage a release from a path and from a URL, twice, and one that broke off again [001-033]", async () => {
      await answer(
        "prodapp02",
        "systemd-run --quiet --collect --unit=box python3 -m http.server -d /root 8099",
      );
      const url = (revision: string) => `http://prodapp02:8099/crossbow-${revision}.tar.gz`;
      await ended(stage("prodapp01", "4684"), 0, "4684 is staged on prodapp01");
      await ended(stage("prodapp01", "4684"), 0, "4684 is staged already on prodapp01");
      // The first of the two is cut off after its folder is in place, the second while it was unpacked.
      await answer(
        "prodapp01",
        `cd ${folder}/releases && mkdir 4685 .4685.partial && touch 4685/junk .4685.partial/junk`,
      );
      await expect
        .poll(async () => (await stage("prodapp01", "4685", undefined, url("4685"))).stdout, soon)
        .toContain("4685 is staged on prodapp01");
      await ended(stage("prodapp01", "4685", undefined, "http://prodapp02:1/gone"), 0, "is staged already");
      expect(await answer("prodapp01", `cd ${folder} && find . -name junk; ls -A releases archives`)).toBe(
        "archives:\ncrossbow-4685.tar.gz\n\nreleases:\n4684\n4685\n9999",
      );
      const missing = stage("prodapp01", "4688-dies", undefined, "http://prodapp02:8099/gone.tar.gz");
      await ended(missing, 75, "http://prodapp02:8099/gone.tar.gz can't be fetched: HTTP Error 404");
      await refused(
        stage("prodapp01", "4688-dies", undefined, url("4684")),
        /has sha256 \w+, the config says/,
      );
      await refused(
        stage("prodapp01", "4685", sums["4684"]),
        /came from an archive with sha256 \w+, the config says \w+; name the new archive as another release/,
      );
      await ended(stage("prodapp02", "4684"), 0, "4684 is staged on prodapp02");
    });

    it("link the shared styles in every release, which is root's own, and keep what was shipped [001-070] [001-072] [001-074] [001-075] [001-078] [001-082]", async () => {
      const shared = `${folder}/shared/system/styles`;
      for (const revision of ["4684", "4685"]) {
        const place = `${folder}/releases/${revision}/public/styles`;
        expect(await answer("prodapp01", `readlink ${place}; ls ${place}.shipped`)).toBe(
          `${shared}\nsite.css`,
        );
        expect(
          await answer("prodapp01", `find ${folder}/releases/${revision} ! -user root -o ! -group root`),
        ).toBe("");
      }
      await answer("prodapp01", `cp -a ${folder}/releases/4685/public/styles.shipped/site.css ${shared}/`);
    });

    it("run a release, say that it is good, and leave it alone the second time", async () => {
      await ended(release("prodapp01", "4684"), 0, `${component} prodapp01 runs 4684 and is ready, good`);
      const first = await pid("prodapp01");
      await ended(release("prodapp01", "4684"), 0, "prodapp01 runs 4684 and is ready, good");
      expect(await pid("prodapp01")).toBe(first);
      const page = await get("prodapp01", "/");
      expect(await page.text()).toContain("Revision 4684 on prodapp01. You were here 1 times.");
      expect(await (await get("prodapp01", "/styles/site.css")).text()).toContain("sans-serif");
      expect(await probe("prodapp01", `lan=prodapp02:11211 gone=prodapp02:1`)).toMatchObject({
        user: "expprodl",
        current: "4684",
        runs: "4684",
        runs_configured: true,
        ready: true,
        links_ok: true,
        staged: ["4684", "4685", "9999"],
        archives: { 4684: sums["4684"] },
        reach: { lan: null, gone: expect.stringContaining("Connection refused") as string },
      });
    });

    it("refuse what is not staged, and a claim that is another's", async () => {
      await refused(
        release("prodapp01", "4700"),
        "release 4700 is incomplete or changed on prodapp01; stage it",
      );
      await answer("prodapp01", `echo '# by hand' >>${folder}/releases/4685/crossbow/app.py`);
      await refused(
        release("prodapp01", "4685"),
        "release 4685 is incomplete or changed on prodapp01 (./crossbow/app.py: FAILED)",
      );
      await ended(stage("prodapp01", "4685"), 0, "4685 is staged on prodapp01");
      const given = `${folder}/releases/4685/crossbow/app.py`;
      await answer("prodapp01", `chown expprodl ${given}`);
      await refused(
        release("prodapp01", "4685"),
        `release 4685 is incomplete or changed on prodapp01 (expprodl has ${given})`,
      );
      await ended(stage("prodapp01", "4685"), 0, "4685 is staged on prodapp01");
      await answer("prodapp01", `echo '# by hand' >>${folder}/releases/4684/crossbow/app.py`);
      await refused(
        stage("prodapp01", "4684"),
        "release 4684 serves on prodapp01, and its files differ from its archive (./crossbow/app.py: FAILED)",
      );
      await answer("prodapp01", `sed -i '$d' ${folder}/releases/4684/crossbow/app.py`);
      await ended(stage("prodapp01", "4684"), 0, "4684 is staged already");
      const mine = open;
      open = { ...open, id: "another" };
      await refused(release("prodapp01", "4685"), "prodapp01 is claimed by release");
      open = mine;
      expect((await probe("prodapp01")).current).toBe("4684");
    });

    it("finish the requests that are in flight when a release comes, and go on with their sessions", async () => {
      await begin();
      const first = await get("prodapp01", "/");
      const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
      const slow = get("prodapp01", "/slow?s=2");
      await pause(200);
      await ended(release("prodapp01", "4685"), 0, "prodapp01 runs 4685 and is ready, good");
      expect(await (await slow).text()).toBe("slept 2 s\n");
      expect((await slow).headers.get("x-revision")).toBe("4684");
      const next = await fetch(`http://${addresses.prodapp01}:8080/`, { headers: { cookie } });
      expect(next.headers.get("x-session")).toBe("2");
      expect(next.headers.get("x-revision")).toBe("4685");
    });

    it("say within its limit that a release does not get ready, and go back, twice", async () => {
      await begin();
      await ended(stage("prodapp01", "4686-never-ready"), 0, "is staged");
      const begun = performance.now();
      const said =
        / prodapp01 bad: 4686-never-ready is not ready after 3 s: answers 503, not 200: .*migration/;
      await ended(release("prodapp01", "4686-never-ready", 3), 0, said);
      expect(performance.now() - begun).toBeLessThan(8000);
      await ended(release("prodapp01", "4686-never-ready", 1), 0, / bad: /);
      expect((await get("prodapp01", "/ready")).status).toBe(503);
      await ended(back("prodapp01", "4686-never-ready"), 0, "prodapp01 runs 4685 again");
      const old = await pid("prodapp01");
      await ended(back("prodapp01", "4686-never-ready"), 0, "prodapp01 runs 4685 again");
      expect(await pid("prodapp01")).toBe(old);
      expect((await get("prodapp01", "/ready")).status).toBe(200);
    });

    it("say at once that a release dies at its start, and go back", async () => {
      await begin();
      await ended(stage("prodapp01", "4689-never-starts"), 0, "is staged");
      const begun = performance.now();
      await ended(
        release("prodapp01", "4689-never-starts", 60),
        0,
        / prodapp01 bad: 4689-never-starts has died 2 times/,
      );
      expect(performance.now() - begun).toBeLessThan(15_000);
      await ended(back("prodapp01", "4689-never-starts"), 0, "prodapp01 runs 4685 again");
    });

    it("go back from the very first release to nothing, and from one that did not come by this transition not at all", async () => {
      await begin();
      await ended(
        back("prodapp02", "4684"),
        0,
        "4684 did not come to prodapp02 with this transition, nothing done",
      );
      await ended(release("prodapp02", "4684"), 0, "prodapp02 runs 4684 and is ready, good");
      await begin();
      await ended(back("prodapp02", "4684"), 0, "nothing done");
      expect((await get("prodapp02", "/ready")).status).toBe(200);
      await answer("prodapp02", `systemctl stop crossbow && rm ${folder}/current`);
      await ended(release("prodapp02", "4684"), 0, "prodapp02 runs 4684 and is ready, good");
      for (const _ of "twice")
        await ended(back("prodapp02", "4684"), 0, "prodapp02 runs no release, as before");
      expect(await probe("prodapp02")).toMatchObject({ current: null, runs: null, ready: false });
      await ended(release("prodapp02", "4684"), 0, "prodapp02 runs 4684 and is ready, good");
    });

    it("fail when the old release does not get ready again", async () => {
      await begin();
      await ended(release("prodapp01", "4684"), 0, "good");
      await answer("prodapp01", `sed -i 's/^main()/sys.exit(3)/' ${folder}/releases/4685/bin/serve`);
      await ended(
        back("prodapp01", "4684"),
        75,
        "previous release 4685 does not become ready on prodapp01: 4685 has died 2 times",
      );
      await answer("prodapp01", `sed -i 's/^sys.exit(3)/main()/' ${folder}/releases/4685/bin/serve`);
      await ended(back("prodapp01", "4684"), 0, "prodapp01 runs 4685 again");
    });

    it("go on where a release was killed: before its restart, and while it waits", async () => {
      for (const where of ["switching current to 4684", "waiting until"]) {
        await begin();
        const running = release("prodapp01", "4684", 30);
        const kill = `until grep -q '${where}' ${records}/runs/${open.id}-app-run-release/err 2>/dev/null; do :; done; pkill -9 -f '[a]pp/run-release.sh'`;
        await answer("prodapp01", kill);
        expect((await running).code).not.toBe(0);
        expect((await probe("prodapp01")).before).toMatchObject({ revision: "4685" });
        await ended(release("prodapp01", "4684"), 0, "prodapp01 runs 4684 and is ready, good");
        expect((await get("prodapp01", "/")).headers.get("x-revision")).toBe("4684");
        await ended(back("prodapp01", "4684"), 0, "prodapp01 runs 4685 again");
      }
    });

    it("start a release again when the settings of the application have changed, and only then", async () => {
      await begin();
      const more = ["env.STYLES_MARKER=.marker"];
      const ran = await configure("prodapp01", more, `DATABASE_PASSWORD=${password}\n`);
      expect(ran.stderr).toContain(
        "the running application reads /etc/crossbow/environment at its next release",
      );
      expect((await probe("prodapp01")).runs_configured).toBe(false);
      await ended(release("prodapp01", "4685", 2), 0, / bad: .*public\/styles\/\.marker: No such file/);
      await answer("prodapp01", `touch ${folder}/shared/system/styles/.marker`);
      await ended(release("prodapp01", "4685"), 0, "good");
      const seen = await answer(
        "prodapp01",
        `tr '\\0' '\\n' </proc/$(systemctl show -P MainPID crossbow)/environ | grep ^DATABASE`,
      );
      expect(seen).toBe(`DATABASE_PASSWORD=${password}`);
      // Its own styles are a server's own affair, at any time.
      await answer("prodapp01", `rm ${folder}/shared/system/styles/.marker`);
      await expect.poll(async () => (await get("prodapp01", "/ready")).status, soon).toBe(503);
      await ended(configure("prodapp01"), 0, "is configured as a server");
      await ended(release("prodapp01", "4685"), 0, "good");
    });

    it("put the link back where a folder has taken its place, and keep the folder", async () => {
      const place = `${folder}/releases/4685/public/styles`;
      await answer("prodapp01", `rm ${place} && mkdir ${place} && touch ${place}/only-here.css`);
      expect(await probe("prodapp01")).toMatchObject({
        links_ok: false,
        links_wrong: [`${place} does not lead to ${folder}/shared/system/styles`],
      });
      await ended(stage("prodapp01", "4685"), 0, "4685 is staged already");
      expect(await answer("prodapp01", `readlink ${place}; ls ${place}.found`)).toBe(
        `${folder}/shared/system/styles\nonly-here.css`,
      );
      expect(await probe("prodapp01")).toMatchObject({ links_ok: true });
    });

    it("keep the newest five releases, and always the one that runs and the one before", async () => {
      await begin();
      await ended(release("prodapp01", "4684"), 0, "good");
      for (const revision of ["4691", "4692", "4693", "4694", "4695"])
        await ended(stage("prodapp01", revision), 0, "is staged");
      expect(await answer("prodapp01", `ls -A ${folder}/releases`)).toBe(
        "4684\n4685\n4691\n4692\n4693\n4694\n4695",
      );
      await ended(back("prodapp01", "4684"), 0, "prodapp01 runs 4685 again");
      expect((await probe("prodapp01")).staged).toEqual([
        "4684",
        "4685",
        "4691",
        "4692",
        "4693",
        "4694",
        "4695",
      ]);
    });

    it("close the port to all but this machine and who is allowed, finish what is in flight, last over a reboot, and open it again [001-052] [001-092] [001-133] [001-139]", async () => {
      const by = (word: string) =>
        answer("prodapp01", `runuser -u expprodl -- sudo -n /usr/local/sbin/crossbow-maintenance ${word}`);
      const here = `curl -s -o /dev/null -w '%{http_code}' http://${addresses.prodapp01}:8080/ready`;
      const there =
        "python3 -c \"import urllib.request as u; print(u.urlopen('http://prodapp01:8080/ready', timeout=3).status)\" 2>&1 | tail -1";
      await answer(
        "prodapp01",
        "nft add table inet other && nft add chain inet other mine '{ type filter hook input priority 0; }'",
      );
      const slow = get("prodapp01", "/slow?s=2");
      await pause(300);
      expect(await by("on")).toMatch(
        /^crossbow-maintenance prodapp01 is in maintenance: port 8080 answers only this machine; 0 requests were cut, /,
      );
      expect(await (await slow).text()).toBe("slept 2 s\n");
      await expect(get("prodapp01", "/")).rejects.toThrow();
      expect(await answer("prodapp02", there)).toContain("Connection refused");
      expect(
        await answer(
          "prodapp01",
          here.replace(
            "curl",
            "true; python3 -c \"import urllib.request as u; print(u.urlopen('http://prodapp01:8080/ready').status)\" #",
          ),
        ),
      ).toBe("200");
      expect(await probe("prodapp01")).toMatchObject({ maintenance: true, ready: true });
      expect(await by("on")).toContain("is in maintenance");
      await lab.reboot(made.id, "prodapp01");
      await expect.poll(async () => (await probe("prodapp01")).ready, { timeout: 20_000 }).toBe(true);
      expect(await answer("prodapp02", there)).toContain("Connection refused");
      await answer("prodapp01", "nft add table inet other");
      for (const _ of "twice") expect(await by("off")).toContain("prodapp01 is out of maintenance");
      expect(await answer("prodapp02", there)).toBe("200");
      expect(await answer("prodapp01", "nft list tables")).toBe("table inet other");
      const slow5 = get("prodapp01", "/slow?s=4").catch(() => undefined);
      await pause(300);
      await answer(
        "prodapp01",
        `sed -i 's/^ALLOWED=.*/ALLOWED=${addresses.prodapp02}/' /etc/crossbow/crossbow.conf`,
      );
      const closed = await answer("prodapp01", `bash ${scripts}/app/set-maintenance.sh x crossbow on 1`);
      expect(closed).toContain(`answers only this machine and ${addresses.prodapp02}; 1 requests were cut`);
      await slow5;
      expect(await answer("prodapp02", there)).toBe("200");
      expect(await by("off")).toContain("out of maintenance");
    });

    it("carry 200 requests a second, and no user sees an error while a cache goes and comes", async () => {
      await memcached("prodapp01", "stop").catch(() => "it ended with the reboot");
      await memcached("prodapp01", "start");
      await expect.poll(async () => (await get("prodapp01", "/ready")).status, soon).toBe(200);
      const load = new Load({ targets: [`http://${addresses.prodapp01}:8080`] });
      await load.start();
      const mark = load.mark();
      await pause(3000);
      const quiet = load.since(mark);
      const going = load.mark();
      await memcached("prodapp02", "stop");
      await pause(4000);
      const without = load.since(going);
      await memcached("prodapp02", "start");
      await pause(4000);
      await load.stop();
      const all = load.since(mark);
      expect(all.failed, JSON.stringify(all)).toBe(0);
      expect(quiet.ok).toBeGreaterThan(500);
      // On a slow machine a node that answers late is gone around for a second: some sessions begin anew, no request fails.
      expect(quiet.sessionsLost).toBeLessThan(quiet.ok / 20);
      expect(without.sessionsLost).toBeGreaterThan(0);
      expect(without.sessionsLost).toBeLessThan(without.ok / 2);
      const { sessions } = (await (await get("prodapp01", "/ready")).json()) as {
        sessions: { nodes: Record<string, string>; ring: string };
      };
      expect(Object.values(sessions.nodes)).toEqual(["up", "up"]);
      const other = (await (await get("prodapp02", "/ready")).json()) as { sessions: { ring: string } };
      expect(other.sessions.ring).toBe(sessions.ring);
    });

    it("no user waits long for a cache that is silent", async () => {
      const load = new Load({ targets: [`http://${addresses.prodapp01}:8080`], slowShare: 0 });
      await load.start();
      const mark = load.mark();
      await lab.freeze(made.id, "prodapp02");
      await pause(3000);
      await lab.thaw(made.id, "prodapp02");
      await pause(2000);
      await load.stop();
      const report = load.since(mark);
      expect(report.failed).toBe(0);
      // A client that waited for it would wait for ever.
      expect(report.latency.max).toBeLessThan(2500);
    });

    it("read the database, are not ready without their grant, and say so before [001-022] [001-025] [001-028]", async () => {
      const psql = (text: string) => answer("prodapp02", "cd / && runuser -u postgres -- psql -XAtq", text);
      await answer("prodapp02", "pg_createcluster 15 main -o listen_addresses='*' --start");
      await psql("create role produser login; create database cb_production owner produser;");
      const more = [
        `env.DATABASE_HOST=${addresses.prodapp02}`,
        "env.DATABASE_NAME=cb_production",
        "env.DATABASE_USER=produser",
      ];
      await begin();
      await ended(
        configure("prodapp01", more, `DATABASE_PASSWORD=${password}`),
        0,
        "is configured as a server",
      );
      expect((await probe("prodapp01")).database).toContain("no pg_hba.conf entry");
      await ended(release("prodapp01", "4685", 3), 0, / bad: .*database: .*no pg_hba.conf entry/);
      await answer(
        "prodapp02",
        `echo 'host cb_production produser ${addresses.prodapp01}/32 scram-sha-256' >>/etc/postgresql/15/main/pg_hba.conf`,
      );
      await psql(
        `alter role produser password '${password.replaceAll("'", "''")}'; select pg_reload_conf();`,
      );
      await expect.poll(async () => (await probe("prodapp01")).database, soon).toBeNull();
      await ended(release("prodapp01", "4685"), 0, "good");
      expect(await (await get("prodapp01", "/db")).json()).toEqual({
        database: "cb_production",
        server: addresses.prodapp02,
        role: "primary",
      });
      // Every server would be as badly off: none leaves the pool for it.
      await answer("prodapp02", "systemctl stop postgresql@15-main");
      await expect
        .poll(async () => (await get("prodapp01", "/ready")).json(), { timeout: 10_000 })
        .toMatchObject({ ready: true, database: expect.stringContaining("refused") as string });
      expect((await get("prodapp01", "/db")).status).toBe(503);
      expect((await get("prodapp01", "/")).status).toBe(200);
      await answer("prodapp02", "systemctl start postgresql@15-main");
      await expect.poll(async () => (await get("prodapp01", "/db")).status, { timeout: 10_000 }).toBe(200);
    });

    it("run the releases that break later: ready at first, then 500, or dead", async () => {
      await begin();
      for (const revision of ["4687-breaks", "4688-dies"])
        await ended(stage("prodapp02", revision), 0, "is staged");
      await ended(release("prodapp02", "4688-dies"), 0, "prodapp02 runs 4688-dies and is ready, good");
      const load = new Load({ targets: [`http://${addresses.prodapp02}:8080`], slowShare: 0 });
      await load.start();
      await pause(2500);
      await load.stop();
      expect(Object.keys(load.since(0).reasons).sort()).toEqual(["closed", "refused"]);
      await ended(release("prodapp02", "4687-breaks"), 0, "prodapp02 runs 4687-breaks and is ready, good");
      expect((await get("prodapp02", "/")).status).toBe(200);
      await expect.poll(async () => (await get("prodapp02", "/")).status, { timeout: 15_000 }).toBe(500);
      expect((await get("prodapp02", "/ready")).status).toBe(200);
      await ended(back("prodapp02", "4687-breaks"), 0, "prodapp02 runs 4684 again");
    });

    it("run the application where it writes in its shared folders, also in a volume that is mounted later, and nowhere else", async () => {
      const styles = `${folder}/shared/system/styles`;
      let app = await pid("prodapp01");
      /** As the application, in its own view of the machine. */
      const writes = async (path: string) =>
        (await on("prodapp01", `nsenter -t ${app} -m runuser -u expprodl -- touch ${path}`)).code === 0;
      expect(await writes(`${styles}/mine`)).toBe(true);
      const closed = [
        `${folder}/releases/4685`,
        folder,
        `${folder}/shared`,
        "/etc",
        "/var/log",
        "/usr/local",
      ];
      for (const place of closed) expect(await writes(`${place}/mine`), place).toBe(false);
      expect((await on("prodapp01", `nsenter -t ${app} -m touch /var/log/roots`)).stderr).toContain(
        "Read-only",
      );
      for (const when of ["after the application", "before it"]) {
        await answer("prodapp01", `mount -t tmpfs -o mode=1777 volume ${styles}`);
        if (when === "before it") await answer("prodapp01", "systemctl restart crossbow");
        app = await pid("prodapp01");
        expect(await writes(`${styles}/in-volume`)).toBe(true);
        expect(await answer("prodapp01", `ls ${styles}`)).toBe("in-volume");
        await answer("prodapp01", `umount ${styles}`);
        expect(await answer("prodapp01", `nsenter -t ${app} -m ls ${styles}`)).toContain("mine");
      }
      await answer("prodapp01", `rm ${styles}/mine`);
    });

    it("take the folders back that an older release gave to the owner, and stop no process for it", async () => {
      const running = await pid("prodapp01");
      await answer("prodapp01", `cd ${folder} && chown -hR expprodl: releases archives shared`);
      await begin();
      await refused(stage("prodapp01", "4685"), `${folder}/releases belongs to user 763`);
      await ended(configure("prodapp01"), 0, "is configured as a server");
      expect(
        await answer("prodapp01", `find ${folder}/releases ${folder}/archives ! -type l -user expprodl`),
      ).toBe("");
      expect(
        await answer("prodapp01", `stat -c %U ${folder}/shared/system ${folder}/shared/system/styles`),
      ).toBe("root\nexpprodl");
      expect(await pid("prodapp01")).toBe(running);
      await ended(stage("prodapp01", "4685"), 0, "4685 is staged already");
    });

    it("let in the balancers and who is allowed, tell when the rules are gone, and refuse to shut out who uses the port", async () => {
      const asks = (host: Host, to: Host) =>
        answer(
          host,
          `python3 -c "import urllib.request as u; print(u.urlopen('http://${to}:8080/ready', timeout=3).status)" 2>&1 | tail -1`,
        );
      const balancers = `balancers=${addresses.prodapp02}`;
      const asking = new AbortController();
      const stranger = (async () => {
        while (!asking.signal.aborted) await get("prodapp01", "/ready").catch(() => undefined);
      })();
      await refused(
        configure("prodapp01", [balancers]),
        /use\(s\) port 8080 of prodapp01, and is no balancer of crossbow/,
      );
      asking.abort();
      await stranger;
      expect((await get("prodapp01", "/ready")).status).toBe(200);
      await expect.poll(async () => (await configure("prodapp01", [balancers])).code, soon).toBe(0);
      expect(await asks("prodapp02", "prodapp01")).toBe("200");
      await expect(get("prodapp01", "/ready")).rejects.toThrow();
      expect(await probe("prodapp01")).toMatchObject({ ready: true, firewall: null });
      for (const verb of ["restart", "reload", "stop"]) {
        await answer("prodapp01", `systemctl ${verb} nftables`);
        expect((await probe("prodapp01")).firewall, verb).toBeNull();
      }
      await answer("prodapp01", "nft flush ruleset");
      expect((await probe("prodapp01")).firewall).toContain(
        "load them: nft -f /var/lib/changeover/crossbow/access.nft",
      );
      await answer("prodapp01", "systemctl restart crossbow");
      await expect.poll(async () => probe("prodapp01"), soon).toMatchObject({ ready: true, firewall: null });
      expect(await answer("prodapp01", `bash ${scripts}/app/set-maintenance.sh x crossbow on 1`)).toContain(
        "is in maintenance",
      );
      expect(await asks("prodapp02", "prodapp01")).toContain("Connection refused");
      expect(await answer("prodapp01", `bash ${scripts}/app/set-maintenance.sh x crossbow off`)).toContain(
        "is open to its balancers",
      );
      expect(await asks("prodapp02", "prodapp01")).toBe("200");
      await ended(configure("prodapp01"), 0, "is configured as a server");
      expect((await get("prodapp01", "/ready")).status).toBe(200);
    });

    it("replace no unit, folder, command or line of sudo that the machine has under the pool's name", async () => {
      const before = await answer("prodapp02", "systemctl cat ssh.service; ls -lR /etc/ssh");
      const named = (pool: string) =>
        on(
          "prodapp02",
          `CHANGEOVER_COMPONENT=x bash ${scripts}/app/configure.sh x ${pool} address=${addresses.prodapp02} </dev/null`,
        );
      for (const pool of ["ssh", "dbus"])
        await refused(named(pool), /is not of pool \w+; give the pool another name; nothing was changed/);
      await answer(
        "prodapp02",
        "mkdir /etc/mine && touch /etc/mine/file /etc/sudoers.d/rights /usr/local/sbin/tool-maintenance && printf '[Timer]\\nOnCalendar=daily\\n' >/etc/systemd/system/nightly.timer && systemctl daemon-reload",
      );
      for (const pool of ["mine", "rights", "tool", "nightly"])
        await refused(named(pool), `is not of pool ${pool}`);
      for (const pool of ["a-b", "A", "_a", "a".repeat(32)]) await ended(named(pool), 64, "is no name");
      expect(await answer("prodapp02", "systemctl cat ssh.service; ls -lR /etc/ssh")).toBe(before);
      expect(await answer("prodapp02", "ls -d /etc/mine/* /deploy/mine 2>/dev/null || true")).toBe(
        "/etc/mine/file",
      );
    });

    it("let root run what is root's own, whoever brought the scripts", async () => {
      expect(await answer("prodapp01", "find /usr/local/lib/changeover /usr/local/sbin ! -user root")).toBe(
        "",
      );
      await answer("prodapp01", `chown -R nobody ${scripts} && chmod -R go+w ${scripts}`);
      await ended(configure("prodapp01"), 0, "is configured as a server");
      expect(
        await answer(
          "prodapp01",
          "find /usr/local/lib/changeover /usr/local/sbin ! -user root -o ! -type l -perm /022",
        ),
      ).toBe("");
      await answer("prodapp01", `chown -R root ${scripts}`);
    });

    it("get their system's packages, loaded before and said to be good or bad after, and again nothing [001-120] [001-121]", async () => {
      await answer("prodapp01", installed("crossbow-tools", "1"));
      await answer("prodapp01", offered("crossbow-tools", "2"));
      await begin();
      const load = () =>
        on(
          "prodapp01",
          `bash ${scripts}/step.sh ${component} ${open.transition} ${open.id} 90 app/fetch-packages ${component}`,
        );
      await ended(load(), 0, "has 1 package(s) to upgrade: crossbow-tools");
      expect(await answer("prodapp01", versionOf("crossbow-tools"))).toBe("1");
      const before = await pid("prodapp01");
      await ended(
        step("prodapp01", "upgrade-packages", "10"),
        0,
        "prodapp01 has upgraded 1 package(s), good",
      );
      expect(await answer("prodapp01", versionOf("crossbow-tools"))).toBe("2");
      expect(await pid("prodapp01")).not.toBe(before);
      await ended(load(), 0, "has 0 package(s) to upgrade");
      await ended(
        step("prodapp01", "upgrade-packages", "10"),
        0,
        "prodapp01 has upgraded 0 package(s), good",
      );
      await answer(
        "prodapp01",
        offered("crossbow-tools", "3", "chmod a-x /deploy/crossbow/current/bin/serve"),
      );
      await ended(load(), 0, "has 1 package(s) to upgrade");
      await ended(step("prodapp01", "upgrade-packages", "10"), 0, / bad: crossbow\.service does not start/);
      await answer("prodapp01", "chmod a+x /deploy/crossbow/current/bin/serve");
      await ended(step("prodapp01", "upgrade-packages", "10"), 0, "good");
    });
  },
);
