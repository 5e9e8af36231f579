import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SshTarget } from "../../platforms/platform.ts";
import { lookOf, quoted } from "../../transition/start.ts";
import { askedBy, readOrder } from "../../tools/runbook/asked.ts";

const target: SshTarget = {
  host: "192.0.2.1",
  port: 22,
  user: "root",
  hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBtXRbgnNPmDKSxN2X5bQ4z2WZeAIajIRNmytGVXSCQK admin@slayer",
  privateKeyPath: "~/.ssh/id_ed25519",
};
const release = "0123456789ab";
const words = ["sounz", "it's a word", "$(reboot)", "a;b"];
const command = lookOf(target, release, "pair/probe", words);

const order = (change: { in?: string; target?: object; command?: string } = {}): string =>
  JSON.stringify({
    in: change.in ?? "/home/ci/build/components/pair/decide.ts",
    kind: "pair",
    wanted: { component: "sounz" },
    looks: [{ host: "slayer", target: { ...target, ...change.target }, command: change.command ?? command }],
  });

const askedFrom = (text: string) => readOrder(text).looks.map(askedBy)[0];

describe("a look of a preview", () => {
  it("is decided by the file of this checkout, and asked by the probe of its command", () => {
    const read = readOrder(order());
    expect(read.in).toBe(join(import.meta.dirname, "..", "..", "components", "pair", "decide.ts"));
    expect(existsSync(read.in)).toBe(true);
    const asked = askedFrom(order());
    expect(asked).toMatchObject({ host: "slayer", program: "pair/probe.py", command });
    expect(asked?.words).toBe(words.map((word) => ` ${quoted(word)}`).join(""));
  });

  it("is asked with sudo, from a home or another folder, as the program puts it", () => {
    for (const more of [{ user: "admin" }, { user: "admin", sudo: false }, { scriptsRoot: "/srv/scripts" }]) {
      const other = { ...target, ...more };
      const asked = askedFrom(
        order({ target: other, command: lookOf(other, release, "haproxy/probe", ["a"]) }),
      );
      expect(asked?.program).toBe("haproxy/probe.py");
    }
  });

  it.each([
    ["another program", "reboot"],
    ["a second command", `${command}; reboot`],
    ["a command in a word", command.replace("sounz", "$(reboot)")],
    ["a redirection", `${command} > /etc/passwd`],
    ["a line more", `${command}\nreboot`],
    ["a probe that this checkout lacks", command.replace("pair/probe", "pair/evil")],
    ["a way out of the scripts", command.replace("pair/probe", "pair/../../probe")],
    ["another folder", command.replace("/opt/changeover", "/tmp/mine")],
    ["another user", `sudo -n ${command}`],
  ])("is refused before anything is dialled when it asks for %s", (_, asks) => {
    expect(() => askedFrom(order({ command: asks }))).toThrow("something else than a probe of this checkout");
  });

  it.each([
    ["an option as user", { user: "-oProxyCommand=reboot" }],
    ["an option as host", { host: "-oProxyCommand=reboot" }],
    ["a command in its key", { hostKey: "ssh-ed25519 AAAA;reboot" }],
    ["a quote in a path", { privateKeyPath: 'a" -oProxyCommand="reboot' }],
    ["a bastion of that kind", { proxy: { ...target, user: "-oProxyCommand=reboot" } }],
    ["a field that the program has not", { agent: "x" }],
  ])("is refused when its target has %s", (_, change) => {
    expect(() => readOrder(order({ target: change }))).toThrow("names its hosts in another way");
  });

  it.each(["/tmp/decide.ts", "/tmp/components/../decide.ts", "/x/components/nothing/decide.ts"])(
    "is refused when %s would decide it",
    (file) => {
      expect(() => readOrder(order({ in: file }))).toThrow("which this checkout does not have");
    },
  );
});
