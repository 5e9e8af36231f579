import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../../config/places.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "packages-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Debian's own apt-get on folders of this test: its four locks are real ones. */
const configuration = () => {
  for (const path of ["lists/partial", "archives/partial", "dpkg/updates", "dpkg/info"])
    mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, "dpkg/status"), "");
  writeFileSync(join(folder, "sources.list"), "");
  const lines = [
    `Dir::State::lists "${folder}/lists";`,
    `Dir::State::status "${folder}/dpkg/status";`,
    `Dir::Cache "${folder}";`,
    `Dir::Cache::archives "${folder}/archives";`,
    `Dir::Etc::sourcelist "${folder}/sources.list";`,
    `Dir::Etc::sourceparts "-";`,
    `Dir::Etc::parts "-";`,
    `Dir::Etc::main "-";`,
    `APT::Sandbox::User "root";`,
    `APT::Update::Post-Invoke-Success "";`,
  ];
  writeFileSync(join(folder, "apt.conf"), `${lines.join("\n")}\n`);
};

const bash = (text: string, lockSeconds: number) =>
  spawnSync("bash", ["-c", `here=${root}/scripts; . $here/lib.sh; . $here/lib-packages.sh; ${text}`], {
    encoding: "utf8",
    env: {
      ...process.env,
      APT_CONFIG: join(folder, "apt.conf"),
      CHANGEOVER_LOCK_SECONDS: String(lockSeconds),
    },
  });

/** Hold a lock as apt does (POSIX), for some seconds; resolves once it is held. */
const hold = (file: string, seconds: number): Promise<void> =>
  new Promise((resolve) => {
    const python = `import fcntl, sys, time
lock = open(sys.argv[1], "a"); fcntl.lockf(lock, fcntl.LOCK_EX); print("held", flush=True); time.sleep(${String(seconds)})`;
    const holder = spawn("python3", ["-c", python, file]);
    holder.stdout.once("data", () => {
      resolve();
    });
  });

const canApt = process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;

test.runIf(canApt).each([
  ["lists/lock", "update"],
  ["archives/lock", "clean"],
])("another program that holds %s is waited for, and told after the limit", async (lock, command) => {
  configuration();
  await hold(join(folder, lock), 2);
  const waited = bash(`apt_get ${command}`, 10);
  expect(waited.status, waited.stderr).toBe(0);
  expect(waited.stderr).toContain("waiting for another program that installs packages (limit: 10 s)");
  await hold(join(folder, lock), 3);
  const late = bash(`apt_get ${command}`, 1);
  expect(late.status).toBe(75);
  expect(late.stderr).toMatch(/another program installs packages on \S+, still after 1 s: .*lock/);
});

test("dpkg's lock is waited for, and any other failure ends with 75 after the program's own words", () => {
  const bin = join(folder, "dpkg");
  writeFileSync(
    bin,
    `#!/bin/bash
if [[ $1 == broken ]]; then echo "dpkg: error: no such thing" >&2; exit 2; fi
[[ -e ${folder}/second ]] && exit 0
touch ${folder}/second
echo "dpkg: error: dpkg frontend lock was locked by another process with pid 7" >&2
exit 2
`,
  );
  chmodSync(bin, 0o755);
  expect(bash(`unlocked ${bin} --configure -a`, 5).status).toBe(0);
  const broken = bash(`unlocked ${bin} broken`, 5);
  expect(broken.status).toBe(75);
  expect(broken.stderr).toMatch(/dpkg: error: no such thing\n.*ended with 2 on /s);
});
