import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";
import { powerCut, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Estate } from "../support/estate.ts";
import { PoolSite } from "../support/pool-site.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;
const names = ["slayer", "megadeth", "websvr", "prodapp01", "prodapp02"];

/** What root runs at boot, by a timer, or when a user of sudo calls it. */
const ofRoot =
  "/opt/changeover /usr/local/lib/changeover /usr/local/sbin /etc/systemd/system /var/lib/changeover";

describe.skipIf(whyNoLab() !== undefined)("hosts that let in a user with sudo", () => {
  let estate: Estate;
  let site: PoolSite;
  let more: Record<string, unknown>;

  beforeAll(async () => {
    estate = await Estate.start(names);
    const sudoers = readFileSync(join(root, "docs/files/sudoers-changeover"), "utf8");
    for (const name of names) {
      await estate.on(
        name,
        `useradd -m -s /bin/bash admin && install -d -m 0700 -o admin -g admin /home/admin/.ssh &&
         install -m 0600 -o admin -g admin /root/.ssh/authorized_keys /home/admin/.ssh/authorized_keys &&
         cat >/etc/sudoers.d/changeover <<'END' && chmod 0440 /etc/sudoers.d/changeover && visudo -cq
${sudoers}END`,
      );
    }
    const privateKeyPath = estate.host("slayer").privateKeyPath;
    site = PoolSite.over(estate, ["websvr"], ["prodapp01", "prodapp02"]);
    more = { ssh: { user: "admin", privateKeyPath }, pairs: { sounz: estate.pair } };
    site.set({ minHealthy: 1 }, more);
    ok(await estate.up());
  }, 10 * minute);
  afterAll(() => estate.stop(), minute);

  const strangers = async (host: string) =>
    await estate.on(
      host,
      `for f in ${ofRoot}; do [ ! -e $f ] || find $f ! -user root -o ! -type l -perm /022; done`,
    );

  it(
    "are operated as with root: a switch, a release, a look and verify",
    async () => {
      estate.pair.production = "megadeth";
      site.set({ release: "4685" }, more);
      ok(await estate.up());
      ok(await estate.verify());
      ok(await estate.look());
      expect(await site.running()).toEqual({ prodapp01: "4685", prodapp02: "4685" });
    },
    5 * minute,
  );

  it("have nothing that root runs and the user owns, or may change", async () => {
    for (const name of names) expect(await strangers(name), name).toBe("");
  });

  it(
    "go on when the user's rights are taken away and the user leaves",
    async () => {
      for (const name of names)
        await estate.on(name, "rm /etc/sudoers.d/changeover && rm -rf /home/admin/.changeover");
      await powerCut(estate.lab, "megadeth");
      await estate.boot("megadeth");
      await expect
        .poll(() => estate.psql("megadeth", "select pg_is_in_recovery()").catch(() => ""), {
          timeout: 60_000,
          interval: 1000,
        })
        .toBe("f");
    },
    3 * minute,
  );
});
