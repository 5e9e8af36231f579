import type * as pulumi from "@pulumi/pulumi";
import type { Story } from "../../../transition/args.ts";
import { keepersOf } from "../../../transition/table.ts";
import type { Transition } from "../../../transition/transition.ts";
import type { Cluster } from "../cluster.ts";
import { snapshotTable } from "./table.ts";

const story: Story = {
  goal: ["location", "now"],
  wayBack: "none is needed: a snapshot more, and no index is changed",
};

/**
 * One snapshot, when the folder or the reason is another one.
 *
 * @param after the roll: it brings the folder to the nodes' files, without which no repository can be registered.
 */
export function snapshot(cluster: Cluster, after: readonly pulumi.Resource[]): Transition | undefined {
  const { name, config } = cluster;
  const { snapshots } = config;
  const asker = cluster.asker();
  if (!snapshots || asker === undefined) return undefined;
  return cluster.transition({
    component: name,
    transition: "snapshot",
    kind: "snapshot",
    hosts: [asker],
    sets: { asker: [asker] },
    story,
    keepers: keepersOf<string>({ location: snapshots.location, now: snapshots.now }),
    table: snapshotTable(name, snapshots),
    after,
  });
}
