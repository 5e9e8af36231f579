import { readFileSync } from "node:fs";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Wanted, WantedResource } from "../wanted.ts";

const file = process.env.WANTED;
if (!file) throw new Error("WANTED names no file");
const wanted = JSON.parse(readFileSync(file, "utf8")) as Wanted;

/** Loaded only for those who ask: it is large. */
async function ofAws() {
  const asked = wanted.resources?.some(({ type }) => type.startsWith("aws."));
  const { ec2, ec2transitgateway } = asked ? await import("@pulumi/aws") : {};
  return {
    "aws.Vpc": ec2?.Vpc,
    "aws.Subnet": ec2?.Subnet,
    "aws.Instance": ec2?.Instance,
    "aws.Eip": ec2?.Eip,
    "aws.EipAssociation": ec2?.EipAssociation,
    "aws.InstanceState": ec2transitgateway?.InstanceState,
  };
}

type Maker = new (name: string, args: never, opts: pulumi.CustomResourceOptions) => pulumi.CustomResource;

const makers: Record<WantedResource["type"], Maker | undefined> = {
  "remote.Command": command.remote.Command,
  "remote.CopyToRemote": command.remote.CopyToRemote,
  "local.Command": command.local.Command,
  "random.RandomId": random.RandomId,
  "random.RandomPassword": random.RandomPassword,
  "random.RandomString": random.RandomString,
  "random.RandomInteger": random.RandomInteger,
  "random.RandomBytes": random.RandomBytes,
  ...(await ofAws()),
};

const made = new Map<string, pulumi.CustomResource>();

function get(name: string): pulumi.CustomResource {
  const found = made.get(name);
  if (!found) throw new Error(`no resource ${name} before this one`);
  return found;
}

function valueOf(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(valueOf);
  if (typeof json !== "object" || json === null) return json;
  const [mark = "", marked] = Object.entries(json)[0] ?? [];
  if (mark === "$secret") return pulumi.secret(valueOf(marked));
  if (mark === "$file") return new pulumi.asset.FileAsset(String(marked));
  if (mark === "$folder") return new pulumi.asset.FileArchive(String(marked));
  if (mark === "$text") return new pulumi.asset.StringAsset(String(marked));
  if (mark === "$ref") {
    const [name = "", output = ""] = String(marked).split(".");
    return (get(name) as unknown as Record<string, unknown>)[output];
  }
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, valueOf(value)]));
}

const hooks = {
  tell: new pulumi.ResourceHook("tell", (args) => console.log(`about to make ${args.name}`)),
  refuse: new pulumi.ResourceHook("refuse", (args) => {
    throw new Error(`${args.name} is not to be made`);
  }),
};

for (const { name, type, args, dependsOn, hook, ...opts } of wanted.resources ?? []) {
  const Type = makers[type];
  if (!Type) throw new Error(`no type ${type}`);
  const hooked = hook && { hooks: { beforeCreate: [hooks[hook]] } };
  const options = { ...opts, dependsOn: dependsOn?.map(get), ...hooked };
  made.set(name, new Type(name, valueOf(args) as never, options));
}

export const ran = wanted.run ? command.local.runOutput(valueOf(wanted.run) as never).stdout : "";

if (wanted.says) {
  console.log(process.version, ...process.execArgv);
  console.log(`stdout ${wanted.says}`);
  console.error(`stderr ${wanted.says}`);
}
if (wanted.end === "throw") throw new Error("the program is at its wits' end");
if (wanted.end === "exit") process.exit(3);
if (wanted.end === "hang") setInterval(() => undefined, 1000);
