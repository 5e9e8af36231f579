import { parseArgs } from "node:util";
import { Rehearsal, say } from "./rehearsal.ts";
import { rehearseUpgrade, upgradeRehearsal } from "./rehearse-upgrade.ts";
import { Writer } from "./writer.ts";

const help = `Rehearse a change of the production server: local hosts, a real PostgreSQL pair, a running writer.
Or a package upgrade over five hosts, and the way back, with the time that it takes users seen from outside.

Usage: npm run rehearse                     make all, flip to the secondary, flip back, leave it running
       npm run rehearse -- --flips N        flip N times (default 2)
       npm run rehearse -- --upgrade        make five hosts, upgrade their package, go back, leave it running
       npm run rehearse -- --down           remove hosts and state of both
       npm run rehearse -- pulumi ARGS…     plain Pulumi on the rehearsal's own backend
       npm run rehearse -- timeline ARGS…   who did what when; the same for look, verify and status
       npm run rehearse -- --upgrade pulumi ARGS…     the same for the upgrade

Each takes its part out of Pulumi.dev.yaml, and has a stack and a backend of its own, whatever the environment says. The whole
stack: npx pulumi up.`;

const pair = "sounz";

interface Pair {
  readonly primary: string;
  readonly secondary: string;
  readonly production: string;
  readonly port?: number;
  readonly database?: string;
}

/** The pair of the development stack, with its hosts. */
const rehearsal = new Rehearsal("rehearsal", (config) => {
  const kept = config["changeover:pairs"]?.[pair] as Pair;
  return {
    "changeover:platform": "local",
    "changeover:hosts": { [kept.primary]: {}, [kept.secondary]: {} },
    "changeover:pairs": { [pair]: kept },
  };
});

async function configured(): Promise<Pair & { readonly port: number; readonly database: string }> {
  const found = await rehearsal.entry<Pair>("changeover:pairs", pair);
  if (!found)
    throw new Error(
      `the rehearsal's stack file has no pair ${pair}; remove ${rehearsal.folder} and start again`,
    );
  return { ...found, port: found.port ?? 5432, database: found.database ?? pair };
}

async function writerOf(): Promise<Writer> {
  const { port, database } = await configured();
  const outputs = await rehearsal.outputs<{
    serviceAddresses: Record<string, string>;
    ownerPasswords: Record<string, string>;
  }>();
  const host = outputs.serviceAddresses[pair] ?? "";
  return new Writer({ host, port, database, user: database, password: outputs.ownerPasswords[pair] ?? "" });
}

/** One flip under the writer: what ran, how long writes were refused, what was lost. */
async function flip(writer: Writer): Promise<boolean> {
  const { primary, secondary, production } = await configured();
  const to = production === primary ? secondary : primary;
  say(`\n== production: ${production} => ${to}`);
  await rehearsal.pulumi(["config", "set", "--path", `changeover:pairs.${pair}.production`, to]);
  const mark = writer.mark();
  const run = await rehearsal.pulumi(["up", "--yes", "--skip-preview"], true);
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

async function rehearse(flips: number): Promise<number> {
  await rehearsal.begin("hosts and the pair");
  const writer = await writerOf();
  await writer.start();
  say("== a client writes 50 times a second through the service address");
  let kept = true;
  try {
    for (let count = 0; count < flips; count++) kept = (await flip(writer)) && kept;
  } finally {
    await writer.stop();
  }
  const { production, primary, secondary } = await configured();
  const other = production === primary ? secondary : primary;
  say(`\nThe pair is running, ${production} is production. Next:`);
  say(`  npm run rehearse -- pulumi config set --path changeover:pairs.${pair}.production ${other}`);
  say("  npm run rehearse -- pulumi up");
  say("  npm run rehearse -- timeline     (who did what when)");
  say("  npm run lab -- status            (npm run rehearse -- --down removes all)");
  return kept ? 0 : 1;
}

async function down(): Promise<number> {
  const removed = [await rehearsal.down(), await upgradeRehearsal.down()];
  say(removed.includes(true) ? "hosts, state and stack file are removed" : "there is no rehearsal to remove");
  return 0;
}

/** What reads the rehearsal's stack, on its own backend. */
const tools = ["look", "verify", "timeline", "status"];

/** What a command that is no rehearsal does: plain Pulumi or a tool, and for which rehearsal; undefined when it is one. */
function plain(argv: readonly string[]): (() => number | Promise<number>) | undefined {
  const [own, [name = "", ...args]] =
    argv[0] === "--upgrade" ? [upgradeRehearsal, argv.slice(1)] : [rehearsal, argv];
  if (name === "pulumi") return () => own.interactive(args);
  return tools.includes(name) ? () => own.tool(name, args) : undefined;
}

async function main(argv: readonly string[]): Promise<number> {
  const does = plain(argv);
  if (does) return does();
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: "boolean" },
      down: { type: "boolean" },
      upgrade: { type: "boolean" },
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
  if (values.down) return down();
  return values.upgrade ? rehearseUpgrade() : rehearse(flips);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
