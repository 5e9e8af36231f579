import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../config/places.ts";
import { sourceTowards } from "../config/source-address.ts";
import { sshRun } from "../transition/run/ssh-run.ts";
import { type Question, Questions } from "./init/ask.ts";
import { shownKey } from "./init/host-key.ts";
import * as about from "./init/questions.ts";
import { type Server, stackFileOf, type TwoServers } from "./init/stack-file.ts";

const help = `Write the stack file of two servers of your own, as a pair with PostgreSQL. Asks for what no flag names.

Usage: npm run init -- [FLAG…]

  --stack NAME                     the stack; its file is Pulumi.NAME.yaml, which may not exist yet
  --pair NAME                      the pair, and its database
  --primary NAME=ADDRESS[:PORT]    the server that is production first
  --secondary NAME=ADDRESS[:PORT]  the standby
  --user NAME                      who logs in; who is not root has sudo without a password
  --key PATH                       the private key, without a passphrase; agent: the SSH agent is asked
  --service-address ADDRESS        free, in the network of both servers; it follows production
  --clients NETWORK[,NETWORK…]     who may connect to the database, with the machine that runs npx pulumi up
  --folder PATH                    where the file is written; left out: this checkout
  --compared                       the host keys were compared already: they are only shown

Nothing is changed on the servers: their host keys are read, and a login is tried.
Ends with 0 when the file is written, 1 when it is not.`;

const text = { type: "string" } as const;
const yes = { type: "boolean" } as const;
const options = {
  stack: text,
  pair: text,
  primary: text,
  secondary: text,
  user: text,
  key: text,
  "service-address": text,
  clients: text,
  folder: text,
  compared: yes,
  help: yes,
} as const;

type Given = ReturnType<typeof parseArgs<{ readonly options: typeof options }>>["values"];
type Ask = (question: Question, given: string | undefined) => Promise<string>;

async function serverAt(answer: string): Promise<Server & { readonly shown: string }> {
  const place = about.placeOf(answer);
  if (!place) throw new Error(`${answer} is no server`);
  const { key, fingerprint, file } = await shownKey(place.address, place.port);
  const shown = `${place.name} shows ${fingerprint}; compare it on ${place.name}: ssh-keygen -lf ${file}`;
  return { ...place, hostKey: key, shown };
}

/** What the stack file says, and what the servers show. */
async function twoServers(ask: Ask, given: Given): Promise<TwoServers & { readonly shown: string[] }> {
  const pair = await ask(about.pairName, given.pair);
  const first = await serverAt(await ask(about.primary, given.primary));
  const second = await serverAt(await ask(about.secondary, given.secondary));
  const user = await ask(about.user, given.user);
  const key = await ask(about.privateKey, given.key);
  const serviceAddress = await ask(about.serviceAddress, given["service-address"]);
  const own = await sourceTowards(first.address);
  const clients = about.networksIn(await ask(about.clients(own), given.clients));
  const privateKeyPath = key === "agent" ? undefined : key;
  const servers = [first, second] as const;
  const shown = servers.map((server) => server.shown);
  return { pair, servers, user, privateKeyPath, serviceAddress, clients, shown };
}

/** Logins that the servers refuse, with their cures: the first update would end there. */
async function refusedLogins({ servers, user, privateKeyPath }: TwoServers): Promise<string[]> {
  const command = user === "root" ? "python3 -V" : "sudo -n python3 -V";
  const tried = servers.map(async ({ name, address: host, port, hostKey }) => {
    const { code, stderr } = await sshRun({ host, port, user, hostKey, privateKeyPath }, command, 10);
    return code === 0 ? [] : [`${name} ${stderr} (${user}@${host}:${String(port)})`];
  });
  return (await Promise.all(tried)).flat();
}

async function init(ask: Ask, given: Given): Promise<void> {
  const stack = await ask(about.stackName, given.stack);
  const name = `Pulumi.${stack}.yaml`;
  const file = join(given.folder ?? root, name);
  if (existsSync(file)) throw new Error(`${name} exists; name another stack: npm run init -- --stack NAME`);
  const told = await twoServers(ask, given);
  const written = stackFileOf(name, told);
  console.log(told.shown.join("\n"));
  await ask(about.compared, given.compared ? "yes" : undefined);
  writeFileSync(file, written, { flag: "wx" });
  console.log(`${name} is written`);
  for (const refused of await refusedLogins(told)) console.log(`before the first update: ${refused}`);
  console.log(`next: npx pulumi stack init ${stack}\n      npx pulumi preview`);
}

const questions = new Questions();
try {
  const given = parseArgs({ options }).values;
  if (given.help) console.log(help);
  else await init((question, answer) => questions.ask(question, answer), given);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  questions.close();
}
