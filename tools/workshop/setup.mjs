// Plain JavaScript for any Node since 20: it runs before anything is installed, and hands over to TypeScript.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const nodeNeeded = [22, 18];
const installSeconds = 900;
const waitSeconds = 2700;
/** The exit code by which flock says that it did not get the lock. */
const held = 199;

function end(problem, cure) {
  console.error(`setup: ${problem}\n  cure: ${cure}`);
  process.exit(1);
}

function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** The first package that is not installed as the lock file has it; optional ones may be missing. */
function missingPackage() {
  const locked = readJson(join(root, "package-lock.json"))?.packages;
  if (!locked) end("package-lock.json is missing", "git checkout -- package-lock.json");
  const installed = readJson(join(root, "node_modules", ".package-lock.json"))?.packages ?? {};
  const { dependencies, devDependencies, optionalDependencies } = locked[""];
  const direct = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  const isWrong = ([path, { version, integrity, optional }]) => {
    if (path === "") return false;
    const there = installed[path];
    return there ? there.version !== version || there.integrity !== integrity : !optional;
  };
  // npm's own note of what is installed is not always true: what the project names is looked at itself.
  const isStale = (path) => {
    const there = readJson(join(root, path, "package.json"));
    const version = there?.version.replace(/^v/, "");
    return there ? version !== locked[path]?.version : installed[path] !== undefined;
  };
  const wrong =
    Object.entries(locked).find(isWrong)?.[0] ?? direct.map((name) => `node_modules/${name}`).find(isStale);
  return wrong?.replace(/^.*node_modules\//, "");
}

/** Run a command while no other set-up of this checkout runs, where the machine has flock. */
function alone(command, options) {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "changeover");
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, `setup-${createHash("sha256").update(root).digest("hex").slice(0, 8)}.lock`);
  const flock = (...limit) => spawnSync("flock", [...limit, lock, ...command], options);
  const first = flock("--nonblock", "--conflict-exit-code", String(held));
  if (first.error?.code === "ENOENT") return spawnSync(command[0], command.slice(1), options);
  if (first.status !== held) return first;
  console.error("setup: waiting for another set-up of this checkout");
  return flock("--wait", String(waitSeconds), "--conflict-exit-code", String(held));
}

function install() {
  const missing = missingPackage();
  if (missing === undefined) return;
  const npm = process.env.npm_execpath?.endsWith(".js")
    ? [process.env.npm_node_execpath || process.execPath, process.env.npm_execpath]
    : ["npm"];
  console.error(`setup: npm ci (${missing} is not as package-lock.json has it)`);
  const quiet = ["--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync(npm[0], [...npm.slice(1), "ci", ...quiet], {
    stdio: ["ignore", 2, 2],
    cwd: root,
    timeout: installSeconds * 1000,
  });
  if (error?.code === "ENOENT") end("npm is not on PATH", "install npm (it comes with Node)");
  if (status !== 0) {
    end(
      `npm ci failed (${error ? error.message : `exit code ${status}`})`,
      "read npm's message above; without a network, set npm's registry and proxy to what this machine reaches",
    );
  }
}

function newEnough(version) {
  const [major, minor] = version.replace("v", "").split(".").map(Number);
  return major > nodeNeeded[0] || (major === nodeNeeded[0] && minor >= nodeNeeded[1]);
}

/** The Node from npm where there is one, so that all of a team run the same; else this one. */
function run(args) {
  const pinned = join(root, "node_modules", ".bin", "node");
  const nodes = [
    ...(existsSync(pinned) ? [pinned] : []),
    ...(newEnough(process.version) ? [process.execPath] : []),
  ];
  const main = [
    "--disable-warning=ExperimentalWarning",
    join(root, "tools", "workshop", "setup", "main.ts"),
    ...args,
  ];
  const machine = /node\/v(\S+)/.exec(process.env.npm_config_user_agent ?? "")?.[1] ?? process.versions.node;
  for (const node of nodes) {
    const env = { ...process.env, CHANGEOVER_MACHINE_NODE: machine };
    if (spawnSync(node, ["--version"]).status !== 0) continue;
    const { status } = alone([node, ...main], { stdio: "inherit", env });
    if (status === held)
      end(`another set-up of this checkout runs since ${waitSeconds} s`, "see what it does, or end it");
    process.exit(status ?? 1);
  }
  end(
    `Node >= ${nodeNeeded.join(".")} is needed, this is ${process.versions.node}, and npm has none for ${process.platform}-${process.arch}`,
    `install Node ${nodeNeeded[0]}, ${nodeNeeded.join(".")} or later`,
  );
}

const args = process.argv.slice(2);
if (Number(process.versions.node.split(".")[0]) < 20) {
  end(
    `Node >= 20 is needed to begin with, this is ${process.versions.node}`,
    "install Node 20 or later, with npm",
  );
}
if (args.includes("--install-only")) {
  install();
} else {
  if (missingPackage() !== undefined) {
    const again = [process.execPath, fileURLToPath(import.meta.url), "--install-only"];
    if (alone(again, { stdio: ["ignore", 2, 2] }).status !== 0) process.exit(1);
  }
  run(args);
}
