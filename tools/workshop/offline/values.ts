/** A property value as the engine sends it: JSON, with secrets, unknowns and assets marked by a signature key. */
export type Value = null | boolean | number | string | Value[] | Properties;

export interface Properties {
  [name: string]: Value | undefined;
}

const signature = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";
const assetMarks = ["c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"];

/** What stands in a preview for a value that only the update will give. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const isObject = (value: Value | undefined): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isMarked = (value: Value | undefined): value is Properties => isObject(value) && signature in value;

export const isSecret = (value: Value | undefined): boolean =>
  isMarked(value) && value[signature] === secretMark;

/** A file, text or archive that a program handed over. */
export const isAsset = (value: Value | undefined): value is Properties =>
  isMarked(value) && assetMarks.includes(String(value[signature]));

export const isArchive = (value: Value | undefined): boolean =>
  isMarked(value) && value[signature] === assetMarks[1];

export const secret = (value: Value): Properties => ({ [signature]: secretMark, value });

export const fileAsset = (path: string, hash: string): Properties => ({
  [signature]: assetMarks[0],
  path,
  hash,
});

export const assetArchive = (assets: Properties, hash: string): Properties => ({
  [signature]: assetMarks[1],
  assets,
  hash,
});

/** The value with every secret in it laid open. */
export function plain(value: Value): Value {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  if (isSecret(value)) return plain(value.value ?? null);
  return mapValues(value, plain);
}

/** Properties with every secret in them laid open. */
export const plainProperties = (properties: Properties): Properties => mapValues(properties, plain);

export function mapValues(properties: Properties, change: (value: Value) => Value): Properties {
  const entries = Object.entries(properties).filter((entry): entry is [string, Value] => entry[1] != null);
  return Object.fromEntries(entries.map(([name, value]) => [name, change(value)]));
}

/** Equality as the engine sees it: assets by their hash, an absent property like a null one. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a == null || b == null) return a == null && b == null;
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((v, i) => equal(v, b[i]));
  if (!isObject(a) || !isObject(b)) return a === b;
  if (isAsset(a) && isAsset(b) && a.hash && b.hash) return a.hash === b.hash;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => equal(a[name], b[name]));
}

export type Change = "add" | "delete" | "update";

/** Each changed place, named by its property path (`triggers[0].version`), between old and new inputs. */
export function differences(old: Properties, now: Properties): Map<string, Change> {
  const found = new Map<string, Change>();
  compareObjects("", old, now, found);
  return found;
}

function compareObjects(path: string, old: Properties, now: Properties, found: Map<string, Change>): void {
  for (const name of new Set([...Object.keys(old), ...Object.keys(now)]))
    compare(path + step(name, path === ""), old[name], now[name], found);
}

function compare(
  path: string,
  old: Value | undefined,
  now: Value | undefined,
  found: Map<string, Change>,
): void {
  if (old == null && now == null) return;
  if (old == null) found.set(path, "add");
  else if (now == null) found.set(path, "delete");
  else if (Array.isArray(old) && Array.isArray(now))
    for (let i = 0; i < Math.max(old.length, now.length); i++)
      compare(`${path}[${String(i)}]`, old[i], now[i], found);
  else if (isObject(old) && isObject(now) && !isMarked(old) && !isMarked(now))
    compareObjects(path, old, now, found);
  else if (!equal(old, now)) found.set(path, "update");
}

function step(name: string, first: boolean): string {
  if (!/^\w+$/.test(name)) return `["${name.replaceAll('"', '\\"')}"]`;
  return first ? name : `.${name}`;
}
