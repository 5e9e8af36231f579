import type { Gone } from "../system.ts";
import type { SharedVolume } from "./config.ts";
import type { VolumeExpected } from "./verify.ts";

/**
 * A mount that is dropped would stay where it is, with its check. A brick that leaves a volume which goes on is taken out
 * by the volume itself, when the others have everything; the last bricks are not: their data would be out of sight.
 */
export function goneFromVolume(name: string, before: VolumeExpected, now: SharedVolume | undefined): Gone[] {
  const mounts = Object.entries(before.mounts)
    .filter(([host, path]) => path !== "none" && !Object.hasOwn(now?.mounts ?? {}, host))
    .map(([host, path]): Gone => ({
      host,
      by: {
        path: ["sharedVolumes", name, "mounts", host],
        text: `missing, but ${host} mounts the volume at ${path}; allowed: to leave by way of none; put it back as none, and take it out after the next update`,
      },
    }));
  const bricks = now ? [] : before.bricks.map(({ host }): Gone => ({ host, by: "absent", mustBeSeen: true }));
  return [...mounts, ...bricks];
}

/** The release before this one said nothing of its volumes that tells who leaves. */
export const earlierVolumes = (): Readonly<Record<string, VolumeExpected>> => ({});
