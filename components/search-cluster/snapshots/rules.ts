import { at, fieldsOf, word } from "../../../config/draft.ts";
import type { Problem } from "../../../config/problems.ts";
import type { Rule } from "../../system.ts";
import { dataFolder } from "../goal.ts";
import type { SearchCluster } from "../config.ts";
import type { SearchExpected } from "../verify.ts";

const isWithin = (one: string, other: string): boolean => one === other || one.startsWith(`${other}/`);

/** Snapshots are in a folder that nobody else writes to, and that is no data of the node. */
export const snapshotRule: Rule = (name, cluster, draft) => {
  const path = ["searchClusters", name, "snapshots", "location"];
  const location = word(fieldsOf(cluster.snapshots).location);
  if (location === undefined) return [];
  const own = [dataFolder(name, word(cluster.data)), `/var/log/${name}`].find(
    (folder) => isWithin(location, folder) || isWithin(folder, location),
  );
  const other = Object.entries(draft.entries("searchClusters")).find(([one, fields]) => {
    const theirs = word(fieldsOf(fields.snapshots).location);
    return one !== name && theirs !== undefined && (isWithin(theirs, location) || isWithin(location, theirs));
  });
  return [
    ...(own === undefined
      ? []
      : [at(path, `shares a path with ${own} of the nodes, whose loss it is for; name a folder elsewhere`)]),
    ...(other === undefined
      ? []
      : [
          at(
            path,
            `shares a path with the snapshots of ${other[0]}; two clusters that write to one repository destroy it, so name a folder of its own`,
          ),
        ]),
  ];
};

/** Refuses another version in the same update that brings the snapshots which are to come before it. */
export function tooEarly(name: string, before: SearchExpected, now: SearchCluster): Problem[] {
  const { version, snapshots } = now;
  if (!snapshots?.before.includes("version") || version === before.version) return [];
  if (before.snapshots?.location === snapshots.location) return [];
  return [
    {
      path: ["searchClusters", name, "version"],
      text: `${version}, but the snapshot before it can't be taken yet: nodes learn of snapshots.location by a restart; allowed: ${before.version} in this update and ${version} in the next one, or snapshots.before without version`,
    },
  ];
}
