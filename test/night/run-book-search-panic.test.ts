import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isSettled, runsAsTold } from "../engine/told.ts";
import { ToldStack } from "../support/told-stack.ts";

const archive = { archive: "https://archives.example/opensearch-2.19.5.tar.gz", sha256: "0".repeat(64) };
const catalogue = {
  ...{ engine: "opensearch", version: "2.19.5", versions: { "2.19.5": archive } },
  ...{ nodes: { es1: { roles: ["data", "manager"] } }, singleManager: "a small one" },
  writers: { es1: ["import.timer"], worker: ["indexer.service"] },
};

describe("the run-book that the CLI prints for a search cluster in trouble", () => {
  let stack: ToldStack;
  const wants = (change: object) => {
    stack.set({ searchClusters: { catalogue: { ...catalogue, ...change } } });
  };

  beforeAll(async () => {
    stack = await ToldStack.start({
      ...{ platform: "local", hosts: { es1: {}, worker: {} } },
      searchClusters: { catalogue },
    });
    expect((await stack.up()).code).toBe(0);
    stack.ran();
    await isSettled(stack);
    stack.save("settled");
  });
  afterAll(() => {
    stack.stop();
  });

  it("is that of the golden file for a pause and its end, and each preview says since when [002-078] [002-083]", async () => {
    wants({ paused: "imports are stuck" });
    const told = await runsAsTold(stack, "pause-search");
    expect(told).toContain("catalogue-writers-pause");
    await isSettled(stack);
    expect((await stack.preview()).output).toMatch(/its writers are paused since \S+: imports are stuck/);
    wants({});
    await runsAsTold(stack, "resume-search");
  });

  it("is that of the golden file for a rescue: pause, hold, start, let go, resume [002-081] [002-082]", async () => {
    stack.restore("settled");
    wants({ rescue: "red" });
    await runsAsTold(stack, "rescue-search");
    await isSettled(stack);
  });

  it("is that of the golden file for a delete, with its point of no return [002-084]", async () => {
    stack.restore("settled");
    const pages = { index: "pages-*", field: "at", olderThanDays: 90, limit: 100, now: "disk" };
    wants({ retention: { pages } });
    const told = await runsAsTold(stack, "delete-search");
    expect(told).toContain("point of no return: delete");
  });
});
