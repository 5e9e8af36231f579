import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ToldStack } from "../support/told-stack.ts";
import { isSettled, runsAsTold } from "../engine/told.ts";

const archive = (version: string) => ({
  archive: `https://archives.example/opensearch-${version}.tar.gz`,
  sha256: "0".repeat(64),
});
const nodes = {
  es1: { roles: ["data", "manager"] },
  es2: { roles: ["data", "manager"] },
  es3: { zone: "spot" },
  frontend: { roles: ["manager"] },
};
const catalogue = {
  engine: "opensearch",
  version: "2.18.0",
  versions: { "2.18.0": archive("2.18.0"), "2.19.5": archive("2.19.5") },
  nodes,
  coordinator: "frontend",
};

describe("the run-book that the CLI prints for a search cluster", () => {
  let stack: ToldStack;
  const wants = (change: object) => {
    stack.set({ searchClusters: { catalogue: { ...catalogue, ...change } } });
  };

  beforeAll(async () => {
    stack = await ToldStack.start({
      platform: "local",
      hosts: { es1: {}, es2: {}, es3: {}, frontend: {} },
      searchClusters: { catalogue },
    });
  });
  afterAll(() => {
    stack.stop();
  });

  it("is that of the golden file for a first update", async () => {
    await runsAsTold(stack, "create-search");
    await isSettled(stack);
    stack.save("settled");
  });

  it("is that of the golden file for a bounce: the spot zone first and last, managers after the others [003-064] [003-072] [003-074]", async () => {
    wants({ bounce: "new kernel" });
    const told = await runsAsTold(stack, "bounce-search");
    expect(told).toContain("catalogue-roll: ");
    await isSettled(stack);
  });

  it("is that of the golden file for another version, with its point of no return", async () => {
    stack.restore("settled");
    wants({ version: "2.19.5" });
    const told = await runsAsTold(stack, "version-search");
    expect(told).toContain("point of no return: bounce");
  });

  it("is that of the golden file for snapshots: the roll that brings the folder, then the first one; and before another version", async () => {
    stack.restore("settled");
    const snapshots = { location: "/srv/catalogue-snapshots" };
    wants({ snapshots });
    await runsAsTold(stack, "snapshots-search");
    wants({ snapshots, version: "2.19.5" });
    const told = await runsAsTold(stack, "version-snapshots-search");
    expect(told).toMatch(/snapshot .*rehearse .*clear-spot .*bounce/s);
  });

  it("is that of the golden file for another version of an index, and the way back [002-106]", async () => {
    stack.restore("settled");
    const body = (version: string) => ({ body: `test/support/bodies/pages-${version}.json` });
    const pages = (version: string) => {
      wants({ indexes: { pages: { version, versions: { 1: body("1"), 2: body("2") } } } });
    };
    pages("1");
    await runsAsTold(stack, "index-search");
    pages("2");
    const told = await runsAsTold(stack, "reindex-search");
    expect(told).toMatch(/copy .*swap .*clean/s);
    pages("1");
    await runsAsTold(stack, "reindex-back-search");
  });

  it("is that of the golden file for a drain, and each later update looks at it [003-091] [003-106]", async () => {
    stack.restore("settled");
    wants({ nodes: { ...nodes, es3: { zone: "spot", is: "drained" } } });
    await runsAsTold(stack, "drain-search");
    const again = await runsAsTold(stack, "drain-again-search");
    expect(again).toContain("catalogue-es3-progress: ");
  });

  it("is that of the golden file for a node that leaves [003-090] [003-094]", async () => {
    stack.restore("settled");
    wants({ nodes: { ...nodes, es3: { zone: "spot", is: "out" } } });
    await runsAsTold(stack, "leave-search");
  });
});
