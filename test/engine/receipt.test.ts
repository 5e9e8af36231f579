import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { greenOf } from "../../components/staged-upgrade/soak.ts";
import { tables } from "../support/examples.ts";
import {
  badOf,
  epochOf,
  legacyTailOf,
  timesOf,
  receiptLine,
  running,
  tailOf,
  withTail,
} from "../../transition/receipt.ts";

const root = join(import.meta.dirname, "..", "..");
const library = `CHANGEOVER_COMPONENT=c; . ${root}/scripts/lib.sh`;

/** Run lines of Bash with words, and what they say. */
function bash(lines: string, words: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", `${library}\n${lines}`, "bash", ...words], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, stdout: stdout.trimEnd(), stderr };
}

/** Run a program of the operator's machine with what it reads. */
function operator(program: string, order: object) {
  const ran = spawnSync(process.execPath, [join(root, program)], {
    encoding: "utf8",
    input: JSON.stringify(order),
  });
  return { ...ran, stdout: ran.stdout.trimEnd() };
}

/** A function of a script that runs when it is sourced. */
const functionOf = (script: string, name: string): string =>
  new RegExp(`^${name}\\(\\) \\{[^]*?^\\}`, "m").exec(
    readFileSync(join(root, "scripts", `${script}.sh`), "utf8"),
  )?.[0] ?? "";

const ran = { began: new Date("2026-11-30T18:07:35.123Z"), seconds: 0.1 };
const times = { began: "2026-11-30T18:07:35.123Z", took: "0.100" };
/** The end of every receipt of a host. */
const hostTimes = String.raw`began=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z took=\d+\.\d{3}`;

/** What a tail says besides when the script ran. */
function saidIn(receipt: string) {
  const { began: _, took: __, ...said } = tailOf(receipt);
  return said;
}

const odd = ["", "7.4.0-1", "2026-11-03T03:00:00Z", "12 of 300 | a=b", "ü 50 € %41 \\n $x `y` '\"", "a\nb=c"];

describe("the tail of a receipt", () => {
  it("says the same to a program whatever is in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), (prose, text) => {
        const receipt = receiptLine(prose, ran, { verdict: "bad", why: text });
        expect(tailOf(receipt)).toEqual({ verdict: "bad", why: text, ...times });
        expect(receipt.split(" | ").at(-1)).toMatch(/^verdict=bad why=[!-~]* began=\S+ took=0\.100$/);
      }),
    );
  });

  it.each(odd)("is written by a host and read by the program, and the other way round: %j", (text) => {
    const written = bash('tail_add verdict bad why "$1"; receipt "what | x=y is so"', [text]).stdout;
    expect(written).toMatch(
      new RegExp(String.raw`^c what \| x=y is so \d+\.\d\d \| verdict=bad why=\S* ${hostTimes}$`),
    );
    expect(saidIn(written)).toEqual({ verdict: "bad", why: text });
    const read = bash('printf "<%s>" "$(tail_of "$1" why)"', [
      receiptLine("c is so", ran, { a: "1", why: text }),
    ]);
    expect(read.stdout).toBe(`<${text}>`);
  });

  it("is what the Python half of a script says after its line of prose", () => {
    const said = bash('receipt_of "$1"', ["bad: a b\nverdict=bad\nwhy=a = b"]).stdout;
    expect(said).toMatch(
      new RegExp(String.raw`^c bad: a b \d+\.\d\d \| verdict=bad why=a%20%3D%20b ${hostTimes}$`),
    );
    expect(bash('receipt_of "$1"', ["so it is"]).stdout).toMatch(
      new RegExp(String.raw`^c so it is \d+\.\d\d \| ${hostTimes}$`),
    );
    const judged = spawnSync(
      "python3",
      ["-c", "import exit_codes; print(exit_codes.judged(False, 'too\\nhot, verdict=good'))"],
      {
        encoding: "utf8",
        cwd: join(root, "scripts", "haproxy"),
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
      },
    );
    expect(saidIn(bash('receipt_of "$1"', [judged.stdout.trimEnd()]).stdout)).toEqual({
      verdict: "bad",
      why: "too hot, verdict=good",
    });
  });

  it.each([
    "none",
    "",
    "c is so 0.12",
    "c 1 | a=b 0.12",
    "c is so 0.12 | A=b",
    "c is so 0.12 | a=%4 b=c",
    "c a=b",
  ])("is not in %j", (receipt) => {
    expect(tailOf(receipt)).toEqual({});
    expect(bash('tail_of "$1" a; tail_of "$1" b', [receipt])).toMatchObject({ status: 0, stdout: "" });
  });
});

