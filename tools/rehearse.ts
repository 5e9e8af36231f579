import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { parse, stringify } from "yaml";
import { boot, findLab, stateOf } from "./lab/lab.ts";
import { type CliRun, runPulumi } from "./cli-run.ts";
import { dataFolder, pulumiEnvironment } from "./setup/toolchain.ts";
import { Writer } from "./writer.ts";

const help = `Rehearse a change of the production server: local hosts, a real PostgreSQL pair, a running writer.

Usage: npm run rehearse                     make all, flip to the secondary, flip back, leave it running
       npm run rehearse -- --flips N        flip N times (default 2)
       npm run rehearse -- --down           remove hosts and state
       npm run rehearse -- pulumi ARGS…     plain Pulumi on the rehearsal's own backend

It takes the pair out of Pulumi.dev.yaml, and has a backend of its own, whatever the environment says. The whole stack: npx pulumi up.`;

const root = join(import.meta.dirname, "..");
const stack = "rehearsal";
const checkout = createHash("sha256").update(root).digest("hex").slice(0, 8);
const folder = join(dataFolder(), `rehearsal-${checkout}`);
const pair = "sounz";

/** The rehearsal's project: the checkout's program, with state and stack file outside the checkout. */
function project(): NodeJS.ProcessEnv {
  mkdirSync(join(folder, "state"), { recursive: true, mode: 0o700 });
  const source = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
  writeFileSync(join(folder, "Pulumi.yaml"), stringify({ ...source, main: relative(folder, root) }));
  const stackFile = join(folder, `Pulumi.${stack}.yaml`);
  if (!existsSync(stackFile))
    writeFileSync(stackFile, pairOf(readFileSync(join(root, "Pulumi.dev.yaml"), "utf8")));
  return pulumiEnvironment({
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "rehearsal",
    PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
    PULUMI_STACK: undefined,
  });
}

/** The pair of the development stack and its hosts: every resource more is written into the state at every step. */
function pairOf(devStack: string): string {
  const { config } = parse(devStack) as { config: Record<string, Record<string, unknown>> };
  const kept = config["changeover:pairs"]?.[pair] as { primary: string; secondary: string };
  return stringify({
    config: {
      "changeover:platform": "local",
      "changeover:hosts": { [kept.primary]: {}, [kept.secondary]: {} },
      "changeover:pairs": { [pair]: kept },
    },
  });
}

const say = (text: string): void => {
  console.log(text);
};

async function pulumi(env: NodeJS.ProcessEnv, args: readonly string[], narrate = false): Promise<CliRun> {
  const run = await runPulumi(args, { cwd: folder, env, narrate: narrate ? say : undefined });
  if (run.code !== 0)
    throw new Error(`pulumi ${args.join(" ")} ended with ${String(run.code)}:\n${run.output}`);
  return run;
}

async function configured(
  env: NodeJS.ProcessEnv,
): Promise<{ primary: string; secondary: string; production: string; port: number; database: string }> {
  const { output } = await pulumi(env, ["config", "--json", "--stack", stack]);
  const config = JSON.parse(output) as Record<string, { value: string }>;
  const pairs = JSON.parse(config["changeover:pairs"]?.value ?? "{}") as Record<
    string,
    { primary: string; secondary: string; production: string; port?: number; database?: string }
  >;
  const found = pairs[pair];
  if (!found)
    throw new Error(`the rehearsal's stack file has no pair ${pair}; remove ${folder} and start again`);
  return { ...found, port: found.port ?? 5432, database: found.database ?? pair };
}

async function writerOf(env: NodeJS.ProcessEnv): Promise<Writer> {
  const { port, database } = await configured(env);
  const { output } = await pulumi(env, ["stack", "output", "--json", "--show-secrets", "--stack", stack]);
  const outputs = JSON.parse(output) as {
    serviceAddresses: Record<string, string>;
    ownerPasswords: Record<string, string>;
  };
  const host = outputs.serviceAddresses[pair] ?? "";
  return new Writer({ host, port, database, user: database, password: outputs.ownerPasswords[pair] ?? "" });
}

