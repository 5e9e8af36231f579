import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { root as checkout } from "../../config/places.ts";
import { markDifferences, type MarkFacts } from "../../transition/marks.ts";

const component = "crossbow-release";
let scripts: string;
let root: string;
/** The scripts with one more, whose success the test decides: `toy.sh FILE` fails until FILE is there. */
beforeAll(() => {
  scripts = mkdtempSync(join(tmpdir(), "changeover-undo-scripts-"));
  cpSync(join(checkout, "scripts"), scripts, { recursive: true });
  writeFileSync(join(scripts, "toy.sh"), `[[ -e $1 ]] || exit 77\necho undone >>"$1"\n`);
  chmodSync(join(scripts, "toy.sh"), 0o755);
});
afterAll(() => {
  rmSync(scripts, { recursive: true });
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "changeover-undo-"));
  for (const folder of ["temporary", "expired"])
    mkdirSync(join(root, component, folder), { recursive: true });
});
afterEach(() => {
  spawnSync("umount", [root]);
  rmSync(root, { recursive: true });
});

const run = (...words: string[]) =>
  spawnSync("bash", words, { encoding: "utf8", env: { ...process.env, CHANGEOVER_ROOT: root } });
const undo = (name: string) => run(join(scripts, "undo.sh"), component, name, "1-1", "0");
const due = () => run(join(scripts, "undo-due.sh"));
const record = (name: string) => join(root, component, "temporary", name);
const write = (name: string, lines: Readonly<Record<string, string | number>>) => {
  const text = Object.entries({ id: 7, token: "1-1", ...lines }).map(
    ([key, value]) => `${key}=${String(value)}\n`,
  );
  writeFileSync(record(name), text.join(""));
};
const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const seconds = () => Math.floor(Date.now() / 1000);

it.each([
  ["an older release", "haproxy/back"],
  ["this release", "haproxy/undo-drain"],
])("the undo of a drain that %s has recorded finds its script", (_, script) => {
  write("drain-prodapp01", { undo: `${script} ${component} crossbow prodapp01` });
  const { stderr } = undo("drain-prodapp01");
  // No pool is configured here, so the script itself refuses.
  expect(stderr).toContain("this balancer has no configuration of pool crossbow");
  expect(readFileSync(join(root, component, "expired", "7"), "utf8")).toBe("drain-prodapp01\n");
  expect(existsSync(record("drain-prodapp01"))).toBe(true);
});

it("an undo that fails keeps its record, is told, and is tried again until it has put the change back", () => {
  const file = join(root, "put-back");
  write("drain", { undo: `toy ${file}`, boot: "an earlier boot", up_ms: 1, due: seconds() - 1 });
  for (const tries of [1, 2]) {
    const { status, stderr } = due();
    expect(status, stderr).toBe(75);
    expect(stderr).toContain(`(try ${String(tries)} ended with 77); the next try is in a minute`);
    expect(readFileSync(record("drain"), "utf8")).toContain(`failed=${String(tries)}\n`);
  }
  const said = spawnSync("python3", [join(scripts, "marks.py"), component], {
    encoding: "utf8",
    env: { ...process.env, CHANGEOVER_ROOT: root },
  });
  const facts = JSON.parse(said.stdout) as MarkFacts;
  const mark = { component, transition: "roll", id: "7", host: "websvr" };
  expect(markDifferences([mark], [{ host: "websvr", facts }], "this")).toContainEqual(
    expect.stringContaining(`websvr: ${component}: drain is not put back after 2 tries`),
  );
  writeFileSync(file, "");
  expect(due().status).toBe(0);
  expect(existsSync(record("drain"))).toBe(false);
  expect(due().status).toBe(0);
  expect(readFileSync(file, "utf8")).toBe("undone\n");
});

it("what was recorded before the machine was started again is put back when its time is over, and not before", () => {
  const file = join(root, "put-back");
  writeFileSync(file, "");
  const undone = () => readFileSync(file, "utf8") !== "";
  // The machine was off for a while; its clock alone knows how long.
  write("later", { undo: `toy ${file}`, boot: "an earlier boot", up_ms: 1, due: seconds() + 60 });
  // In this boot the clock may have been set; the time since the start counts.
  write("ahead", { undo: `toy ${file}`, boot, up_ms: 10 ** 13, due: seconds() - 60 });
  // A record of an older release, whose own timer still runs.
  write("older", { undo: `toy ${file}` });
  expect(due().status).toBe(0);
  expect(undone()).toBe(false);
  write("later", { undo: `toy ${file}`, boot: "an earlier boot", up_ms: 10 ** 13, due: seconds() - 1 });
  expect(due().status).toBe(0);
  expect(undone()).toBe(true);
  expect([existsSync(record("later")), existsSync(record("ahead"))]).toEqual([false, true]);
});

const asRoot = it.runIf(process.getuid?.() === 0);
const full = () => {
  expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", root]).status).toBe(0);
  for (const folder of ["temporary", "expired"])
    mkdirSync(join(root, component, folder), { recursive: true });
};
const fill = () => spawnSync("dd", ["if=/dev/zero", `of=${join(root, "filler")}`, "bs=4k"]);

asRoot("a change whose way back can't be recorded is not made", () => {
  full();
  fill();
  const text = `. ${scripts}/lib.sh; . ${scripts}/lib-temporary.sh; export CHANGEOVER_COMPONENT=${component} CHANGEOVER_ID=7
temporarily drain 60 toy x; echo changed`;
  const { status, stdout, stderr } = run("-c", text);
  expect([status, stdout]).toEqual([75, ""]);
  expect(stderr).toContain("drain is not changed on");
});

asRoot("a full disk stops no undo: the change goes back, and the steps after it are refused", () => {
  full();
  writeFileSync(record("drain"), `id=7\nundo=toy /dev/null\ntoken=1-1\n`);
  fill();
  expect(undo("drain").status).toBe(0);
  expect(existsSync(record("drain"))).toBe(false);
  expect(existsSync(join(root, component, "expired", "7"))).toBe(true);
});