describe("the times of a receipt", () => {
  it("are when the script began, in UTC whatever the zone of its host is, and what it took", () => {
    const before = Date.now();
    const { stdout } = bash("pause 0.25; receipt so", [], { TZ: "Asia/Tokyo", LC_ALL: "C.UTF-8" });
    const said = timesOf(stdout);
    expect(said?.began.getTime()).toBeGreaterThanOrEqual(before);
    expect(said?.began.getTime()).toBeLessThanOrEqual(Date.now() - 250);
    expect(said?.seconds).toBeGreaterThanOrEqual(0.25);
    expect(stdout).toContain(`c so ${(said?.seconds ?? 0).toString().slice(0, 4)}`);
  });

  it("keep their zeros", () => {
    const lines = "unset EPOCHREALTIME; EPOCHREALTIME=1000000000.012345; . $1/scripts/lib.sh";
    const said = spawnSync(
      "bash",
      ["-c", `${lines}; EPOCHREALTIME=1000000001.019345; CHANGEOVER_COMPONENT=c receipt so`, "bash", root],
      { encoding: "utf8" },
    );
    expect(said.stdout).toBe("c so 1.00 | began=2001-09-09T01:46:40.012Z took=1.007\n");
  });

  it("are said by a program of the operator's machine too", () => {
    const over = running();
    const { began, seconds } = over();
    expect(Date.now() - began.getTime()).toBeLessThan(5000);
    expect(seconds).toBeLessThan(5);
    expect(timesOf(receiptLine("so", ran))).toEqual(ran);
  });

  it.each([
    "c so 0.10",
    "c so 0.10 | epoch=7",
    "c so | began=yesterday took=1",
    "c so | took=1.000",
    undefined,
  ])("are unknown in %s", (receipt) => {
    expect(timesOf(receipt)).toBeUndefined();
  });
});

/** What old prose says, and the tail that says it today. */
const told: readonly (readonly [old: string, tail: string])[] = [
  [
    "sounz may go on with its switch (0.31 s); megadeth accepts the writes already, epoch 7",
    "epoch=7 serving=megadeth",
  ],
  ["slayer is cut off (3.02 s), epoch 7", "epoch=7"],
  [
    "crossbow-release prodapp01 bad: 12 of 300 answers were 5xx 3.20",
    "verdict=bad why=12%20of%20300%20answers%20were%205xx",
  ],
  [
    "cache-a a is told, bad: it runs with other settings (x y), which a restart changes 0.20",
    "verdict=bad why=it%20runs%20with%20other%20settings%20%28x%20y%29,%20which%20a%20restart%20changes",
  ],
  ["scalr 7.4.0-1 is green since 2026-11-03T03:00:00Z 0.12", "version=7.4.0-1 since=2026-11-03T03:00:00Z"],
  [
    "scalr backup 20260131T235959 was restored on trial in 3.1 s: 9 tables as they were 4.02",
    "backup=20260131T235959",
  ],
  ["scalr scalr-db has no database of scalr-server yet, nothing to restore on trial 0.10", "database=none"],
];

describe("a receipt without a tail that the state has from an older release", () => {
  it.each(told)("gets one: %s", (old, tail) => {
    expect(withTail(old)).toBe(`${old} | ${tail}`);
  });

  it.each([
    ...[
      "sounz upgrade is complete, nothing done 0.01",
      "none",
      "",
      "crossbow-release prodapp01 runs 4685, good 3.20",
    ],
    "c whatever 0.10 | complete=yes",
  ])("gets none where there is nothing to say: %s", (receipt) => {
    expect(withTail(receipt)).toBe(receipt);
  });

  it("is not asked when there is a tail, so that prose is free", () => {
    for (const [old] of told) expect(tailOf(withTail(`${old} | complete=yes`))).toEqual({ complete: "yes" });
    expect(legacyTailOf("anything else")).toEqual({});
  });
});

/** Each program that reads a receipt, and what it made of it. */
const readers = {
  epoch: epochOf,
  verdict: badOf,
  green: (receipt: string) => greenOf(receipt)?.since,
  "run/verdict.ts": (receipt: string) =>
    operator("transition/run/verdict.ts", {
      bad: "it is bad",
      cure: "mend it",
      verdicts: [{ phase: "enter", receipt }],
    }).stderr.split("\n")[1],
  "run/isolate.ts": (receipt: string) => {
    const order = { pair: "sounz", lost: "slayer", receipt, fence: "echo CUT >&2" };
    const { status, stderr, stdout } = operator("components/pair/run/isolate.ts", order);
    return `${String(status)} ${stderr.includes("CUT") ? "cut" : "left"} ${JSON.stringify(saidIn(stdout))}`;
  },
  "pair/serve-alone.sh": (receipt: string) => {
    const lines = `. ${root}/scripts/pair/lib-serve-alone.sh
      python3() { printf 'fenced\\nit says so\\n'; }
      epoch=7 PEER=slayer PAIR=sounz link=''
      require_gone "$1" && echo gone`;
    return bash(lines, [receipt]).status;
  },
  "upgrade/stop-services.sh": (receipt: string) => {
    const lines = `${functionOf("upgrade/stop-services", "require_backup")}
      MAIN=no CHANGEOVER_TRANSITION=upgrade
      require_backup 99999999 "$1" && echo may stop`;
    return bash(lines, [receipt]).status;
  },
} as const;

