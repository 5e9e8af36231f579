import type { Estate } from "./estate.ts";

const program = `
import json, os, signal, sys, time
mount, kind = sys.argv[1:]
going, seen = [True], {"done": 0, "errors": [], "worst": 0.0}
signal.signal(signal.SIGTERM, lambda *_: going.clear())
os.chdir(mount)
names = [f"read-{number}.css" for number in range(20)]
while going:
    name = names[seen["done"] % 20] if kind == "reader" else f"written-{seen['done'] % 500}.css"
    begun = time.monotonic()
    try:
        if kind == "reader":
            with open(name, encoding="utf8") as file:
                if file.read() != f"{name}\\n":
                    raise OSError(0, "other content")
        else:
            with open(name, "w", encoding="utf8") as file:
                file.write(f"{seen['done']}\\n" * 2000)
    except OSError as error:
        seen["errors"].append(f"{name}: {error}")
    seen["done"] += 1
    seen["worst"] = max(seen["worst"], time.monotonic() - begun)
    time.sleep(0.01)
with open(f"/root/{kind}.json", "w", encoding="utf8") as file:
    json.dump(seen, file)
`;

/** What a user of a shared volume saw. */
export interface Seen {
  readonly done: number;
  readonly errors: readonly string[];
  /** Seconds of the longest read or write. */
  readonly worst: number;
}

/** A program that reads or writes in a shared volume on one host, all the time. */
export class VolumeUser {
  readonly #estate: Estate;
  readonly #host: string;
  readonly #kind: "reader" | "writer";

  private constructor(estate: Estate, host: string, kind: "reader" | "writer") {
    this.#estate = estate;
    this.#host = host;
    this.#kind = kind;
  }

  static async start(
    estate: Estate,
    host: string,
    kind: "reader" | "writer",
    mount: string,
  ): Promise<VolumeUser> {
    await estate.on(host, `cat >/root/volume-user.py <<'END'\n${program}END`);
    await estate.on(
      host,
      `systemd-run --quiet --collect --unit=volume-${kind} python3 /root/volume-user.py ${mount} ${kind}`,
    );
    return new VolumeUser(estate, host, kind);
  }

  async stop(): Promise<Seen> {
    const report = await this.#estate.on(
      this.#host,
      `systemctl stop volume-${this.#kind} && cat /root/${this.#kind}.json`,
    );
    return JSON.parse(report) as Seen;
  }
}
