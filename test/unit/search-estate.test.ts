import { describe, expect, it } from "vitest";
import { openingsOf, parseConfig } from "../../config.ts";
import { searchSample } from "../../components/search-cluster/sample.ts";
import type { AwsConfig } from "../../platforms/aws/config.ts";
import { awsPlatform } from "../../platforms/aws/index.ts";
import { declaredFor } from "../support/declared.ts";
import { declaredBy } from "../support/mocks.ts";
import { committedStack } from "../support/stack-file.ts";

const nodes = {
  es1: { roles: ["data", "manager"] },
  es2: { roles: ["data", "manager"] },
  es3: { zone: "spot" },
  frontend: { roles: ["manager"] },
};
const entry = { ...searchSample.entry, singleManager: undefined, nodes, coordinator: "frontend" };
const file = (change: object = {}, more: object = {}) => ({
  platform: "local",
  hosts: Object.fromEntries([...Object.keys(nodes), "es4"].map((host) => [host, {}])),
  searchClusters: { catalogue: JSON.parse(JSON.stringify({ ...entry, ...change })) as object },
  ...more,
});

const idsIn = async (change: object = {}, more: object = {}): Promise<Record<string, unknown>> => {
  const declared = await declaredFor(file(change, more));
  return Object.fromEntries(
    declared
      .filter(({ name, type }) => type === "random:index/randomId:RandomId" && name.startsWith("catalogue-"))
      .map(({ name, inputs }) => [name, inputs.keepers]),
  );
};

/** Names of goals that are others, or new. */
const changed = (before: Record<string, unknown>, after: Record<string, unknown>): string[] =>
  Object.keys(after)
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .sort();

describe("a change of a search cluster", () => {
  it.each([
    ["a reason", { bounce: "new kernel" }, ["catalogue-roll-id"]],
    ["a limit", { seconds: { cover: 60 } }, ["catalogue-host-id"]],
    ["a heap", { heapMiB: 2048 }, ["catalogue-host-id", "catalogue-roll-id"]],
    [
      "a setting",
      { settings: { "indices.memory.index_buffer_size": "20%" } },
      ["catalogue-host-id", "catalogue-roll-id"],
    ],
    [
      "a node more, which restarts no other one",
      { nodes: { ...nodes, es4: { zone: "spot" } } },
      ["catalogue-es4-member-id", "catalogue-host-id"],
    ],
    [
      "another zone of a node",
      { nodes: { ...nodes, es3: { zone: "safe" } } },
      ["catalogue-es3-member-id", "catalogue-host-id"],
    ],
    [
      "a node that is drained",
      { nodes: { ...nodes, es3: { zone: "spot", is: "drained" } } },
      ["catalogue-es3-member-id", "catalogue-es3-progress-id", "catalogue-host-id"],
    ],
    [
      "a node that leaves",
      { nodes: { ...nodes, es3: { zone: "spot", is: "out" } } },
      ["catalogue-es3-member-id", "catalogue-host-id"],
    ],
  ])("is a goal of its own: %s", async (_, change, ids) => {
    expect(changed(await idsIn(), await idsIn(change))).toEqual(ids);
  });

  it("runs on the coordinator where a lost node is given up", async () => {
    const declared = await declaredFor(
      file({ nodes: { ...nodes, es3: { zone: "spot", is: "out" } } }, { unreachable: ["es3"] }),
    );
    const steps = declared
      .map(({ name, type }) => (type === "command:remote:Command" ? name : ""))
      .filter((name) => name.startsWith("catalogue-es3-"));
    expect(steps.sort()).toEqual([
      "catalogue-es3-member-claim-frontend",
      "catalogue-es3-member-done-frontend",
      "catalogue-es3-member-end",
    ]);
  });
});

it("nodes of a search cluster reach each other on aws, and clients its port for requests alone", async () => {
  const config = parseConfig(
    {
      ...committedStack("Pulumi.prod.yaml"),
      ssh: { privateKeyPath: import.meta.filename },
      searchClusters: {
        catalogue: {
          ...searchSample.entry,
          nodes: { slayer: { roles: ["data", "manager"] }, megadeth: { roles: ["data"] } },
          clients: ["10.20.7.0/24"],
        },
      },
    },
    "Pulumi.prod.yaml",
  );
  const { declared } = await declaredBy(
    () => awsPlatform({ ...(config as unknown as AwsConfig), openings: openingsOf(config) }),
    (type) =>
      type === "random:index/randomBytes:RandomBytes"
        ? { base64: Buffer.alloc(32, 7).toString("base64") }
        : {},
  );
  const group = declared.find(
    ({ name, type }) => name === "search-cluster-catalogue" && type.startsWith("aws:"),
  );
  const open = (group?.inputs.ingress as Record<string, unknown>[]).map(({ fromPort, self, cidrBlocks }) => ({
    fromPort,
    self,
    cidrBlocks,
  }));
  expect(open).toEqual([
    { fromPort: 9200, self: true, cidrBlocks: ["10.20.7.0/24"] },
    { fromPort: 9300, self: true, cidrBlocks: undefined },
  ]);
});
