import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { failed, ok } from "../support/runs.ts";
import { ScalrSite } from "../support/scalr-site.ts";

const minute = 60_000;
const both = { "scalr-db": "database", "scalr-app1": "app" };
const scripts = "/opt/changeover/*/scripts";
const manage = "/opt/scalr-server/bin/scalr-server-manage";

/** Two of the site's hosts have Scalr, and leave it one after the other. */
describe.skipIf(whyNoLab() !== undefined)("a host of a staged upgrade", () => {
  let site: ScalrSite;
  /** @param config of the stack besides its hosts. */
  const without = (config: Record<string, unknown>): void => {
    site.estate.config = { pairs: {}, ...config };
    site.estate.write();
  };
  const verified = async (code: number, said: string | RegExp): Promise<string> => {
    const run = await site.estate.verify();
    expect(run.code, run.output).toBe(code);
    expect(run.output).toMatch(said);
    return run.output;
  };
  /** What the upgrade has put on a host: units that are loaded or written, plugins, settings, done marks. */
  const remains = (host: string): Promise<string> =>
    site.estate.on(
      host,
      `systemctl list-units --all --plain --no-legend 'changeover-upgrade-*'; cd /;
       ls -d etc/systemd/system/changeover-upgrade-* etc/changeover/upgrades usr/local/lib/changeover/upgrades var/lib/changeover/scalr*/{claim,done,stack} 2>/dev/null; true`,
    );
  const installed = (host: string): Promise<string> =>
    site.estate.on(host, "dpkg-query -Wf '${Version}' scalr-server; ls /opt/scalr-server/bin | head -n 1");
  const stop = async (host: string, output: string): Promise<void> => {
    const cure = new RegExp(
      `refused: ${host} runs services of scalr \\([^)]+\\); stop them once nobody needs them: (.+?); then`,
    );
    const [, line = "false"] = cure.exec(output) ?? [];
    expect(line, output).toBe("scalr-server-manage stop all");
    await site.estate.on(host, line);
  };

  beforeAll(async () => {
    site = await ScalrSite.start(["7.3.0-1", "7.4.1-1"]);
    site.set({ hosts: both, kinds: {}, smoke: {} });
    // Both packages come to their hosts, one after the other on a machine that does other things besides.
    ok(await site.estate.project.pulumi(["up", "--yes", "--skip-preview"], 400));
  }, 12 * minute);

  afterAll(() => site.stop(), minute);

  it(
    "is as the state says, and verify tells what somebody changed by hand [000-059] [000-081]",
    async () => {
      await verified(0, /^scalr: as the state says$/m);
      await site.estate.on(
        "scalr-app1",
        `set -e; touch /etc/scalr-server/skip-auto-reconfigure
apt-get -qq update; apt-get -qq install -y scalr-server=7.4.1-1 >/dev/null; rm /etc/scalr-server/skip-auto-reconfigure
${manage} stop poller
export CHANGEOVER_TRANSITION=upgrade CHANGEOVER_ID=$(sed -n s/^id=//p /var/lib/changeover/scalr/claim)
bash ${scripts}/upgrade/silence-alerts.sh scalr scalr on 60`,
        100,
      );
      const output = await verified(77, /^scalr: 3 difference\(s\)$/m);
      expect(output).toMatch(/scalr-app1: has 7\.4\.1-1 installed, but the state says 7\.3\.0-1; /);
      expect(output).toMatch(/scalr-app1: not RUNNING: poller; /);
      const [, cure = "false"] = /scalr-app1: alerts are silent.*: (bash .*)$/m.exec(output) ?? [];
      const look = await site.estate.look();
      ok(look);
      expect(look.output).toMatch(
        /scalr: scalr-app1: 7\.4\.1-1 installed, \d+ % of the disk in use, not RUNNING: poller, alerts are silent/,
      );
      expect(look.output).toMatch(/scalr: scalr-db: 7\.3\.0-1 installed, .* all services RUNNING/);
      await site.estate.on(
        "scalr-app1",
        `set -e; touch /etc/scalr-server/skip-auto-reconfigure
apt-get -qq install -y --allow-downgrades scalr-server=7.3.0-1 >/dev/null; rm /etc/scalr-server/skip-auto-reconfigure
${manage} start poller; ${cure}`,
        100,
      );
      await expect.poll(async () => (await site.estate.verify()).code, { timeout: minute }).toBe(0);
    },
    4 * minute,
  );

  it(
    "is not dropped from the file, and the main one does not become another: the file says what is allowed",
    async () => {
      site.set({ main: "scalr-app1" });
      const moved = await site.estate.up();
      failed(moved);
      expect(moved.output).toMatch(/scalr\.main: "scalr-app1", but the main database is on scalr-db, /);
      site.set({ hosts: { "scalr-db": "database" }, main: "scalr-db" });
      const dropped = await site.estate.up();
      failed(dropped);
      expect(dropped.output).toMatch(
        /hosts\.scalr-app1: no longer in scalr.*'changeover:absent\[0]' scalr-app1; npx pulumi up/,
      );
    },
    minute,
  );

  it(
    "leaves by way of absent when nothing runs on it: no timer and no settings stay, its software does",
    async () => {
      without({ ...site.estate.config, absent: ["scalr-app1"] });
      const before = await remains("scalr-app1");
      expect(before).toContain("changeover-upgrade-scalr-services.timer");
      const refused = await site.estate.up();
      failed(refused);
      expect(await remains("scalr-app1")).toBe(before);
      const [software, other] = [await installed("scalr-app1"), await remains("scalr-db")];
      await stop("scalr-app1", refused.output);
      ok(await site.estate.up());
      expect(await remains("scalr-app1")).toBe("");
      expect(await installed("scalr-app1")).toBe(software);
      expect(await remains("scalr-db")).toBe(other);
      const again = await site.estate.on("scalr-app1", `bash ${scripts}/retire.sh $HOSTNAME another-run`);
      expect(again).toMatch(/^scalr-app1 out of service \d/);
      await verified(0, /^scalr: as the state says$/m);
    },
    3 * minute,
  );

  it(
    "comes back as a host that is added: its services are started, and nobody else stops",
    async () => {
      const pid = () =>
        site.estate.on("scalr-db", `${manage} status | awk '$1 == "scalr-mysql" { print $4 }'`);
      const before = await pid();
      expect(before).toMatch(/^\d+,$/m);
      without({ stagedUpgrades: site.estate.config.stagedUpgrades });
      site.set({ hosts: both });
      ok(await site.estate.up());
      expect(await pid()).toBe(before);
      await verified(0, /^scalr: as the state says$/m);
    },
    3 * minute,
  );

  it(
    "goes with the whole upgrade, the main one with its data where it was",
    async () => {
      const farms = await site.sql("SELECT count(*) FROM scalr.farms");
      without({ absent: ["scalr-app1", "scalr-db"] });
      const refused = await site.estate.up();
      failed(refused);
      await stop("scalr-app1", refused.output);
      await stop("scalr-db", (await site.estate.up()).output);
      ok(await site.estate.up());
      for (const host of Object.keys(both)) expect(await remains(host)).toBe("");
      await site.estate.on("scalr-db", `${manage} start scalr-mysql`);
      expect(await site.sql("SELECT count(*) FROM scalr.farms")).toBe(farms);
      without({});
      ok(await site.estate.up());
    },
    4 * minute,
  );
});
