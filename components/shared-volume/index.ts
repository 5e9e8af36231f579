import { entryNames } from "../../config/common-fields.ts";
import { system } from "../system.ts";
import { type SharedVolume, volumeEntry } from "./config.ts";
import { volumeExamples } from "./examples.ts";
import { earlierVolumes, goneFromVolume } from "./leaving.ts";
import { componentsOfVolume, hostsOfVolume, portsOfVolume, volumeRules, foldersOfVolume } from "./rules.ts";
import { volumeSample } from "./sample.ts";
import { describeVolume, looksOfVolume, volumeDifferences, type VolumeExpected } from "./verify.ts";

/** A folder that several hosts share: GlusterFS on three servers, or two and an arbiter. */
export const sharedVolume = system<"sharedVolumes", SharedVolume, VolumeExpected>({
  key: "sharedVolumes",
  noun: "shared volume",
  members: "Hosts",
  purpose: "Folders that several hosts share, kept on several servers.",
  names: entryNames,
  platforms: ["local", "inventory"],
  entry: () => volumeEntry,
  hostsIn: (_, fields) => hostsOfVolume(fields),
  componentsOf: componentsOfVolume,
  folders: (_, fields) => foldersOfVolume(fields),
  opens: (_, fields) => portsOfVolume(fields),
  rules: volumeRules,
  gone: goneFromVolume,
  earlier: earlierVolumes,
  looks: looksOfVolume,
  differences: volumeDifferences,
  describe: (_, __, seen) => describeVolume(seen),
  examples: volumeExamples,
  sample: volumeSample,
  exceptions: {
    "host dropped":
      "a host with a brick and no mount leaves by the volume itself, when the others have everything; a mount is refused",
  },
  component: async () => (await import("./component.ts")).component,
});
