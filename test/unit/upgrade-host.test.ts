import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const scripts = join(import.meta.dirname, "..", "..", "scripts");
const isRoot = process.getuid?.() === 0;

let folder = "";
const at = (...parts: string[]): string => join(folder, ...parts);

/** Settings of an upgrade on this machine, whose records lie in the folder. */
const settings = (values: Readonly<Record<string, string>>): void => {
  const all = {
    package: "shop",
    main: "no",
    folder,
    disk_percent: "99",
    supervisor: "true",
    status: `cat ${at("status")}`,
    ...values,
  };
  writeFileSync(
    at("upgrades", "shop"),
    Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
};

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  ...process.env,
  ...{ CHANGEOVER_ROOT: at("records"), CHANGEOVER_UPGRADES: at("upgrades"), HOSTNAME: "box" },
  ...{ CHANGEOVER_COMPONENT: "shop", CHANGEOVER_TRANSITION: "upgrade", CHANGEOVER_ID: "now" },
  ...more,
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const run = (words: readonly string[], more: Readonly<Record<string, string>> = {}): Ended => {
  const [program = "", ...rest] = words;
  const { status, stdout, stderr } = spawnSync(program, rest, {
    env: environment(more),
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, out: stdout, err: stderr };
};

/** The same where the folder `full` has no room for a byte. */
const withoutRoom = (full: string, line: string): Ended =>
  run([
    "unshare",
    "-m",
    "bash",
    "-c",
    `mount -t tmpfs -o size=64k tmpfs '${full}' && { [[ ! -d '${full}.was' ]] || cp -a '${full}.was/.' '${full}'; } && { head -c 1M /dev/zero >'${full}/fill' 2>/dev/null || true; } && ${line}`,
  ]);

/** What an expression is, with the modules of the host scripts. */
const python = (modules: string, expression: string): unknown =>
  JSON.parse(
    execFileSync(
      "python3",
      [
        "-c",
        `import sys, json; sys.path[:0] = ['${scripts}/upgrade', '${scripts}']; sys.dont_write_bytecode = True\nimport ${modules}\nprint(json.dumps(${expression}))`,
      ],
      { env: environment(), encoding: "utf8" },
    ),
  );

const script = (name: string, ...words: string[]): string[] => [
  "bash",
  join(scripts, "upgrade", `${name}.sh`),
  "shop",
  "shop",
  ...words,
];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "changeover-upgrade-"));
  for (const path of ["upgrades", "records/shop", "bin"]) mkdirSync(at(path), { recursive: true });
  writeFileSync(at("records/shop/claim"), "id=now\n");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the check of services", () => {
  const check = () =>
    run(["python3", join(scripts, "upgrade/services-check.py"), "shop", "--state", at("state")]);

  it("takes names with colons, and finds a loop among them", () => {
    settings({ services: "web:web_00" });
    const lines = [4101, 4101, 4102, 4103].map((pid) => {
      writeFileSync(
        at("status"),
        `web:web_00    RUNNING   pid ${String(pid)}, uptime 0:00:09\nweb:web_01    RUNNING   pid 7, uptime 2 days, 4:08:22\n`,
      );
      return check().out.trim();
    });
    expect(lines).toEqual([
      "SERVICES OK - 2 services run",
      "SERVICES OK - 2 services run",
      "SERVICES OK - 2 services run",
      "SERVICES CRITICAL - web:web_00 is in a restart loop",
    ]);
  });

  it.runIf(isRoot)("tells a full disk although the same disk can't take its record", () => {
    settings({ folder: at("records"), disk_percent: "50" });
    const { code, out } = withoutRoom(
      at("records"),
      `python3 ${scripts}/upgrade/disk-check.py shop --state ${at("records", "state")}`,
    );
    expect(out).toMatch(
      /^DISK CRITICAL - .* is 100 % full \(allowed: 50 %\) \(.*can't be written: No space left on device\)/,
    );
    expect(code).toBe(2);
  });
});

describe.runIf(isRoot)("a record that can't be written", () => {
  const full = (line: string): Ended => {
    mkdirSync(at("records.was"), { recursive: true });
    execFileSync("cp", ["-a", `${at("records")}/.`, at("records.was")]);
    return withoutRoom(at("records"), line);
  };
  const sourced = `. ${scripts}/lib.sh; . ${scripts}/upgrade/lib.sh; . ${scripts}/upgrade/lib-database.sh; NAME=shop`;

  it("keeps a database from being replaced, and the old record stays", () => {
    writeFileSync(at("records/shop/reconfigured"), "version=1.0-1\n");
    const { code, err, out } = full(
      `bash -c '${sourced}; trap "cat \\$(database_record)" EXIT; note restoring=20260101T000000'`,
    );
    expect(out, err).toBe("version=1.0-1\n");
    expect(code).toBe(75);
    expect(err).toContain("restoring=20260101T000000 is not noted on box; make room and run again");
  });
});

