import { Writer } from "../../tools/workshop/writer.ts";
import { Estate } from "./estate.ts";
import { ok } from "./runs.ts";

export const hosts = ["slayer", "megadeth"] as const;

/** A service as small as one can be: serves the pair's files, and says who it is. */
const unit = `[Service]
ExecStart=/usr/bin/python3 -m http.server -d /data/sounz 8080
StandardError=append:/var/log/sounz-web.log
`;

/** A pair that carries directories and services, with a client that writes into its database. */
export class CarriedSite {
  readonly estate: Estate;
  readonly writer: Writer;

  private constructor(estate: Estate, writer: Writer) {
    this.estate = estate;
    this.writer = writer;
  }

  static async start(): Promise<CarriedSite> {
    const estate = await Estate.start();
    estate.fences = true;
    estate.set({
      directories: { data: "/data/sounz", home: "/usr/share/sounz" },
      services: {
        web: { unit: "sounz-web", ports: [8080], logs: ["/var/log/sounz-web.log"] },
        always: { unit: "sounz-always", on: "both" },
      },
      checks: {
        files: { port: 8080, path: "/front.html", contains: "SOUNZ", logs: ["/var/log/sounz-web.log"] },
      },
      copyAt: "*-*-* 03:30",
    });
    for (const host of hosts) {
      await estate.on(host, `cat >/etc/systemd/system/sounz-web.service <<'END'\n${unit}END`);
      await estate.on(
        host,
        "printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/sounz-always.service; systemctl daemon-reload",
      );
    }
    await estate.on("slayer", "mkdir -p /data/sounz && echo SOUNZ >/data/sounz/front.html");
    ok(await estate.up());
    const writer = new Writer(await estate.database());
    await writer.start();
    return new CarriedSite(estate, writer);
  }

  async stop(): Promise<void> {
    await this.writer.stop();
    await this.estate.stop();
  }

  /** Both machines there again, production on the primary. */
  readonly home = async () => {
    this.estate.config = {};
    this.estate.set({ production: "megadeth", finalSync: "attempt" });
    ok(await this.estate.up());
    this.estate.flip("slayer");
    ok(await this.estate.up());
  };

  /** Whether the unit runs, machine by machine. */
  readonly active = async (name: string) =>
    Promise.all(
      hosts.map((host) =>
        this.estate.on(host, `systemctl is-active ${name} || true`).then((text) => text.trim()),
      ),
    );

  readonly sync = (host: string) =>
    this.estate.on(
      host,
      "bash /usr/local/lib/changeover/sounz/pair/sync.sh sounz 2>&1 || echo ended with $?",
    );

  readonly put = (host: string, file: string, text: string) =>
    this.estate.on(host, `printf '%s' '${text}' >/data/sounz/${file}`);

  readonly files = (host: string) =>
    this.estate.on(
      host,
      "cd /data/sounz && find . -type f ! -name front.html -exec sh -c 'echo $1=$(cat $1)' - {} ';' | sort",
    );
}
