import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as lab from "./lab.ts";
import { LabError } from "./lab.ts";
import { table } from "./status.ts";

const help = `npm run lab -- VERB …            the local hosts of this machine's stacks

  status                     all labs and hosts, and what each is doing
  ssh HOST [COMMAND…]        a shell on the host, or one command
  logs HOST                  what the host said on its console, and its journal if it runs
  boot HOST…                 start hosts that are off (also after a reboot of this machine)
  reboot HOST                in good order, as its administrator would
  kill HOST                  in one blow; peers notice at once, as its sockets are closed
  power-cut HOST             as the mains failing: no last packet leaves
  cut HOST | mend HOST       pull its network cable, and plug it in again
  freeze HOST | thaw HOST    every process stops where it is, and goes on
  down [--all]               remove a lab, or all of them; for a stack, prefer \`pulumi destroy\`

  Images of hosts are in /var/cache/changeover/images, made anew when one is missing.

  --lab ID, --stack NAME     which lab, where more than one has such a host

  For the program: net-up LAB --stack NAME | net-down LAB | host-up LAB HOST |
  host-down LAB HOST, with --extra PACKAGE,… for packages beyond the usual ones
`;

/** Where the command of `ssh HOST COMMAND…` begins: from there on nothing is an option of ours. */
function commandBegins(words: readonly string[]): number {
  let named = 0;
  for (let i = 0; i < words.length; i++) {
    const text = words[i] ?? "";
    if (text === "--") return i;
    if (["--lab", "--stack"].includes(text)) i++;
    else if (!text.startsWith("-")) named++;
    if (named === 3 && words.includes("ssh")) return i;
  }
  return words.length;
}

function parse(words: readonly string[]) {
  const begins = commandBegins(words);
  const command = words.slice(words[begins] === "--" ? begins + 1 : begins);
  try {
    return parseArgs({
      args: [...words.slice(0, begins), "--", ...command],
      allowPositionals: true,
      options: {
        lab: { type: "string" },
        stack: { type: "string" },
        checkout: { type: "string" },
        extra: { type: "string" },
        all: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    const fault = error instanceof Error ? error.message.split(". ")[0] : String(error);
    console.error(`lab: ${fault}; see npm run lab -- --help`);
    process.exit(64);
  }
}

const { values, positionals } = parse(process.argv.slice(2));

function list(labs: readonly lab.Lab[]): string {
  return labs
    .map(
      ({ id, stack, hosts }) => `\n  ${id}  stack ${stack}: ${Object.keys(hosts).join(", ") || "no hosts"}`,
    )
    .join("");
}

/** The one lab that the options and the host name leave. */
async function theLab(host?: string): Promise<string> {
  const all = await lab.allLabs();
  const labs = all
    .filter(({ id, stack }) => (values.lab ?? id) === id && (values.stack ?? stack) === stack)
    .filter(({ hosts }) => host === undefined || host in hosts);
  const [only] = labs;
  if (only && labs.length === 1) return only.id;
  const what = host === undefined ? "a lab" : `host "${host}"`;
  if (only) throw new LabError(`${labs.length} labs fit ${what}; say --lab ID or --stack NAME:${list(labs)}`);
  const asked = [values.lab, values.stack].filter(Boolean).map((name) => ` in "${name ?? ""}"`);
  const there =
    all.length > 0 ? `there are:${list(all)}` : "there are no labs: pulumi up on a local stack makes one";
  throw new LabError(`there is no ${what.replace(/^a /, "")}${asked.join("")}; ${there}`);
}

type OnHost = (id: string, host: string) => Promise<unknown>;

const onHost: Record<string, OnHost> = {
  boot: lab.boot,
  reboot: lab.reboot,
  kill: lab.killHost,
  "power-cut": lab.powerCut,
  cut: lab.cut,
  mend: lab.mend,
  freeze: lab.freeze,
  thaw: lab.thaw,
  logs: async (id, host) => {
    console.log(
      await readFile(join(lab.hostDir(id, host), "console.log"), "utf8").catch(() => "(no console yet)"),
    );
    if ((await lab.stateOf(id, host)).state === "running")
      await lab.sshHere(id, host, ["journalctl", "--no-pager", "-n", "100"]);
  },
};

const extraPackages = (): string[] => values.extra?.split(",").filter(Boolean) ?? [];

function word(position: number, what: string): string {
  const found = positionals[position];
  if (found === undefined)
    throw new LabError(`${positionals[0] ?? ""} needs ${what}; see npm run lab -- --help`);
  return found;
}

const verbs: Record<string, () => Promise<unknown>> = {
  status: async () => console.log(await table()),
  ssh: async () => lab.sshHere(await theLab(word(1, "a host")), word(1, "a host"), positionals.slice(2)),
  down: async () => {
    const ids = values.all ? await lab.labIds() : [values.lab ?? (await theLab())];
    for (const id of ids) await lab.removeLab(id);
    console.error(`lab: removed ${ids.join(", ") || "nothing, as there is nothing"}`);
  },
  "net-up": async () => {
    const wanted = {
      id: word(1, "a lab id"),
      stack: values.stack ?? "unnamed",
      checkout: values.checkout ?? process.cwd(),
    };
    const made = await lab.createLab(wanted, extraPackages());
    console.log(JSON.stringify({ id: made.id, subnet: made.subnet }));
  },
  "net-down": () => lab.removeLab(word(1, "a lab id")),
  "host-up": async () =>
    console.log(
      JSON.stringify(await lab.hostUp(word(1, "a lab id"), word(2, "a host name"), extraPackages())),
    ),
  "host-down": () => lab.hostDown(word(1, "a lab id"), word(2, "a host name")),
};

async function main(): Promise<number> {
  const [verb] = positionals;
  if (values.help || verb === undefined) {
    console.log(help);
    return 0;
  }
  const act = verbs[verb];
  const acts = onHost[verb];
  if (!act && !acts)
    throw new LabError(
      `there is no verb "${verb}"; there are ${[...Object.keys(verbs), ...Object.keys(onHost)].join(", ")}`,
    );
  lab.requireLab();
  if (act) {
    const code = await act();
    return typeof code === "number" ? code : 0;
  }
  word(1, "a host");
  await Promise.all(positionals.slice(1).map(async (host) => acts?.(await theLab(host), host)));
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof LabError ? `lab: ${error.message}` : error);
  return 1;
});