describe("a program that reads a receipt", () => {
  type Case = readonly [
    reader: keyof typeof readers,
    tail: string,
    old: string,
    read: unknown,
    unread: unknown,
  ];
  const cases: readonly Case[] = [
    ["epoch", "epoch=7", "sounz may go on, epoch 7", "7", ""],
    ["verdict", "verdict=bad why=too%20hot", "c a bad: too hot 1.00", "too hot", undefined],
    [
      "green",
      "version=1 since=2026-11-03T03:00:00Z",
      "scalr 1 is green since 2026-11-03T03:00:00Z 0.12",
      "2026-11-03T03:00:00Z",
      undefined,
    ],
    ["run/verdict.ts", "verdict=bad why=too%20hot", "c a bad: too hot 1.00", "  enter: too hot", "mend it"],
    [
      "run/isolate.ts",
      "epoch=7 serving=megadeth",
      "sounz may go on; megadeth accepts the writes already, epoch 7",
      '0 left {"epoch":"7"}',
      "77 left {}",
    ],
    ["run/isolate.ts", "epoch=7", "sounz may go on, epoch 7", '0 cut {"epoch":"7"}', "77 left {}"],
    // What the lost machine says itself stands for it, and it is not the one that may serve.
    [
      "run/isolate.ts",
      "epoch=7 serving=slayer",
      "sounz may go on, epoch 7",
      '0 cut {"epoch":"7"}',
      "77 left {}",
    ],
    ["pair/serve-alone.sh", "epoch=7", "slayer is cut off (3.02 s), epoch 7", 0, 77],
    [
      "upgrade/stop-services.sh",
      "backup=20260131T235959",
      "scalr backup 20260131T235959 was restored on trial already 0.10",
      0,
      77,
    ],
    [
      "upgrade/stop-services.sh",
      "database=none",
      "scalr scalr-db has no database of scalr-server yet 0.10",
      0,
      77,
    ],
  ];

  it.each(cases)("%s reads %s whatever the prose is, and nothing else", (reader, tail, old, read, unread) => {
    const of = readers[reader];
    for (const prose of [
      "c other words 1.00",
      old,
      "c x bad: y, epoch 9 1.00",
      "c | epoch=9 verdict=good 0.10",
    ])
      expect(of(`${prose} | ${tail}`), prose).toBe(read);
    // Only a receipt of the state is given a tail, in one place; a program makes nothing of old words by itself.
    expect(of(old)).toBe(unread);
    expect(of(withTail(old)), "as the state has it").toBe(read);
    expect(of("c switch is complete, nothing done 0.01 | complete=yes")).toBe(unread);
  });

  it("takes a fence of another epoch for none, and no fence for one", () => {
    expect(readers["pair/serve-alone.sh"]("slayer is cut off 3.02 | epoch=6")).toBe(77);
    expect(readers["pair/serve-alone.sh"]("none")).toBe(77);
    const lines = `. ${root}/scripts/pair/lib-serve-alone.sh
      python3() { echo fenced; }
      epoch='' PEER=slayer PAIR=sounz link=''; require_gone none`;
    expect(bash(lines).status, "a machine without a claim").toBe(77);
  });

  it("takes an old backup for none", () => {
    const lines = `${functionOf("upgrade/stop-services", "require_backup")}
      MAIN=no CHANGEOVER_TRANSITION=upgrade; require_backup 60 "$1"`;
    const ran = bash(lines, ["scalr good 1.00 | backup=20260101T000000"]);
    expect(ran).toMatchObject({ status: 77 });
    expect(ran.stderr).toMatch(
      /the backup is \d+ min old \(allowed: 60 min\); start again: npx pulumi up --replace/,
    );
  });

  it("is told by a preflight what it decided", () => {
    const wanted = { component: "scalr-db", transition: "host", stack: "aa" };
    const { stdout } = operator("transition/run/preflight.ts", {
      in: join(root, "components", "staged-upgrade", "decide.ts"),
      kind: "host",
      wanted,
      looks: [],
    });
    expect(stdout).toMatch(new RegExp(String.raw`^scalr-db .* \d+\.\d\d \| epoch=1 ${hostTimes}$`, "m"));
  });
});

describe("a script whose row has a verdict", () => {
  const judging = new Set(
    Object.values(tables).flatMap(({ table }) => table.filter((row) => row.verdict).map((row) => row.script)),
  );

  it.each([...judging])("%s says it in the tail of each receipt", (script) => {
    const lines = readFileSync(join(root, "scripts", `${script}.sh`), "utf8").split("\n");
    const said = lines.flatMap((line, index) => (/^ *receipt "/.test(line) ? [lines[index - 1]] : []));
    for (const before of said) expect(before).toMatch(/^ *tail_add verdict (good|bad why "\$why")$/);
    expect(said.length + lines.filter((line) => /^ *receipt_of "/.test(line)).length).toBeGreaterThan(0);
  });
});