describe("how old a backup is", () => {
  const now = "clocks.time.time()";
  const up = "clocks.time.clock_gettime(clocks.time.CLOCK_BOOTTIME)";
  it.each([
    ["by the clock, for a record of an older release", `{'at': ${now} - 600}`, 600],
    [
      "by the time since the start, when the clock went back by a day",
      `{'at': ${now} + 86400, 'boot': clocks.boot(), 'up': ${up} - 600}`,
      600,
    ],
    [
      "by the clock, when it went on",
      `{'at': ${now} - 7200, 'boot': clocks.boot(), 'up': ${up} - 600}`,
      7200,
    ],
  ])("is told %s", (_, record, seconds) => {
    expect(python("clocks", `round(clocks.age(${record}))`)).toBe(seconds);
  });

  it("is at least the time since the last start, when it is from before", () => {
    expect(
      python("clocks", `clocks.age({'at': ${now} + 86400, 'boot': 'another', 'up': 5}) >= ${up} - 1`),
    ).toBe(true);
  });

  it("is nothing, for a record of an older release that is still to come", () => {
    expect(python("clocks", `clocks.age({'at': ${now} + 600})`)).toBe(null);
  });
});

describe.runIf(isRoot)("the folder of backups", () => {
  const place = (): Ended =>
    run([
      "python3",
      "-c",
      `import sys; sys.path[:0] = ['${scripts}/upgrade', '${scripts}']; sys.dont_write_bytecode = True\nimport backups, host\ntry: print(backups.make_place({'backup_folder': '${at("etc")}', 'name': 'shop'}))\nexcept host.Refused as end: print(end)`,
    ]);

  it("is one of its own, and the settings' folder keeps its mode", () => {
    mkdirSync(at("etc"), { mode: 0o755 });
    expect(place().out.trim()).toBe(at("etc/shop"));
    expect(place().out.trim()).toBe(at("etc/shop"));
    expect([statSync(at("etc")).mode & 0o777, statSync(at("etc/shop")).mode & 0o777]).toEqual([0o755, 0o700]);
  });

  it("is refused when something else is there, or another account owns a part of the path", () => {
    mkdirSync(at("etc/shop"), { recursive: true });
    chmodSync(at("etc/shop"), 0o755);
    expect(place().out).toContain("is there with mode 0755 (allowed: a folder with mode 0700");
    chmodSync(at("etc/shop"), 0o700);
    chownSync(at("etc"), 1, 1);
    expect(place().out).toContain("belongs to user 1; root follows only what belongs to root");
  });

  it("has the backups of an older release still", () => {
    mkdirSync(at("etc/shop"), { recursive: true, mode: 0o700 });
    const record = { id: "20260101T000000", bytes: 3, transition: "t", copy: false };
    writeFileSync(at("etc/shop-20260101T000000.json"), JSON.stringify(record));
    writeFileSync(at("etc/shop-20260101T000000.sql.gz"), "abc");
    const newer = { ...record, id: "20250101T000000", serial: 1 };
    writeFileSync(at("etc/shop/shop-20250101T000000.json"), JSON.stringify(newer));
    writeFileSync(at("etc/shop/shop-20250101T000000.sql.gz"), "abc");
    // The clock went back: what was made later comes first.
    expect(
      python(
        "backups",
        `[b['id'] for b in backups.backups({'backup_folder': '${at("etc")}', 'name': 'shop'})]`,
      ),
    ).toEqual(["20250101T000000", "20260101T000000"]);
  });
});

