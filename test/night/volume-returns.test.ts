import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reboot, ssh, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Estate } from "../support/estate.ts";
import { failed, ok } from "../support/runs.ts";

const minute = 60_000;
const mount = "/srv/styles";
const endBrick = "kill $(pgrep -ax glusterfsd | awk '/data00.styles/ { print $1 }')";

/** Two volumes in one trusted pool, whose bricks have the same paths on every host; and a host that has no part in them. */
describe.skipIf(whyNoLab() !== undefined)("what comes back to a shared volume", () => {
  let estate: Estate;
  const volume = (name: string, servers: readonly string[], arbiter: string, more: object = {}) => ({
    [name]: {
      ...{ servers, arbiter, brick: `/data00/${name}`, owner: "expprodl" },
      mounts: Object.fromEntries(servers.slice(0, 1).map((host) => [host, `/srv/${name}`])),
      ...{ checkSeconds: 10, ...more },
    },
  });
  const set = (styles: readonly string[], more: object = {}) => {
    estate.config = {
      pairs: {},
      sharedVolumes: {
        ...volume("styles", styles, "c1", more),
        ...volume("uploads", ["a1", "d1"], "b1"),
      },
    };
    estate.write();
  };
  const bricks = async (): Promise<string[]> =>
    (await estate.on("a1", "gluster volume info styles | sed -nE 's/^Brick[0-9]+: ([^:]+):.*/\\1/p'"))
      .trim()
      .split("\n")
      .map((address) => [...estate.hosts.values()].find((one) => one.address === address)?.name ?? address);
  const table = (host: string) => ssh(estate.lab, host, "nft list table inet changeover-gluster");
  /** What a host without a part in the volume reads of it: mount ends with 0 also where the volume lets nobody in. */
  const foreign = async (): Promise<string> => {
    const { address } = estate.host("a1");
    const tries = `mkdir -p /mnt/styles; timeout 15 mount -t glusterfs ${address}:/styles /mnt/styles; cat /mnt/styles/1.css; umount /mnt/styles`;
    return (await ssh(estate.lab, "stranger", tries, 40)).stdout;
  };
  const allow = (addresses: string) =>
    estate.on("a1", `gluster --mode=script volume set styles auth.allow '${addresses}'`);
  const allowed = () =>
    estate.on("a1", "gluster volume info styles | sed -n 's/^auth.allow: //p'").then((said) => said.trim());

  beforeAll(async () => {
    estate = await Estate.start(["a1", "b1", "c1", "d1", "stranger"]);
    set(["a1", "b1"]);
    ok(await estate.up());
    await estate.on(
      "a1",
      `for n in 1 2 3 4 5; do echo $n >${mount}/$n.css; done; chown expprodl: ${mount}/*`,
    );
  }, 12 * minute);
  afterAll(() => estate.stop(), minute);

  it(
    "is no host that has no part in it, also after a flush of the ruleset and a reboot",
    async () => {
      expect(await foreign()).toBe("");
      const own = await allowed();
      expect(own).toBe(
        ["a1", "b1", "c1"]
          .map((host) => estate.host(host).address)
          .sort()
          .join(","),
      );
      await estate.on("a1", "nft flush ruleset");
      await expect.poll(async () => (await table("a1")).code, { timeout: 10_000 }).toBe(0);
      await estate.on("a1", "systemctl stop changeover-rules && nft flush ruleset");
      const open = await estate.verify();
      expect(open.code, open.output).toBe(77);
      expect(open.output).toContain(
        "a1: lets every host reach GlusterFS: its rules of nftables are not loaded",
      );
      // The second lock: where no server has its rules, the volume itself lets nobody else in.
      for (const host of ["b1", "c1"])
        await estate.on(host, "systemctl stop changeover-rules && nft flush ruleset");
      expect(await foreign()).toBe("");
      await allow("*");
      expect(await foreign()).toBe("1\n");
      await allow(own);
      expect(await foreign()).toBe("");
      for (const host of ["b1", "c1"]) await estate.on(host, "systemctl start changeover-rules");
      await reboot(estate.lab, "a1");
      await expect.poll(async () => (await table("a1")).code, { timeout: 40_000, interval: 500 }).toBe(0);
      const mounted = () =>
        estate.on("a1", `findmnt -rn ${mount}; cat ${mount}/1.css`).catch((why: unknown) => String(why));
      await expect.poll(mounted, { timeout: 60_000, interval: 1000 }).toMatch(/\n1\n$/);
      const closed = await estate.verify();
      expect(closed.code, closed.output).toBe(0);
    },
    5 * minute,
  );

  it(
    "is no file that was deleted while its brick was away, and the old brick is kept aside",
    async () => {
      set(["a1", "d1"]);
      ok(await estate.up());
      expect(await bricks()).toEqual(["a1", "d1", "c1"]);
      await estate.on("a1", `rm ${mount}/1.css; echo changed >${mount}/2.css`);
      set(["a1", "b1"]);
      ok(await estate.up());
      expect(await bricks()).toEqual(["a1", "b1", "c1"]);
      expect(await estate.on("a1", `ls ${mount}`)).toBe("2.css\n3.css\n4.css\n5.css\n");
      expect(
        await estate.on("b1", "cat /data00/styles/2.css; ls -d /data00/styles.kept-*/1.css | wc -l"),
      ).toBe("changed\n1\n");
      const clean = await estate.verify();
      expect(clean.code, clean.output).toBe(0);
    },
    6 * minute,
  );

  it(
    "is no brick without its disk",
    async () => {
      await estate.on("b1", `${endBrick}; sleep 1; mv /data00/styles /data00/aside && mkdir /data00/styles`);
      const lost = await estate.verify();
      expect(lost.code, lost.output).toBe(77);
      expect(lost.output).toContain("b1: its brick of styles has no data: its disk is not mounted");
      const run = await estate.up("--replace", "**::styles-volume-bricks-id");
      failed(run);
      expect(run.output).toContain("b1 has no data at the path of its brick: its disk is not mounted");
      // What was begun is said with its cure instead.
      const begun = await estate.verify();
      expect(begun.code, begun.output).toBe(77);
      expect(begun.output).toMatch(/styles-volume-bricks \S+ has not ended; continue: npx pulumi up/);
      await estate.on("b1", "rmdir /data00/styles && mv /data00/aside /data00/styles");
      await estate.on("a1", "gluster --mode=script volume start styles force");
      ok(await estate.up());
      const back = await estate.verify();
      expect(back.code, back.output).toBe(0);
    },
    4 * minute,
  );

  it(
    "is no server that the others reject, until it is mended as the message says",
    async () => {
      await estate.on(
        "c1",
        "systemctl stop glusterd && echo network.frame-timeout=77 >>/var/lib/glusterd/vols/styles/info && rm -f /var/lib/glusterd/vols/styles/cksum && systemctl start glusterd",
      );
      const state = () => estate.on("a1", "gluster peer status | grep -c 'Peer Rejected' || true");
      await expect.poll(state, { timeout: 30_000 }).toBe("1\n");
      set(["a1", "b1"], { pingSeconds: 7 });
      const run = await estate.up();
      failed(run);
      expect(run.output).toMatch(/a1 says that [\d.]+ is in state Peer Rejected/);
      expect(await estate.on("a1", "gluster volume get styles network.ping-timeout | tail -n 1")).toContain(
        " 5",
      );
      const joined = "gluster peer status | grep -c 'Peer in Cluster (Connected)' || true";
      // As the runbook says, and again from its first line where glusterd does not come back.
      const mend = async (): Promise<string> => {
        await estate.on(
          "c1",
          "systemctl stop glusterd; cd /var/lib/glusterd && old=$(mktemp -d /root/glusterd.XXXX) && find . -mindepth 1 -maxdepth 1 ! -name glusterd.info -exec mv -t $old {} + && systemctl reset-failed glusterd && systemctl start glusterd",
        );
        await estate.on("c1", `gluster --mode=script peer probe ${estate.host("a1").address}`);
        await expect
          .poll(() => estate.on("c1", "gluster volume list 2>&1 || true"), { timeout: 20_000 })
          .toContain("styles");
        await estate.on("c1", "systemctl restart glusterd && sleep 4");
        return estate.on("a1", joined);
      };
      let said = "";
      for (let tries = 0; tries < 3 && said !== "3\n"; tries++)
        said = await mend().catch((why: unknown) => String(why));
      expect(said).toBe("3\n");
      ok(await estate.up());
      expect((await estate.verify()).code).toBe(0);
    },
    5 * minute,
  );

  it(
    "is a mount whose process has died, by its own check",
    async () => {
      await estate.on("a1", `echo 1 >${mount}/3.css`);
      const served = "pgrep -f '[p]rocess-name fuse .*/srv/styles$'";
      await estate.on("a1", `kill -9 $(${served})`);
      await expect
        .poll(() => estate.on("a1", `cat ${mount}/3.css`).catch((why: unknown) => String(why)), {
          timeout: 40_000,
          interval: 1000,
        })
        .toBe("1\n");
      // One that waits for its servers has a process, and is left alone.
      const before = await estate.on("a1", served);
      for (const host of ["b1", "c1"]) await estate.on(host, endBrick);
      await expect
        .poll(async () => (await ssh(estate.lab, "a1", `timeout 5 touch ${mount}/new.css`)).code, {
          timeout: 30_000,
        })
        .not.toBe(0);
      await estate.on("a1", "systemctl start changeover-mount-check-styles.service");
      await estate.on("a1", "gluster --mode=script volume start styles force");
      await expect
        .poll(async () => (await ssh(estate.lab, "a1", `timeout 5 touch ${mount}/new.css`)).code, {
          timeout: 30_000,
          interval: 1000,
        })
        .toBe(0);
      expect(await estate.on("a1", served)).toBe(before);
      await estate.on("a1", `rm ${mount}/new.css`);
    },
    3 * minute,
  );

  it(
    "is what its owner may not choose: where root writes in it",
    async () => {
      const hostile = `cd ${mount} && mv .changeover x && mkdir /tmp/own && ln -s /root .changeover && ln -s /etc/hostname /tmp/own/check-a1`;
      await estate.on("a1", `runuser -u expprodl -- bash -c '${hostile}'`);
      const check = await ssh(
        estate.lab,
        "a1",
        "python3 -I /usr/local/lib/changeover/mounts/mount-check.py styles; ls /root | grep -c check- || true",
      );
      expect(check.stdout).toMatch(/^MOUNT CRITICAL - .*\.changeover.*\n0\n$/);
      await estate.on("a1", `cd ${mount} && rm .changeover && mv x .changeover`);
      set(["a1", "b1"], { pingSeconds: 7, mounts: { a1: "/home/expprodl/styles" } });
      const run = await estate.up();
      failed(run);
      expect(run.output).toMatch(
        /\/home\/expprodl belongs to user \d+; root follows only what belongs to root/,
      );
    },
    3 * minute,
  );
});
