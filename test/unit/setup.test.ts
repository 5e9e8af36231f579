import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { arch, platform, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buildProblem } from "../../tools/workshop/setup/cli.ts";
import { downloadChecked } from "../../tools/workshop/setup/checked.ts";
import { downloadPlugins, worthTrying } from "../../tools/workshop/setup/download.ts";
import { downloadCli } from "../../tools/workshop/setup/official.ts";
import { checkoutFolder, root } from "../../config/places.ts";
import { fits } from "../../tools/workshop/setup/plugins.ts";
import { onPath } from "../../tools/workshop/setup/run.ts";
import { makeState } from "../../tools/workshop/setup/state.ts";
import { pulumiEnvironment, toolchain } from "../../tools/workshop/setup/toolchain.ts";
import randomPackage from "@pulumi/random/package.json" with { type: "json" };
import { atLeast, goProblem, pins, pinsOf, serves } from "../../tools/workshop/setup/versions.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "changeover-setup-test-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** An executable that sh runs. */
function program(path: string, text: string): string {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("the version of the CLI", () => {
  it.each([
    ["v3.259.0", true],
    ["3.259.1", true],
    ["3.300.0-alpha.1", true],
    ["3.258.9", false],
    ["3.99.0", false],
    ["4.0.0", false],
    ["", false],
    ["command not found", false],
  ])("%s serves a program pinned to 3.259.0: %s", (version, expected) => {
    expect(serves(version, "3.259.0")).toBe(expected);
  });

  it("is compared number by number, not as text", () => {
    expect(atLeast("22.18.0", "22.9")).toBe(true);
    expect(atLeast("22.9.0", "22.18")).toBe(false);
    expect(atLeast("go1.9", "1.25.11")).toBe(false);
  });

  it("is the one of the npm package", () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    expect(dependencies["@pulumi/pulumi"]).toBe(pins().pulumi);
  });

  it("is read from go.mod, with the Go that builds it", () => {
    const goMod = "module m\n\ngo 1.25.11\n\nrequire github.com/pulumi/pulumi/pkg/v3 v3.259.0\n";
    expect(pinsOf(goMod)).toEqual({ pulumi: "3.259.0", go: "1.25.11" });
    expect(() => pinsOf("module m\n")).toThrow("names no CLI");
  });
});

describe("Go", () => {
  it.each([
    ["go1.26.8\nlocal\n", undefined],
    ["go1.25.11\nlocal\n", undefined],
    ["go1.24.1\nlocal\n", "Go is too old: 1.24.1, and 1.25.11 or later is needed"],
    ["go1.24.1\nauto\n", undefined],
    ["go1.19.8\n\n", "Go is too old: 1.19.8, and 1.25.11 or later is needed"],
    ["", "Go is too old: no version, and 1.25.11 or later is needed"],
  ])("that says %j can build the CLI unless: %s", (said, expected) => {
    expect(goProblem(said, "1.25.11")).toBe(expected);
  });

  it.each([
    ['go: downloading x v1\nx@v1: Get "https://p/x": dial tcp: lookup p: no such host', "no network"],
    ["runtime\ncrypto/tls\nwrite /tmp/x: no space left on device", "the disk is full"],
    ["go: go.mod requires go >= 1.25.11 (running go 1.24.1; GOTOOLCHAIN=local)", "Go is too old"],
    ["compile: signal: killed", "not enough memory"],
  ])("that failed with %j says why", (output, why) => {
    const problem = buildProblem(1, output);
    expect(problem).toContain(`building it failed (exit code 1): ${why}`);
    expect(problem).toContain(output.split("\n").at(-1));
    expect(problem).not.toMatch(/downloading|^runtime$/m);
  });
});

describe("a plugin", () => {
  it.each([
    ["command", "1.2.1", true],
    ["command", "4.5.0", false],
    ["command", "1.2.0", false],
    ["command", "", true],
    ["language", "3.260.0", true],
    ["language", "3.100.0", false],
  ] as const)(
    "%s that says %j is used where the program asks for its version: %s",
    (name, said, expected) => {
      expect(fits(name, said, name === "language" ? "3.259.0" : "1.2.1")).toBe(expected);
    },
  );

  it("is downloaded at most once a day, unless the user says otherwise", () => {
    const hour = 3_600_000;
    expect(worthTrying(undefined, undefined, 0)).toBe(true);
    expect(worthTrying(undefined, 0, 23 * hour)).toBe(false);
    expect(worthTrying(undefined, 0, 25 * hour)).toBe(true);
    expect(worthTrying("yes", 0, hour)).toBe(true);
    expect(worthTrying("no", undefined, 0)).toBe(false);
  });
});

