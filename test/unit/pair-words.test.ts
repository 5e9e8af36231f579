import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../../config/places.ts";

const folder = join(root, "scripts", "pair");

it("every key that a script asks of the other machine is one whose values are checked", () => {
  const allowed = execFileSync(
    "python3",
    ["-c", `import sys; sys.path.insert(0, "${folder}"); import peer_words; print(*peer_words.ALLOWED)`],
    { encoding: "utf8" },
  );
  const known = new Set(allowed.trim().split(" "));
  const asked = globSync("*.sh", { cwd: folder }).flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    const lines = [
      ...text.matchAll(/ask_peer\.py" "\$PAIR" ([a-z_. ]+)/g),
      ...text.matchAll(/^readonly asked=\(([a-z_. ]+)\)/gm),
    ];
    return lines.flatMap(([, keys = ""]) => keys.trim().split(" "));
  });
  expect(asked.length).toBeGreaterThan(8);
  expect(asked.filter((key) => !known.has(key) && key !== "lift")).toEqual([]);
});
