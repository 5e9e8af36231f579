import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { layJars } from "../../tools/workshop/lab/lib/jars.ts";

const body = "what a jar would be";
const sha256 = createHash("sha256").update(body).digest("hex");

describe("the files of the image that come from a Maven repository", () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-jars-"));
  const asked: string[] = [];
  const repository = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end(body);
  });
  const manifest = (...rows: string[]): string => {
    const file = join(folder, "manifest");
    writeFileSync(file, `${rows.join("\n")}\n`);
    return file;
  };

  beforeAll(async () => {
    await new Promise<void>((resolve) => repository.listen(0, "127.0.0.1", resolve));
    const { port } = repository.address() as AddressInfo;
    vi.stubEnv("CHANGEOVER_MAVEN", `http://127.0.0.1:${String(port)}/mirror`);
    vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  });

  afterAll(() => {
    repository.close();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it("are downloaded once from the mirror that is named, and laid where the manifest says", async () => {
    const rows = manifest(`lib/one.jar org.example:one:1.2 ${sha256}`);
    await layJars(rows, join(folder, "root"));
    await layJars(rows, join(folder, "again"));
    expect(asked).toEqual(["/mirror/org/example/one/1.2/one-1.2.jar"]);
    expect(readFileSync(join(folder, "again", "lib", "one.jar"), "utf8")).toBe(body);
  });

  it("are refused when they are not what was pinned", async () => {
    const other = "0".repeat(64);
    await expect(layJars(manifest(`two.jar org.example:two:1 ${other}`), folder)).rejects.toThrow(
      `org.example:two:1 has sha256 ${sha256}, expected is ${other}: it is not used`,
    );
  });
});