describe("PATH", () => {
  it("is searched in order, without what npm puts there", () => {
    const second = program(join(folder, "b", "pulumi"), "");
    const first = program(join(folder, "a", "pulumi"), "");
    const npm = program(join(folder, "c", "node_modules", ".bin", "pulumi"), "");
    writeFileSync(join(folder, "not-executable"), "");
    const path = [
      join(npm, ".."),
      join(folder, "none"),
      join(first, ".."),
      join(second, ".."),
      join(first, ".."),
    ];
    expect(onPath("pulumi", path.join(":"))).toEqual([first, second]);
    expect(onPath("not-executable", folder)).toEqual([]);
  });
});

describe("the default state", () => {
  it("is this user's alone, and keeps its passphrase", () => {
    const data = join(folder, "changeover");
    makeState(data);
    const passphrase = readFileSync(join(data, "passphrase"), "utf8");
    makeState(data);
    expect(readFileSync(join(data, "passphrase"), "utf8")).toBe(passphrase);
    expect(passphrase.trim()).toMatch(/^[\w-]{43}$/);
    expect((statSync(data).mode & 0o777).toString(8)).toBe("700");
    expect((statSync(join(data, "passphrase")).mode & 0o777).toString(8)).toBe("600");
    expect(readdirSync(data).sort()).toEqual(["passphrase", "state"]);
  });

  it("gets no new passphrase where one is missing that opens what is there", () => {
    const data = join(folder, "changeover");
    makeState(data);
    writeFileSync(join(data, "state", "stack"), "");
    rmSync(join(data, "passphrase"));
    expect(() => makeState(data)).toThrow(`cure: put ${join(data, "passphrase")} back`);
  });
});

