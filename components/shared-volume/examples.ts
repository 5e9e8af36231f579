import type { Example } from "../system.ts";
import { bricksTable, mountTable, unmountTable, volumeHostTable } from "./table.ts";

/** The transitions of a volume, as the documents show them. */
export const volumeExamples: Readonly<Record<string, Example>> = {
  "volume-provision": { title: "Shared volume: provision (each of its hosts)", table: volumeHostTable },
  "volume-bricks": { title: "Shared volume: bricks (create, add, replace, remove)", table: bricksTable },
  "volume-client": {
    title: "Shared volume: client (mount the volume, link the folder that it replaces)",
    table: mountTable("copies"),
  },
  "volume-client-none": { title: "Shared volume: client (unmount the volume)", table: unmountTable },
};
