import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { isSecret, mapValues, isObject, type Properties, type Value } from "./values.ts";

/** What was asked of the recording, and what it answered. */
interface Entry {
  readonly op: "create" | "update" | "delete" | "invoke";
  readonly what: string;
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs?: Properties;
}

/** `CHANGEOVER_AWS_RECORDING`, else a file in the data folder. */
function recordingFile(): string {
  const data = process.env.XDG_DATA_HOME || join(homedir(), ".local", "share");
  return process.env.CHANGEOVER_AWS_RECORDING || join(data, "changeover", "aws-recording.jsonl");
}

const sealed = (value: Value): Value => {
  if (isSecret(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(sealed);
  return isObject(value) ? mapValues(value, sealed) : value;
};

/** All that was ever asked, in a file with a line of JSON for each; it stands for the account that is not there. */
export class Recording {
  readonly file = recordingFile();
  #living: Map<string, Properties> | undefined;
  /** The instance that each address was given to first, since it was made. */
  readonly #holders = new Map<string, Value>();

  /** Secrets are written as `[secret]`. */
  add(entry: Entry): void {
    const inputs = mapValues(entry.inputs, sealed);
    const outputs = entry.outputs && mapValues(entry.outputs, sealed);
    this.#live({ ...entry, inputs, outputs });
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    const line = { at: new Date().toISOString(), ...entry, inputs, outputs };
    appendFileSync(this.file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }

  /** What a resource that was made and not deleted answered. */
  find(id: string): Properties | undefined {
    return this.#load().get(id);
  }

  /** The instance that an address was given to first, since it was made; undefined: to none. */
  holderOf(allocationId: string): Value | undefined {
    this.#load();
    return this.#holders.get(allocationId);
  }

  /** The first address of a network from this place on that no living resource has. */
  freeAddress(cidr: string, start: number): string {
    const [network = "10.0.0.0", bits = "16"] = cidr.split("/");
    const base = network.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    // As AWS does, the first four and the last are left out.
    const size = Math.max(2 ** (32 - Number(bits)) - 5, 1);
    const taken = new Set(
      [...this.#load().values()].flatMap(({ privateIp, publicIp }) => [privateIp, publicIp]),
    );
    for (let i = 0; i < size; i++) {
      const address = base + 4 + ((start + i) % size);
      const text = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
      if (!taken.has(text)) return text;
    }
    throw new Error(`recording: the network ${cidr} has no free address left`);
  }

  #load(): Map<string, Properties> {
    if (this.#living) return this.#living;
    this.#living = new Map();
    const lines = existsSync(this.file) ? readFileSync(this.file, "utf8").split("\n") : [];
    for (const line of lines.filter(Boolean)) this.#live(JSON.parse(line) as Entry);
    return this.#living;
  }

  #live({ op, id, inputs, outputs }: Entry): void {
    const living = this.#load();
    if (op === "delete") {
      living.delete(id);
      this.#holders.delete(id);
    } else if (op !== "invoke") living.set(id, { ...inputs, ...outputs });
    const { allocationId, instanceId } = inputs;
    if (op === "create" && typeof allocationId === "string" && instanceId !== undefined)
      this.#holders.set(allocationId, this.#holders.get(allocationId) ?? instanceId);
  }
}