describe("npx pulumi", () => {
  /** A checkout with a CLI that prints its environment, and a user's home. */
  function launch(args: readonly string[], env: Record<string, string> = {}): Record<string, string> {
    const launcher = join(folder, "checkout", "tools", "pulumi.sh");
    const bin = join(folder, "checkout", "node_modules", ".bin", "pulumi");
    if (!readdirSync(folder).includes("checkout")) {
      cpSync(join(root, "tools", "pulumi.sh"), launcher);
      mkdirSync(join(bin, ".."), { recursive: true });
      symlinkSync(launcher, bin);
      const cli = program(join(folder, "cli", "pulumi"), 'echo "ARGS=$*"; env');
      const chosen = `CHANGEOVER_PULUMI='${cli}'\nCHANGEOVER_PULUMI_HOME='${join(folder, "own")}'\n`;
      mkdirSync(join(folder, "checkout", "node_modules", ".changeover"));
      writeFileSync(join(folder, "checkout", "node_modules", ".changeover", "toolchain.sh"), chosen);
      makeState(join(folder, "home", ".local", "share", "changeover"));
    }
    const said = execFileSync(bin, args, {
      env: { PATH: process.env.PATH, HOME: join(folder, "home"), ...env },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const lines = said.split("\n").filter((line) => /^(ARGS|PULUMI_\w+|PATH)=/.test(line));
    return Object.fromEntries(
      lines.map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]),
    );
  }

  const login = (current: string) => {
    mkdirSync(join(folder, "home", ".pulumi"), { recursive: true });
    writeFileSync(
      join(folder, "home", ".pulumi", "credentials.json"),
      JSON.stringify({ current }, undefined, 4),
    );
  };

  it("has its own plugins, state and passphrase where the user named none", () => {
    const { PATH, ...told } = launch(["up", "--stack", "a b"]);
    const data = join(folder, "home", ".local", "share", "changeover");
    expect(told).toEqual({
      ARGS: "up --stack a b",
      PULUMI_HOME: join(folder, "own"),
      PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_CREDENTIALS_PATH: join(folder, "home", ".pulumi"),
      PULUMI_BACKEND_URL: `file://${data}/state`,
      PULUMI_CONFIG_PASSPHRASE_FILE: `${data}/passphrase`,
    });
    expect(PATH?.split(":")[0]).toBe(join(folder, "checkout", "node_modules", ".bin"));
  });

  it.each([
    ["PULUMI_BACKEND_URL", "s3://bucket"],
    ["PULUMI_ACCESS_TOKEN", "pul-x"],
  ])("leaves state to a user who set %s", (name, value) => {
    const told = launch(["up"], { [name]: value });
    expect(told[name]).toBe(value);
    expect(told.PULUMI_CONFIG_PASSPHRASE_FILE).toBeUndefined();
    if (name !== "PULUMI_BACKEND_URL") expect(told.PULUMI_BACKEND_URL).toBeUndefined();
  });

  it("leaves state to a user who is logged in, and not to one who logged out", () => {
    login("https://api.example.org");
    expect(launch(["up"]).PULUMI_BACKEND_URL).toBeUndefined();
    login("");
    expect(launch(["up"]).PULUMI_BACKEND_URL).toBeDefined();
  });

  it("lets pulumi login choose a backend", () => {
    expect(launch(["login"]).PULUMI_BACKEND_URL).toBeUndefined();
  });

  it("takes the user's passphrase, also an empty one", () => {
    expect(launch(["up"], { PULUMI_CONFIG_PASSPHRASE: "" }).PULUMI_CONFIG_PASSPHRASE_FILE).toBeUndefined();
    const file = join(folder, "mine");
    expect(launch(["up"], { PULUMI_CONFIG_PASSPHRASE_FILE: file }).PULUMI_CONFIG_PASSPHRASE_FILE).toBe(file);
  });

  it("keeps to the plugins in a PULUMI_HOME that the user set", () => {
    const told = launch(["up"], { PULUMI_HOME: "/elsewhere" });
    expect(told.PULUMI_HOME).toBe("/elsewhere");
    expect(told.PULUMI_CREDENTIALS_PATH).toBe("/elsewhere");
    expect(told.PULUMI_IGNORE_AMBIENT_PLUGINS).toBeUndefined();
  });

  it("names the cure before set-up has run, and where the CLI is gone", () => {
    launch(["version"]);
    rmSync(join(folder, "cli"), { recursive: true });
    expect(() => launch(["version"])).toThrow("run: npm run setup");
  });
});

describe("the environment of tools that run the CLI", () => {
  /** Nothing of what this machine's user has set or is logged in to. */
  const nobody = {
    PULUMI_BACKEND_URL: undefined,
    PULUMI_ACCESS_TOKEN: undefined,
    PULUMI_CONFIG_PASSPHRASE: undefined,
    PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
    XDG_DATA_HOME: "/data",
  };

  it("has state and passphrase where npx pulumi has them", () => {
    const env = pulumiEnvironment({ ...nobody, PULUMI_CREDENTIALS_PATH: folder });
    expect(env.PULUMI_BACKEND_URL).toBe("file:///data/changeover/state");
    expect(env.PULUMI_CONFIG_PASSPHRASE_FILE).toBe("/data/changeover/passphrase");
    expect(env.PULUMI_HOME).toBe(join(checkoutFolder(), "home"));
    expect(env.PATH?.split(":")[0]).toBe(join(root, "node_modules", ".bin"));
  });

  it("has the caller's backend, and then no passphrase of ours", () => {
    const env = pulumiEnvironment({
      ...nobody,
      PULUMI_CREDENTIALS_PATH: folder,
      PULUMI_BACKEND_URL: "file:///own",
    });
    expect(env.PULUMI_BACKEND_URL).toBe("file:///own");
    expect(Object.keys(env)).not.toContain("PULUMI_CONFIG_PASSPHRASE_FILE");
  });

  it("leaves state to a user who is logged in", () => {
    writeFileSync(join(folder, "credentials.json"), '{\n    "current": "s3://bucket"\n}');
    expect(
      pulumiEnvironment({ ...nobody, PULUMI_CREDENTIALS_PATH: folder }).PULUMI_BACKEND_URL,
    ).toBeUndefined();
  });
});