/** One flip under the writer: what ran, how long writes were refused, what was lost. */
async function flip(env: NodeJS.ProcessEnv, writer: Writer): Promise<boolean> {
  const { primary, secondary, production } = await configured(env);
  const to = production === primary ? secondary : primary;
  say(`\n== production: ${production} => ${to}`);
  await pulumi(env, ["config", "set", "--path", `changeover:pairs.${pair}.production`, to, "--stack", stack]);
  const mark = writer.mark();
  const run = await pulumi(env, ["up", "--yes", "--skip-preview", "--stack", stack], true);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const { outageMs, acknowledged, unknown } = writer.since(mark);
  const lost = await writer.lost();
  say(`   whole update              ${run.seconds.toFixed(1)} s`);
  say(
    `   writes refused for        ${(outageMs / 1000).toFixed(2)} s (longest time between two acknowledged writes)`,
  );
  say(
    `   acknowledged meanwhile    ${String(acknowledged)}, outcome unknown to the client: ${String(unknown)}`,
  );
  say(`   acknowledged and lost     ${String(lost.length)}`);
  return lost.length === 0;
}

/** Hosts that a reboot switched off are booted; when somebody removed them, the rehearsal begins anew. */
async function hostsAsTheStateSays(env: NodeJS.ProcessEnv): Promise<boolean> {
  const { output } = await pulumi(env, ["stack", "export", "--stack", stack]);
  const { deployment } = JSON.parse(output) as {
    deployment: { resources?: { urn: string; outputs?: { hex?: string } }[] };
  };
  const id = deployment.resources?.find(({ urn }) => urn.endsWith("::lab-id"))?.outputs?.hex;
  if (id === undefined) return true;
  const lab = await findLab(`co-${id}`);
  if (!lab) return false;
  for (const host of Object.keys(lab.hosts)) {
    const { state } = await stateOf(lab.id, host);
    if (state !== "off") continue;
    say(`   booting ${host}, which was off`);
    await boot(lab.id, host);
  }
  return true;
}

async function rehearse(flips: number): Promise<number> {
  const env = project();
  say(`state and stack file of the rehearsal: ${folder}`);
  await pulumi(env, ["stack", "select", "--create", stack]);
  if (!(await hostsAsTheStateSays(env))) {
    say("the hosts of the last rehearsal were removed; beginning anew");
    rmSync(folder, { recursive: true, force: true });
    return rehearse(flips);
  }
  say("== hosts and the pair (pulumi up)");
  const made = await pulumi(env, ["up", "--yes", "--skip-preview", "--stack", stack], true);
  say(`   whole update              ${made.seconds.toFixed(1)} s`);
  const writer = await writerOf(env);
  await writer.start();
  say("== a client writes 50 times a second through the service address");
  let kept = true;
  try {
    for (let count = 0; count < flips; count++) kept = (await flip(env, writer)) && kept;
  } finally {
    await writer.stop();
  }
  const { production, primary, secondary } = await configured(env);
  const other = production === primary ? secondary : primary;
  say(`\nThe pair is running, ${production} is production. Next:`);
  say(`  npm run rehearse -- pulumi config set --path changeover:pairs.${pair}.production ${other}`);
  say("  npm run rehearse -- pulumi up");
  say("  npm run lab -- status            (npm run rehearse -- --down removes all)");
  return kept ? 0 : 1;
}

async function down(): Promise<number> {
  if (!existsSync(folder)) {
    say("there is no rehearsal to remove");
    return 0;
  }
  const env = project();
  await pulumi(env, ["stack", "select", "--create", stack]);
  await pulumi(env, ["destroy", "--yes", "--skip-preview", "--stack", stack], true);
  rmSync(folder, { recursive: true, force: true });
  say("hosts, state and stack file are removed");
  return 0;
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === "pulumi") {
    const env = project();
    const run = await runPulumi(argv.slice(1), { cwd: folder, env, interactive: true });
    return run.code ?? 1;
  }
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: "boolean" },
      down: { type: "boolean" },
      flips: { type: "string", default: "2" },
    },
  });
  if (values.help) {
    say(help);
    return 0;
  }
  const flips = Number(values.flips);
  if (!Number.isInteger(flips) || flips < 0)
    throw new Error(`--flips is ${values.flips}; a whole number from 0 is allowed`);
  return values.down ? down() : rehearse(flips);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
