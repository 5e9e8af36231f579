import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ran, ssh, whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { ok } from "../support/runs.ts";
import { scalr } from "../support/scalr.ts";
import { ScalrSite } from "../support/scalr-site.ts";

const minute = 60_000;
const component = "scalr";
const { smoke } = scalr();
type Test = keyof typeof smoke;
const tests = Object.keys(smoke) as Test[];
const hosts = ["scalr-app1", "scalr-app2"];
const keys = /key-(1|2|3|of-the-tool)/;

/** Five hosts with 7.4.0-1, and clouds and a configuration tool beside them. */
describe.skipIf(whyNoLab() !== undefined)("smoke tests after an upgrade", { timeout: 3 * minute }, () => {
  let site: ScalrSite;
  let scripts = "";
  let epoch = 0;

  /** A transition of which nothing is done yet: its steps act. */
  const begin = async (): Promise<string> => {
    epoch++;
    const records = `/var/lib/changeover/${component}`;
    for (const host of hosts)
      await site.estate.on(
        host,
        `bash ${scripts}/claim.sh ${component} upgrade smoke-${String(epoch)} $(sed -n 's/^id=//p' ${records}/stack) $(($(sed -n 's/^epoch=//p' ${records}/claim) + 1))`,
      );
    return `smoke-${String(epoch)}`;
  };

  /** The step of one test, as an update runs it. */
  const step = (id: string, name: Test): Promise<Ran> => {
    const { on, command, cleanUp, seconds } = { cleanUp: "", ...smoke[name] };
    const words = [component, "scalr", String(seconds), command, cleanUp, name];
    const about = `--beside ${component} upgrade ${id} ${String(2 * seconds + 60)} upgrade/run-smoke-test`;
    return ssh(
      site.estate.lab,
      on,
      `bash ${scripts}/step.sh ${about} ${words.map((word) => `'${word}'`).join(" ")}`,
      2 * seconds + 60,
    );
  };

  /** All of them side by side: what those said that failed. */
  const failures = async (): Promise<Partial<Record<Test, string>>> => {
    const id = await begin();
    const all = await Promise.all(tests.map(async (name) => ({ name, ...(await step(id, name)) })));
    for (const { name, code, stdout, stderr } of all) {
      expect(`${stdout}${stderr}`).not.toMatch(keys);
      if (code === 0) expect(stdout).toContain(`smoke test ${name} on ${smoke[name].on} passed`);
    }
    return Object.fromEntries(
      all.filter(({ code }) => code !== 0).map(({ name, code, stderr }) => [name, `${code}: ${stderr}`]),
    );
  };

  /** Nothing of a test is left, neither in Scalr nor outside. */
  const clean = async (): Promise<void> => {
    expect(await site.made()).toEqual([]);
    const farms = "f.name LIKE 'smoke%' AND f.state <> 'terminated'";
    const servers =
      "SELECT count(*) FROM scalr.servers s JOIN scalr.farms f ON f.id = s.farm WHERE f.name LIKE 'smoke%' AND s.state <> 'terminated'";
    expect(await site.sql(`SELECT count(*) FROM scalr.farms f WHERE ${farms}; ${servers}`)).toBe("0\n0");
  };

  /** While one thing is broken its test fails alone, and says why; mended, it passes again. */
  const alone = async (name: Test, why: RegExp, breaking: () => Promise<void>): Promise<void> => {
    await breaking();
    try {
      const failed = await failures();
      expect(Object.keys(failed), JSON.stringify(failed, null, 2)).toEqual([name]);
      expect(failed[name]).toMatch(/^75: /);
      expect(failed[name]).toMatch(
        new RegExp(`smoke test ${name} on ${smoke[name].on} failed with exit code 1: `),
      );
      expect(failed[name]).toMatch(why);
      await clean();
    } finally {
      await site.mendOutside();
    }
    expect(await failures()).toEqual({});
    await clean();
  };

  beforeAll(async () => {
    site = await ScalrSite.start(["7.4.0-1"]);
  }, 10 * minute);

  afterAll(() => site.stop(), minute);

  it(
    "are seven, pass in the update itself, cross the network with keys that nobody is shown, and leave nothing [000-035] [000-036] [000-037] [000-038] [000-039] [000-040] [000-041] [000-042]",
    async () => {
      site.set({ version: "7.4.0-1" });
      // Five blank hosts, and more tests at the end than an update of the engine's tests has.
      const run = await site.estate.project.pulumi(["up", "--yes", "--skip-preview"], 300);
      ok(run);
      expect(run.output).not.toMatch(keys);
      for (const name of tests)
        expect(run.output).toContain(`scalr-upgrade-smoke-${name}-${smoke[name].on} created`);
      const worker = site.address("scalr-worker");
      expect(await site.asked("private-rack")).toContain(`${worker} "PUT /instances/smoke-farm-`);
      expect(await site.asked("public-east")).toContain(`${worker} "PUT /instances/smoke-server-`);
      const app = site.address("scalr-app1");
      expect(await site.asked("public-east")).toContain(`${app} "PUT /instances/smoke-scalr-app1`);
      expect(await site.asked("tool")).toContain(
        `${site.address("scalr-app2")} "PUT /nodes/smoke-scalr-app2`,
      );
      await clean();
      scripts = (await site.estate.on("scalr-app1", "ls -d /opt/changeover/*/scripts")).trim();
    },
    8 * minute,
  );

  it("fail for a farm whose cloud has an image no more, and the server that was launched is taken away [000-036]", () =>
    alone("farm", /farm smoke-farm failed: cloud private-rack refuses .*: there is no image image-3/, () =>
      site.withdrawImages("private-rack", ["image-1", "image-2", "image-4", "image-5"]),
    ));

  it("fail for a server when the host that launches it does not reach its cloud [000-037]", () =>
    alone("server", /farm smoke-server failed: cloud public-east at .* is not reached: timed out/, () =>
      site.cutOff("scalr-worker", "public-east"),
    ));

  it("fail for a provider that takes a request and never answers [000-038]", () =>
    alone("provider", /cloud public-east at .* does not answer GET \/types within 4 s/, () =>
      site.hang("public-east", "/types"),
    ));

  it("fail for credentials when a cloud knows a key no more, or is gone [000-039]", async () => {
    await alone("credentials", /cloud public-west refuses GET \/account: this key is not known/, () =>
      site.revokeKey("public-west"),
    );
    await alone("credentials", /cloud public-west at .* is not reached: .*Connection refused/, () =>
      site.stopOutside("public-west"),
    );
  });

  it("fail for the network to a private cloud that a host does not reach [000-040]", () =>
    alone("private-network", /from scalr-app2 to cloud private-rack at .* is not reached: timed out/, () =>
      site.cutOff("scalr-app2", "private-rack"),
    ));

  it("fail for the network to a public cloud that a host does not reach [000-041]", () =>
    alone("public-network", /from scalr-app2 to cloud public-east at .* is not reached: timed out/, () =>
      site.cutOff("scalr-app2", "public-east"),
    ));

  it("fail for a configuration tool that is stopped, or lets nobody in [000-042]", async () => {
    await alone("tool", /the configuration tool at .* is not reached: .*Connection refused/, () =>
      site.stopOutside("tool"),
    );
    await alone("tool", /the configuration tool refuses .*: this key is not known/, () =>
      site.revokeKey("tool"),
    );
  });
});
