import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { powerCut, reboot, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Estate } from "../support/estate.ts";
import { failed, ok } from "../support/runs.ts";
import { VolumeUser } from "../support/volume-users.ts";

const minute = 60_000;
const mount = "/deploy/crossbow/shared/system/styles";
const folder = "/deploy/crossbow/current/public/styles";
const kept = "/home/expprodl/styles.tracker-4675";

const styles = {
  servers: ["prodapp01", "prodapp02"],
  arbiter: "crossbow",
  brick: "/data00/styles",
  mounts: { prodapp01: mount, prodapp03: mount },
  owner: "expprodl",
  checkSeconds: 10,
};

/** Styles on two servers and an arbiter, and a host that only mounts them. */
describe.skipIf(whyNoLab() !== undefined)("a shared volume", () => {
  let estate: Estate;
  const set = (change: Record<string, unknown> = {}) => {
    estate.config = { pairs: {}, sharedVolumes: { styles: { ...styles, ...change } } };
    estate.write();
  };
  const bricks = async (host = "prodapp01") =>
    (await estate.on(host, "gluster volume info styles | sed -n 's/^Brick[0-9]: [^:]*:/&/p'"))
      .trim()
      .split("\n")
      .map((line) => {
        const [, address, path, role] = /^Brick\d: ([^:]+):(\S+)( \(arbiter\))?/.exec(line) ?? [];
        const name = [...estate.hosts.values()].find((one) => one.address === address)?.name;
        return `${name ?? line}:${path ?? ""}${role ?? ""}`;
      });
  /** What a brick has, by names. */
  const fileList = (host: string) =>
    estate.on(host, "cd /data00/styles && find . -name .glusterfs -prune -o -type f -print | sort | md5sum");
  const check = (host: string) =>
    estate.on(host, "python3 /usr/local/lib/changeover/mounts/mount-check.py styles; echo $?");

  beforeAll(async () => {
    estate = await Estate.start(["prodapp01", "prodapp02", "prodapp03", "crossbow"]);
    await estate.on(
      "prodapp01",
      `mkdir -p ${folder}/themes && cd ${folder} && for n in $(seq 0 19); do echo read-$n.css >read-$n.css; done && echo x >themes/x.css && chmod 0640 themes/x.css && ln -s themes/x.css x.css && ls -A | wc -l`,
    );
    await estate.on("prodapp03", `mkdir -p ${folder} && echo read-1.css >${folder}/read-1.css`);
    set();
    ok(await estate.up());
  }, 10 * minute);

  afterAll(() => estate.stop(), minute);

  it("has its bricks at the path that was made, and is mounted with _netdev and other servers to ask [001-055] [001-056] [001-057] [001-058] [001-059] [001-060] [001-061] [001-062] [001-063] [001-064] [001-065] [001-076] [001-077]", async () => {
    expect(await bricks()).toEqual([
      "prodapp01:/data00/styles",
      "prodapp02:/data00/styles",
      "crossbow:/data00/styles (arbiter)",
    ]);
    for (const host of ["prodapp01", "prodapp03"]) {
      const unit = await estate.on(host, `systemctl cat '${mount.slice(1).replaceAll("/", "-")}.mount'`);
      expect(unit).toMatch(/Options=_netdev,backup-volfile-servers=[\d.]+:[\d.]+,/);
      expect(await estate.on(host, `stat -c '%U %G' ${mount}`)).toBe("expprodl expprodl\n");
      expect(await check(host)).toMatch(/^MOUNT OK - styles is mounted at [^]*\n0\n$/);
    }
  });

  it(
    "runs nothing when nothing changed, and a host is still mounted after its start [001-065]",
    async () => {
      const run = await estate.up();
      ok(run);
      expect(run.output).not.toMatch(/created|updated|replaced/);
      await reboot(estate.lab, "prodapp03");
      await expect.poll(() => check("prodapp03"), { timeout: 40_000, interval: 1000 }).toMatch(/\n0\n$/);
    },
    minute,
  );

  it(
    "shows on one host within a second what is written on another",
    async () => {
      const seconds: number[] = [];
      for (const text of ["new", "changed", "changed again"]) {
        const begun = performance.now();
        await estate.on("prodapp01", `echo '${text}' >${mount}/written.css`);
        await estate.on(
          "prodapp03",
          `for n in $(seq 100); do [[ $(cat ${mount}/written.css 2>/dev/null) == '${text}' ]] && exit 0; sleep 0.02; done; exit 1`,
        );
        seconds.push((performance.now() - begun) / 1000);
      }
      await estate.on("prodapp01", `rm ${mount}/written.css`);
      expect(Math.max(...seconds), `${seconds.join(", ")} s`).toBeLessThan(1);
    },
    minute,
  );

  it(
    "gets the folder that it takes the place of, verified, and the folder is kept [001-066] [001-067] [001-068] [001-069] [001-070] [001-071] [001-072] [001-073] [001-074] [001-075] [001-078] [001-079] [001-081]",
    async () => {
      set({ replaces: folder, copyFrom: "prodapp01", kept });
      const run = await estate.up();
      ok(run);
      expect(run.output).toContain("23 files and folders, ");
      for (const host of ["prodapp01", "prodapp03"])
        expect(await estate.on(host, `readlink ${folder}`)).toBe(`${mount}\n`);
      expect(
        await estate.on("prodapp03", `cat ${folder}/x.css; stat -c '%a %U' ${folder}/themes/x.css`),
      ).toBe("x\n640 expprodl\n");
      expect(await estate.on("prodapp01", `ls ${kept} | wc -l`)).toBe("22\n");
      set();
      ok(await estate.up());
      expect(await estate.on("prodapp01", `test ! -L ${folder} && ls ${folder} | wc -l`)).toBe("22\n");
      set({ replaces: folder, copyFrom: "prodapp01", kept });
      ok(await estate.up());
      expect(await estate.on("prodapp01", `readlink ${folder}`)).toBe(`${mount}\n`);
    },
    3 * minute,
  );

  it(
    "serves without an error while a server dies and returns, and the next brick operation waits until all is healed",
    async () => {
      const whole = { replaces: folder, copyFrom: "prodapp01", kept };
      const users = [
        await VolumeUser.start(estate, "prodapp01", "writer", mount),
        await VolumeUser.start(estate, "prodapp03", "reader", mount),
      ];
      // The volume's own healing is off, so that what comes meanwhile is seen to be waited for.
      await estate.on("prodapp01", "gluster --mode=script volume set styles cluster.self-heal-daemon off");
      await powerCut(estate.lab, "prodapp02");
      set({ ...whole, servers: ["prodapp01", "prodapp03"] });
      await new Promise((resolve) => setTimeout(resolve, 8000));
      await estate.boot("prodapp02");
      await expect
        .poll(() => estate.on("prodapp01", "gluster volume status styles | grep -cE '^Brick.* Y '"), {
          timeout: 30_000,
        })
        .toBe("3\n");
      const started = estate.project.start(["up", "--yes", "--skip-preview"], 240);
      await expect
        .poll(() => started.said(), { timeout: 60_000, interval: 500 })
        .toMatch(/waiting: styles has \d+ entries to heal/);
      expect(await bricks()).toContain("prodapp02:/data00/styles");
      await estate.on("prodapp01", "gluster --mode=script volume set styles cluster.self-heal-daemon on");
      ok(await started.run);
      expect(await bricks()).toEqual([
        "prodapp01:/data00/styles",
        "prodapp03:/data00/styles",
        "crossbow:/data00/styles (arbiter)",
      ]);
      for (const seen of await Promise.all(users.map((user) => user.stop()))) {
        expect(seen.errors, JSON.stringify(seen)).toEqual([]);
        expect(seen.done).toBeGreaterThan(200);
        console.log(`users of the volume: ${String(seen.done)}, worst ${seen.worst.toFixed(2)} s`);
      }
      expect(await fileList("prodapp03")).toBe(await fileList("prodapp01"));
    },
    6 * minute,
  );

  it(
    "goes back to the brick that went, whose data was kept",
    async () => {
      const reader = await VolumeUser.start(estate, "prodapp03", "reader", mount);
      set({ replaces: folder, copyFrom: "prodapp01", kept });
      ok(await estate.up());
      expect(await bricks()).toContain("prodapp02:/data00/styles");
      expect(await estate.on("prodapp02", "ls /data00 | grep -c 'styles[.]kept-'")).toBe("1\n");
      const seen = await reader.stop();
      console.log(
        `a reader while a brick is replaced: ${String(seen.done)}, worst ${seen.worst.toFixed(2)} s`,
      );
      expect(seen.errors).toEqual([]);
    },
    3 * minute,
  );

  it(
    "gets copies and loses them one after the other, down to one for a reason, without an error for who uses it [001-058] [001-061]",
    async () => {
      const whole = { replaces: folder, copyFrom: "prodapp01", kept };
      const users = [
        await VolumeUser.start(estate, "prodapp01", "writer", mount),
        await VolumeUser.start(estate, "prodapp03", "reader", mount),
      ];
      const shapes: [Record<string, unknown>, string[]][] = [
        [{ servers: ["prodapp01", "prodapp02", "prodapp03"], arbiter: undefined }, []],
        [{ servers: ["prodapp01"], arbiter: undefined, singleBrick: "the others are moved" }, []],
        [{}, ["crossbow:/data00/styles (arbiter)"]],
      ];
      for (const [change, arbiters] of shapes) {
        set({ ...whole, ...change });
        ok(await estate.up());
        const { servers } = { ...styles, ...change } as { servers: string[] };
        expect((await bricks()).sort()).toEqual(
          [...servers.map((host) => `${host}:/data00/styles`), ...arbiters].sort(),
        );
      }
      for (const user of users) {
        const seen = await user.stop();
        expect(seen.errors, JSON.stringify(seen)).toEqual([]);
      }
      // Root's files: where the folder is looked through again, they would be another owner's.
      await estate.on("prodapp01", `rm ${mount}/written-*.css`);
      expect(await fileList("prodapp02")).toBe(await fileList("prodapp01"));
    },
    6 * minute,
  );

  it(
    "is not mounted elsewhere while a process uses it, and nothing is touched",
    async () => {
      const whole = { replaces: folder, copyFrom: "prodapp01", kept };
      const reader = await VolumeUser.start(estate, "prodapp03", "reader", mount);
      set({ ...whole, mounts: { ...styles.mounts, prodapp03: "/srv/styles" } });
      const run = await estate.up();
      failed(run);
      expect(run.output).toMatch(
        /prodapp03 has the volume at \S+ in use by \d+ python3; take the server out of its pool first/,
      );
      expect((await reader.stop()).errors).toEqual([]);
      set(whole);
      ok(await estate.up());
    },
    2 * minute,
  );

  it(
    "has one brick only for a reason, and a bare folder is critical for its check [001-061] [001-099] [001-152]",
    async () => {
      set({ servers: ["prodapp01"], arbiter: undefined });
      const run = await estate.up();
      failed(run);
      expect(run.output).toContain("one copy is lost when its server is lost");
      await estate.on("prodapp03", `systemctl stop changeover-mount-check-styles.timer; umount ${mount}`);
      expect(await check("prodapp03")).toBe(
        `MOUNT CRITICAL - ${mount} is a bare folder: styles is not mounted\n2\n`,
      );
      await estate.on("prodapp03", "systemctl start changeover-mount-check-styles.timer");
      await expect.poll(() => check("prodapp03"), { timeout: 40_000, interval: 1000 }).toMatch(/\n0\n$/);
      await expect
        .poll(() => estate.on("prodapp03", "head -n 1 /var/lib/changeover/styles-prodapp03-mount/check"), {
          timeout: 40_000,
          interval: 1000,
        })
        .toBe("code=0\n");
    },
    2 * minute,
  );

  it(
    "is mounted no more where the config says none, and again when it says so",
    async () => {
      const whole = { replaces: folder, copyFrom: "prodapp01", kept };
      set({ ...whole, mounts: { ...styles.mounts, prodapp03: "none" } });
      ok(await estate.up());
      const left = await estate.on(
        "prodapp03",
        `findmnt -rn -t fuse.glusterfs; ls -A ${mount}; systemctl list-unit-files --no-legend '*styles*'; cat ${folder}/read-1.css`,
      );
      expect(left).toBe("read-1.css\n");
      set(whole);
      ok(await estate.up());
      expect(await estate.on("prodapp03", `readlink ${folder}`)).toBe(`${mount}\n`);
      expect(await check("prodapp03")).toMatch(/\n0\n$/);
      const verified = await estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    2 * minute,
  );
});
