import type { Example } from "../system.ts";
import { bricksTable, mountTable, unmountTable, volumeHostTable } from "./table.ts";

/** The transitions of a volume, as the documents show them. */
export const volumeExamples: Readonly<Record<string, Example>> = {
  "volume-provision": { title: "Shared volume: provision (each of its hosts)", table: volumeHostTable },
  "volume-bricks": { title: "Shared volume: bricks (made, added, replaced, removed)", table: bricksTable },
  "volume-client": {
    title: "Shared volume: client (mounts it, and links the folder that it takes the place of)",
    table: mountTable("copies"),
  },
  "volume-client-none": { title: "Shared volume: client (mounts it no more)", table: unmountTable },
};
