import { randomBytes, randomInt, randomUUID } from "node:crypto";
import manifest from "@pulumi/random/package.json" with { type: "json" };
import { type Resource, serveProvider } from "./provider.ts";
import { plainProperties, type Properties, secret } from "./values.ts";

type Generate = (inputs: Properties) => { id: string; outputs: Properties };

/** A resource of the random provider: any change makes a new one, since nothing of it can be changed in place. */
function random(
  inputs: Resource["inputs"],
  computed: readonly string[],
  defaults: Properties,
  generate: Generate,
): Resource {
  return {
    inputs: { keepers: "object", ...inputs },
    computed: ["id", ...computed],
    known: defaults,
    plainDiff: true,
    replaces: () => true,
    check: (given) => {
      const missing = Object.keys(inputs).filter(
        (name) => inputs[name] === "integer" && given[name] === undefined && !(name in defaults),
      );
      const failures = missing.map((property) => ({
        property,
        reason: `Missing required argument "${property}"`,
      }));
      return { inputs: given, failures };
    },
    create: (given) => {
      const whole = { ...defaults, ...given };
      const { id, outputs } = generate(plainProperties(whole));
      return Promise.resolve({ id, outputs: { ...whole, ...outputs, id } });
    },
  };
}

const randomId = random(
  { byteLength: "integer", prefix: "string" },
  ["b64Std", "b64Url", "dec", "hex"],
  {},
  ({ byteLength, prefix }) => {
    const bytes = randomBytes(Number(byteLength));
    const before = typeof prefix === "string" ? prefix : "";
    return {
      id: bytes.toString("base64url"),
      outputs: {
        b64Std: before + bytes.toString("base64"),
        b64Url: before + bytes.toString("base64url"),
        dec: before + BigInt(`0x${bytes.toString("hex") || "0"}`).toString(),
        hex: before + bytes.toString("hex"),
      },
    };
  },
);

const alphabet = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
} as const;

const kinds = ["lower", "upper", "numeric", "special"] as const;

const pick = (from: string): string => from.charAt(randomInt(from.length));

/** Random text of the wanted length with at least the wanted number of each kind of character. */
function text(inputs: Properties): string {
  const of = (kind: (typeof kinds)[number]) =>
    kind === "special" && typeof inputs.overrideSpecial === "string" && inputs.overrideSpecial !== ""
      ? inputs.overrideSpecial
      : alphabet[kind];
  const wanted = kinds.flatMap((kind) => {
    const least = Number(inputs[`min${kind.charAt(0).toUpperCase()}${kind.slice(1)}`] ?? 0);
    return Array.from({ length: least }, () => pick(of(kind)));
  });
  const all = kinds
    // `number` is the old name of `numeric`.
    .filter((kind) => inputs[kind] !== false && !(kind === "numeric" && inputs.number === false))
    .map(of)
    .join("");
  const length = Number(inputs.length);
  if (all === "" || wanted.length > length)
    throw new Error(`no text of ${String(length)} characters fits what is allowed and what is demanded`);
  const rest = Array.from({ length: length - wanted.length }, () => pick(all));
  return shuffled([...wanted, ...rest]).join("");
}

function shuffled<T>(items: readonly T[]): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(randomInt(left.length), 1));
}

const textInputs = {
  length: "integer",
  lower: "boolean",
  upper: "boolean",
  numeric: "boolean",
  number: "boolean",
  special: "boolean",
  minLower: "integer",
  minUpper: "integer",
  minNumeric: "integer",
  minSpecial: "integer",
  overrideSpecial: "string",
};

const textDefaults = {
  lower: true,
  upper: true,
  numeric: true,
  number: true,
  special: true,
  minLower: 0,
  minUpper: 0,
  minNumeric: 0,
  minSpecial: 0,
};

const resources: Record<string, Resource> = {
  "random:index/randomId:RandomId": randomId,
  "random:index/randomString:RandomString": random(textInputs, ["result"], textDefaults, (inputs) => {
    const result = text(inputs);
    return { id: result, outputs: { result } };
  }),
  "random:index/randomPassword:RandomPassword": random(textInputs, ["result"], textDefaults, (inputs) => ({
    id: "none",
    outputs: { result: secret(text(inputs)) },
  })),
  "random:index/randomInteger:RandomInteger": random(
    { min: "integer", max: "integer", seed: "string" },
    ["result"],
    {},
    ({ min, max }) => {
      const result = randomInt(Number(min), Number(max) + 1);
      return { id: String(result), outputs: { result } };
    },
  ),
  "random:index/randomBytes:RandomBytes": random(
    { length: "integer" },
    ["base64", "hex"],
    {},
    ({ length }) => {
      const bytes = randomBytes(Number(length));
      const [base64, hex] = [bytes.toString("base64"), bytes.toString("hex")];
      return { id: base64, outputs: { base64: secret(base64), hex: secret(hex) } };
    },
  ),
  "random:index/randomUuid:RandomUuid": random({}, ["result"], {}, () => {
    const result = randomUUID();
    return { id: result, outputs: { result } };
  }),
};

void serveProvider({
  name: "random",
  version: manifest.version,
  resource: (type) => resources[type],
  types: Object.keys(resources),
});
