import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";
import { entryNames } from "../../config/common-fields.ts";

const scripts = join(root, "scripts");

describe("an application that lets in its own name only", () => {
  let server: Server;
  afterEach(() => server.close());
  const asked = async (...host: string[]): Promise<number> => {
    server = createServer(({ headers }, answer) => {
      answer.statusCode = headers.host === "www.shop.example" ? 200 : 403;
      answer.end(`Blocked host: ${headers.host ?? ""}`);
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/ready?deep=1`;
    const words = [join(scripts, "app/ready.py"), url, "200", "4685", "1", "none.service", ...host];
    const ran = promisify(execFile)("python3", words);
    return ran.then(
      () => 0,
      (error: unknown) => (error as { code: number }).code,
    );
  };

  it("is asked by the site's name, as HAProxy's check asks it", async () => {
    expect(await asked("www.shop.example")).toBe(0);
  });

  it("is not ready for another name", async () => {
    expect(await asked("")).toBe(1);
  });
});

it("hosts take the names of entries that the config takes, and no others", () => {
  const characters = fc.constantFrom(..."abz09_-A .\n/é");
  const names = [
    ...fc.sample(fc.string({ unit: characters, maxLength: 5 }), 300),
    ..."shop_eu shop-eu a A _a 9a a.b".split(" "),
    ...[30, 31, 32].map((length) => "a".repeat(length)),
  ].filter((name) => !name.includes("\0"));
  const text = `. ${scripts}/lib.sh; . ${scripts}/lib-names.sh
while IFS= read -rd '' name; do (require_entry "$name" 2>/dev/null) && echo yes || echo no; done`;
  const { stdout } = spawnSync("bash", ["-c", text], {
    input: names.map((name) => `${name}\0`).join(""),
    encoding: "utf8",
  });
  const wanted = names.map((name) => (entryNames.pattern.test(name) ? "yes" : "no"));
  expect(stdout.trim().split("\n")).toEqual(wanted);
});

it("a dump of HAProxy's states has the ports of the file before a reload reads it", () => {
  const names =
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port";
  const row = (name: string, port: number) =>
    `3 shop 1 ${name} 10.0.0.1 2 0 1 1 5 6 3 4 6 0 0 0 - ${String(port)} - 0 0 - - 0`;
  const dump = `1\n# ${names}\n${row("prodapp01", 8080)}\n${row("prodapp02", 8080)}\n`;
  const text = `import sys; sys.path.insert(0, "${scripts}/haproxy"); sys.dont_write_bytecode = True
import runtime; print(runtime.with_ports(sys.stdin.read(), {"prodapp01": "8081"}), end="")`;
  const { stdout } = spawnSync("python3", ["-c", text], { input: dump, encoding: "utf8" });
  expect(stdout).toBe(`1\n# ${names}\n${row("prodapp01", 8081)}\n${row("prodapp02", 8080)}\n`);
});

it.runIf(process.getuid?.() === 0)(
  "a balancer's record that can't be written keeps its old text, and leaves no draft behind",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "balancer-"));
    try {
      expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).status).toBe(0);
      writeFileSync(join(folder, "record"), "admin=ready\n");
      spawnSync("dd", ["if=/dev/zero", `of=${join(folder, "filler")}`, "bs=4k"]);
      const text = `import sys; sys.path.insert(0, "${scripts}/haproxy"); sys.dont_write_bytecode = True
import exit_codes, pool
sys.argv = ["record"]
exit_codes.run(lambda: pool.write("${folder}/record", "admin=maint\\n"), "", 0)`;
      const { status, stderr } = spawnSync("python3", ["-c", text], { encoding: "utf8" });
      expect([status, stderr]).toEqual([75, expect.stringContaining("No space left on device")]);
      expect(readFileSync(join(folder, "record"), "utf8")).toBe("admin=ready\n");
      expect(readdirSync(folder).sort()).toEqual(["filler", "record"]);
    } finally {
      spawnSync("umount", [folder]);
      rmSync(folder, { recursive: true });
    }
  },
);