describe("two dumps", () => {
  const head =
    "-- Host: h\\n-- Current Database: `a`\\nCREATE DATABASE `a`;\\n-- Table structure for table `t`\\nCREATE TABLE t;\\n-- Dumping data for table `t`\\n";
  const said = (...dumps: string[]) =>
    python(
      "canonical",
      `(lambda texts: canonical.differences(*texts))([(lambda d: ([d.feed(text.encode()[i:i+7]) for i in range(0, len(text.encode()), 7)], d.result())[1])(canonical.Digest()) for text in ("${dumps.join('", "')}")])`,
    );
  const rows = `${head}INSERT INTO \`t\` VALUES\\n(1,'a'),\\n(2,'b');\\nend\\n-- Dump completed on now\\n`;

  it("are the same, whatever the order of rows and the length of statements", () => {
    expect(
      said(
        rows,
        `${head}INSERT INTO \`t\` VALUES (2,'b');\\nINSERT INTO \`t\` VALUES\\n(1,'a');\\nend\\n-- Dump completed on then\\n`,
      ),
    ).toEqual([]);
  });

  it.each([
    ["a row is another", rows.replace("(2,'b')", "(2,'c')"), "`a`: Dumping data for table `t`"],
    [
      "a row is there twice",
      rows.replace("(1,'a'),", "(1,'a'),\\n(1,'a'),"),
      "`a`: Dumping data for table `t`",
    ],
    [
      "a table is another",
      rows.replace("CREATE TABLE t", "CREATE TABLE t(i)"),
      "`a`: Table structure for table `t`",
    ],
    ["a schema is another", rows.replace("DATABASE `a`;", "DATABASE `a` utf8;"), "`a`: Current Database `a`"],
  ])("differ when %s", (_, other, title) => {
    expect(said(rows, other)).toEqual([title]);
  });
});

describe("what repositories offer", () => {
  /** A `dnf` that prints one format as its generation does. */
  const dnf = (generation: 4 | 5): void => {
    const end = generation === 4 ? 'printf "\\n"' : ":";
    writeFileSync(
      at("bin/dnf"),
      `#!/bin/bash\nfor word; do case $word in --qf=*) format=\${word#--qf=} ;; esac; done\n[[ -v format ]] || exit 0\nfor version in 7.3.0-1 7.4.0-1; do text=\${format/'%{epoch}:%{version}-%{release}'/0:$version}; printf "\${text/'%{installsize}'/2097152}"; ${end}; done\n`,
      { mode: 0o755 },
    );
  };
  const path = () => ({ PATH: `${at("bin")}:${process.env.PATH ?? ""}` });

  it.each([4, 5] as const)("is told by dnf %i to the preflight and to the download alike", (generation) => {
    dnf(generation);
    settings({ kind: "rpm" });
    expect(run(["python3", join(scripts, "upgrade/repository.py"), "shop", "offered"], path()).out).toBe(
      "7.3.0-1\n7.4.0-1\n",
    );
    expect(run(script("fetch-package", "7.4.0-1"), path()).out).toMatch(
      /^shop shop 7\.4\.0-1 is downloaded on /,
    );
    expect(run(script("fetch-package", "7.5.0-1"), path())).toMatchObject({
      code: 77,
      err: expect.stringContaining("offers shop 7.5.0-1 (allowed: 7.3.0-1 7.4.0-1)") as string,
    });
  });

  it.runIf(existsSync("/usr/bin/dpkg-deb") && isRoot)(
    "is asked when another apt-get has done with the lists",
    async () => {
      settings({ kind: "deb" });
      for (const path of [
        "tree/DEBIAN",
        "repo",
        "state/lists/partial",
        "cache/archives/partial",
        "parts",
        "sources",
      ])
        mkdirSync(at(path), { recursive: true });
      writeFileSync(
        at("tree/DEBIAN/control"),
        "Package: shop\nVersion: 3.0-1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a shop\n",
      );
      execFileSync("dpkg-deb", ["-b", at("tree"), at("repo/shop_3.0-1_all.deb")]);
      const file = readFileSync(at("repo/shop_3.0-1_all.deb"));
      const sum =
        execFileSync("sha256sum", [at("repo/shop_3.0-1_all.deb")], { encoding: "utf8" }).split(" ")[0] ?? "";
      writeFileSync(
        at("repo/Packages"),
        `Package: shop\nVersion: 3.0-1\nArchitecture: all\nFilename: ./shop_3.0-1_all.deb\nSize: ${String(file.length)}\nSHA256: ${sum}\nDescription: a shop\n`,
      );
      writeFileSync(at("sources.list"), `deb [trusted=yes] file:${at("repo")} ./\n`);
      writeFileSync(
        at("apt.conf"),
        `Dir::State::lists "${at("state/lists")}";\nDir::Cache "${at("cache")}";\nDir::Etc::sourcelist "${at("sources.list")}";\nDir::Etc::sourceparts "${at("sources")}";\nAPT::Sandbox::User "root";\n`,
      );
      const held = spawn("python3", [
        "-c",
        `import fcntl, time, sys; f = open('${at("state/lists/lock")}', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(2)`,
      ]);
      await new Promise((resolve) => held.stdout.once("data", resolve));
      const { code, out, err } = run(script("fetch-package", "3.0-1"), { APT_CONFIG: at("apt.conf") });
      expect(out, err).toMatch(/^shop shop 3\.0-1 is downloaded on /);
      expect(code).toBe(0);
      held.kill();
    },
  );
});
