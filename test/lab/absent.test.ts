import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Estate } from "../support/estate.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;
const data = "/var/lib/postgresql/15/sounz";

describe.skipIf(whyNoLab() !== undefined)("hosts that go out of service", () => {
  let estate: Estate;
  beforeAll(async () => {
    estate = await Estate.start();
    ok(await estate.up());
  }, 10 * minute);
  afterAll(() => estate.stop(), minute);

  const configured = (config: Record<string, unknown>): void => {
    estate.config = config;
    estate.write();
  };
  /** What of the pair is on a machine: units, command, scripts, table, server, status. */
  const remains = (host: string): Promise<string> =>
    estate.on(
      host,
      `cd / && ls /etc/systemd/system/changeover-*-sounz.* /usr/local/sbin/changeover-sounz /usr/local/lib/changeover/sounz 2>/dev/null;
       systemctl list-units --no-legend --plain 'changeover-*' 'postgresql@*'; nft list tables;
       pgrep -x postgres; cat /etc/sounz/sounz.status; ls /var/lib/changeover/sounz/{cluster,retired,stack} 2>/dev/null; true`,
    );
  const gone = { pairs: {}, absent: ["slayer", "megadeth"] };

  it(
    "are not dropped with their pair: the file says how they may leave",
    async () => {
      configured({ pairs: {} });
      const { code, output } = await estate.up();
      expect(code, output).not.toBe(0);
      expect(output).toMatch(
        /hosts\.megadeth: no longer in sounz[^\n]*changeover:absent\[\d]' megadeth; npx pulumi up/,
      );
      expect(output).toMatch(/hosts\.slayer: no longer in sounz/);
    },
    minute,
  );

  it(
    "are refused while one of them is production, with the cure, and the other is not touched",
    async () => {
      const before = [await remains("slayer"), await remains("megadeth")];
      configured(gone);
      const { code, output } = await estate.up();
      expect(code, output).not.toBe(0);
      expect(output).toMatch(
        /refused: slayer accepts writes for sounz: put the pair back into the file and make megadeth production; if the pair is not needed: systemctl stop postgresql@15-sounz; holds [\d.]+ of sounz: ip address delete [\d.]+\/32 dev \S+; then run up again/,
      );
      expect([await remains("slayer"), await remains("megadeth")]).toEqual(before);
      expect(before[0]).toContain("changeover-watch-sounz.service");
      configured({});
      ok(await estate.up());
    },
    minute,
  );

  it(
    "have nothing of the pair running then but their data, and find it so a second time",
    async () => {
      configured(gone);
      const { output } = await estate.up();
      const cure =
        /if the pair is not needed: (systemctl stop \S+); .*?(ip address delete \S+ dev [^;\s]+)/.exec(
          output,
        );
      await estate.on("slayer", `${cure?.[1] ?? "false"} && ${cure?.[2] ?? "false"}`);
      ok(await estate.up());
      for (const host of ["slayer", "megadeth"]) {
        expect(await remains(host)).toBe("down\n/var/lib/changeover/sounz/retired\n");
        expect(await estate.on(host, `cat ${data}/PG_VERSION`)).toBe("15\n");
        const again = "cd /opt/changeover/*/scripts && bash retire.sh $HOSTNAME another-run";
        expect(await estate.on(host, again)).toMatch(`${host} out of service, data left in ${data} `);
        expect(await remains(host)).toBe("down\n/var/lib/changeover/sounz/retired\n");
      }
    },
    2 * minute,
  );

  it(
    "leave the file then, and are refused with their old data when they come back",
    async () => {
      configured({ pairs: {}, hosts: {} });
      ok(await estate.up());
      configured({});
      const { code, output } = await estate.up();
      expect(code, output).not.toBe(0);
      expect(output).toMatch(
        /megadeth has a database cluster that this program did not create; move it away/,
      );
    },
    2 * minute,
  );
});
