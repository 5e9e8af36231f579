import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Estate } from "../support/estate.ts";
import { asPreviewed } from "../support/previewed.ts";
import { ok } from "../support/runs.ts";
import { committedStack } from "../support/stack-file.ts";

const minute = 60_000;

/** The dev stack's own pair on machines of an inventory: Apache, two app servers, Solr, files, and a third host that looks. */
describe.skipIf(whyNoLab() !== undefined)("the site of SOUNZ", () => {
  let estate: Estate;

  beforeAll(async () => {
    estate = await Estate.start(["slayer", "megadeth", "aud"]);
    const { sounz } = committedStack("Pulumi.dev.yaml").pairs as Record<string, Record<string, unknown>>;
    const { serviceAddress: _, ...site } = sounz ?? {};
    estate.set({ ...site, checksFrom: "aud" });
    ok(await estate.up());
  }, 10 * minute);

  afterAll(async () => {
    await estate.stop();
  }, minute);

  /** As a user does: through the service address, from the third host. */
  const page = (path: string, post = "") =>
    estate.on(
      "aud",
      `python3 - <<'END'
import http.client
site = http.client.HTTPConnection("${estate.serviceAddress}", 80, timeout=10)
site.request(${post === "" ? '"GET"' : '"POST"'}, "${path}", body=${post === "" ? "None" : `"${post}"`}, headers={"Host": "sounz.org.nz", "Content-Type": "application/x-www-form-urlencoded"})
answer = site.getresponse()
print(answer.status, answer.read().decode())
END`,
    );
  const version = (host: string) =>
    estate.on(
      host,
      `cd /usr/local/lib/changeover/sounz/pair && python3 -c 'import solr; print(solr.indexversion("127.0.0.1", 8983, "apollo"))'`,
    );

  it(
    "keeps its works, files and index over both flips, with every check of the seed from two sides [004-020] [004-075] [004-076] [004-077] [004-079] [004-080] [004-081] [004-082] [004-087] [004-088] [004-090] [004-091] [004-092] [004-094] [004-095] [004-096] [004-097] [004-098] [004-099] [004-100] [004-145] [004-146] [004-147] [004-027] [004-028] [004-029] [004-078] [004-089] [004-093]",
    async () => {
      expect(await page("/")).toMatch(/^200 [^]*SOUNZ/);
      expect(await page("/works", "title=Landfall+in+Unknown+Seas")).toMatch(/^(200|201|303) /);
      expect(await estate.on("slayer", "grep MONGREL_PORTS /etc/sounz/sounz.conf")).toBe(
        "MONGREL_PORTS=8001 8002\n",
      );
      expect(await estate.on("slayer", "grep rsync_port /etc/sounz/sounz.conf")).toBe(
        "sounz_rsync_port=18993\n",
      );
      expect(await estate.on("slayer", "pgrep -fc 'java.*start[.]jar'; cat /etc/apollo/apollo.conf")).toBe(
        "1\nPORT=8983\nRSYNC_PORT=18983\n",
      );
      for (const production of ["megadeth", "slayer"]) {
        estate.flip(production);
        const run = await asPreviewed(estate);
        for (const seen of [
          "apollo: unit apollo is active",
          "something listens on port 8002",
          "rsync daemon answers on port 18983",
        ])
          expect(run.output).toContain(seen);
        expect(run.output).not.toContain("FAILED");
        expect(await page("/")).toContain("1 works, 1 in the index");
        expect(await estate.on(production, "ls /data/sounz/works | wc -l")).toBe("1\n");
        expect(await version("slayer")).toBe(await version("megadeth"));
      }
      const verified = await estate.verify();
      expect(verified.code, verified.output).toBe(0);
    },
    5 * minute,
  );
});