describe("a download", () => {
  const said: string[] = [];
  const voice = { now: (_: string, text: string) => said.push(text), passedOver: () => undefined };
  beforeEach(() => {
    said.length = 0;
    // curl … -o FILE URL
    program(join(folder, "bin", "curl"), 'while [ $# -gt 2 ]; do shift; done; cp "${2#file://}" "$1"');
    vi.stubEnv("PATH", `${join(folder, "bin")}:${process.env.PATH ?? ""}`);
    vi.stubEnv("CHANGEOVER_DOWNLOADS", undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it("is taken when its checksum is the one that is written down, and else says both", async () => {
    writeFileSync(join(folder, "a.tar.gz"), "content");
    const sha256 = createHash("sha256").update("content").digest("hex");
    const take = (known: Record<string, string>) =>
      downloadChecked(`file://${folder}/a.tar.gz`, join(folder, "got"), { seconds: 10, voice, known });
    expect(await take({ "a.tar.gz": sha256 })).toBeUndefined();
    expect(readFileSync(join(folder, "got"), "utf8")).toBe("content");
    expect(await take({ "a.tar.gz": "0".repeat(64) })).toContain(
      `a.tar.gz has sha256 ${sha256}; allowed: 0000`,
    );
  });

  it("without a checksum is made only where the user says so, and its checksum is said", async () => {
    writeFileSync(join(folder, "a.tar.gz"), "content");
    const take = () =>
      downloadChecked(`file://${folder}/a.tar.gz`, join(folder, "got"), { seconds: 10, voice, known: {} });
    expect(await take()).toContain("no checksum of a.tar.gz is in tools/workshop/setup/checksums.json");
    expect(existsSync(join(folder, "got"))).toBe(false);
    vi.stubEnv("CHANGEOVER_DOWNLOADS", "yes");
    expect(await take()).toBeUndefined();
    expect(said.at(-1)).toMatch(/^a.tar.gz has sha256 [0-9a-f]{64}; write it down/);
  });

  it("of the official release is unpacked into its place, with its language hosts, and says why it was not", async () => {
    vi.stubEnv("CHANGEOVER_DOWNLOADS", "yes");
    program(join(folder, "pulumi", "pulumi"), "echo v3.259.0");
    program(join(folder, "pulumi", "pulumi-language-nodejs"), "");
    const archive = `pulumi-v3.259.0-${platform()}-${arch()}.tar.gz`;
    execFileSync("tar", ["-czf", join(folder, archive), "-C", folder, "pulumi"]);
    const place = join(folder, "cache", "linux-x64");
    expect(await downloadCli(place, "3.259.0", voice, `file://${folder}`)).toBeUndefined();
    expect(readdirSync(place).sort()).toEqual(["pulumi", "pulumi-language-nodejs"]);
    expect(execFileSync(join(place, "pulumi"), { encoding: "utf8" })).toBe("v3.259.0\n");
    expect(readdirSync(join(folder, "cache"))).toEqual(["linux-x64"]);
    expect(said[0]).toBe(`file://${folder}/${archive}`);
    expect(await downloadCli(place, "3.260.0", voice, `file://${folder}`)).toMatch(
      /^the official release could not be downloaded: cp: .*No such file/,
    );
  });

  it("of a plugin is put where the CLI finds it", async () => {
    vi.stubEnv("CHANGEOVER_DOWNLOADS", "yes");
    const { pulumi } = toolchain();
    vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
    program(join(folder, "pulumi-resource-random"), "exit 0");
    const { version } = randomPackage;
    const place = arch() === "x64" ? "amd64" : arch();
    const archive = `pulumi-resource-random-v${version}-${platform()}-${place}.tar.gz`;
    execFileSync("tar", ["-czf", join(folder, archive), "-C", folder, "pulumi-resource-random"]);
    expect(await downloadPlugins(pulumi, ["random"], voice, `file://${folder}`)).toBe(true);
    const home = join(folder, "cache", "changeover", "downloads", "plugins", `resource-random-v${version}`);
    expect(readdirSync(home)).toContain("pulumi-resource-random");
    expect(await downloadPlugins(pulumi, ["aws"], voice, `file://${folder}`)).toBe(false);
    expect(said.at(-2)).toMatch(/^not downloaded: cp: .*No such file/);
  });
});

it("two checkouts keep their choices apart, under the user's cache folder", () => {
  expect(checkoutFolder({ XDG_CACHE_HOME: "/c" })).toMatch(/^\/c\/changeover\/checkouts\/.+-[0-9a-f]{8}$/);
});
