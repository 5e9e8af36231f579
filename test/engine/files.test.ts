import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Bench } from "../support/engine.ts";
import { failed, ok } from "../support/runs.ts";

describe("a file that is copied to a host", () => {
  let bench: Bench;
  afterEach(() => bench.stop());

  it("is asked of whoever copies it, and not of whoever previews or changes something else", async () => {
    bench = await Bench.start(["a"], { transitions: {} });
    const [path, to] = [join(bench.project.folder, "4684.tar.gz"), join(bench.rootOf("a"), "copied")];
    const release = (sha256: string) => {
      bench.set({ files: [{ host: "a", path, sha256, to }] });
    };
    release("one");
    const early = await bench.project.pulumi(["preview"]);
    ok(early);
    expect(early.output).toContain("file-a");
    const refused = await bench.project.up();
    failed(refused);
    expect(refused.output).toContain(`${path} is not on this machine, and a does not have it`);

    writeFileSync(path, "first");
    ok(await bench.project.up());
    expect(readFileSync(to, "utf8")).toBe("first");

    rmSync(path);
    const same = await bench.project.up();
    ok(same);
    expect(same.output).not.toMatch(/file-a.*(created|updated|replaced)/);
    release("two");
    const next = await bench.project.pulumi(["preview"]);
    ok(next);
    expect(next.output).toMatch(/file-a +replace/);
    failed(await bench.project.up());
    expect(readFileSync(to, "utf8")).toBe("first");

    writeFileSync(path, "second");
    ok(await bench.project.up());
    expect(readFileSync(to, "utf8")).toBe("second");
    ok(await bench.project.up("--expect-no-changes"));
  });
});
