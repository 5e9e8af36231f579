import { type Away, Outage } from "./outage.ts";
import { Rehearsal, say, type StackKeys } from "./rehearsal.ts";

const upgrade = "scalr";
const [older, newer] = ["7.3.0-1", "7.4.0-1"];
const key = (field: string) => `changeover:stagedUpgrades.${upgrade}.${field}`;

interface Upgrade {
  readonly version: string;
  readonly hosts: Readonly<Record<string, string>>;
  readonly main: string;
}

/** The staged upgrade of the development stack, with its hosts. */
export function upgradePart(config: StackKeys): object {
  const upgradeKeys = config["changeover:stagedUpgrades"]?.[upgrade] as Upgrade;
  const own = Object.entries(config["changeover:hosts"] ?? {}).filter(([host]) => host in upgradeKeys.hosts);
  return {
    "changeover:platform": "local",
    "changeover:hosts": Object.fromEntries(own),
    "changeover:stagedUpgrades": { [upgrade]: { ...upgradeKeys, version: older } },
  };
}

export const upgradeRehearsal = new Rehearsal("rehearsal-upgrade", upgradePart);

async function configured(): Promise<Upgrade> {
  const entry = await upgradeRehearsal.entry<Upgrade>("changeover:stagedUpgrades", upgrade);
  if (entry) return entry;
  throw new Error(
    `the rehearsal's stack file has no staged upgrade ${upgrade}; remove ${upgradeRehearsal.folder} and start again`,
  );
}

/** The outage as users see it: the database, and the proxy's page with data from it. */
async function outside(): Promise<Outage> {
  const { machines } = await upgradeRehearsal.outputs<{
    machines: { addresses: Record<string, string> };
  }>();
  const { hosts, main } = await configured();
  const proxy = Object.keys(hosts).find((host) => hosts[host] === "proxy") ?? main;
  return new Outage({
    database: { host: machines.addresses[main] ?? "", port: 3306 },
    site: `http://${machines.addresses[proxy] ?? ""}/farms`,
  });
}

const set = (field: string, value: string) =>
  upgradeRehearsal.pulumi(["config", "set", "--path", key(field), value]);

function report(seconds: number, { database, site }: Away): void {
  say(`   whole update              ${seconds.toFixed(1)} s`);
  say(
    `   main database away for    ${database.toFixed(1)} s (from its stop until it accepts connections, seen from outside)`,
  );
  say(`   site away for             ${site.toFixed(1)} s (from the first stop until its pages answer again)`);
}

/** One watched update. Returns an expected refusal; any other failure is an error. */
async function watched(outage: Outage, refusal?: RegExp): Promise<RegExpExecArray | undefined> {
  outage.start();
  const run = await upgradeRehearsal.up();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  report(run.seconds, await outage.stop());
  const refused = refusal?.exec(run.output) ?? undefined;
  if (run.code !== 0 && !refused) throw new Error(`pulumi up ended with ${String(run.code)}:\n${run.output}`);
  return refused;
}

async function forth(outage: Outage): Promise<void> {
  say(`\n== version: ${older} => ${newer}`);
  await set("version", newer);
  await watched(outage);
}

/** Back past the migration: refused with the line to write, done with that line, and the line is removed again. */
async function back(outage: Outage): Promise<void> {
  say(`\n== version: ${newer} => ${older}`);
  await set("version", older);
  const refused = await watched(outage, /\S+ was migrated by .*acceptDataLoss: "(\d{8}T\d{6}): why"/);
  if (!refused) return;
  const line = `${refused[1] ?? ""}: a rehearsal`;
  say(`   refused:                  ${refused[0]}`);
  say(`\n== version: ${newer} => ${older}, with acceptDataLoss: "${line}"`);
  await set("acceptDataLoss", line);
  await watched(outage);
  await upgradeRehearsal.pulumi(["config", "rm", "--path", key("acceptDataLoss")]);
}

/** Upgrade the package and go back, watched from outside, and leave it running. */
export async function rehearseUpgrade(): Promise<number> {
  await upgradeRehearsal.begin("hosts and the package");
  const outage = await outside();
  if ((await configured()).version !== older) await back(outage);
  await forth(outage);
  await back(outage);
  say(`\nThe package runs in ${older} on ${Object.keys((await configured()).hosts).join(", ")}. Next:`);
  say(`  npm run rehearse -- --upgrade pulumi config set --path ${key("version")} ${newer}`);
  say("  npm run rehearse -- --upgrade pulumi preview");
  say("  npm run rehearse -- --upgrade pulumi up");
  say("  npm run lab -- status            (npm run rehearse -- --down removes all)");
  return 0;
}
