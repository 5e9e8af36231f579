import type { Gone } from "../system.ts";
import type { SharedVolume } from "./config.ts";
import type { VolumeExpected } from "./verify.ts";

/**
 * Mounts and bricks that the file no longer has. A mount without its line would stay on the host, with its check. While
 * a volume stays in the file, its own transition removes a brick once the other bricks have all data. When the whole
 * volume is dropped, its bricks have the only data, so their hosts must be in `absent`.
 */
export function goneFromVolume(name: string, before: VolumeExpected, now: SharedVolume | undefined): Gone[] {
  const mounts = Object.entries(before.mounts)
    .filter(([host, path]) => path !== "none" && !Object.hasOwn(now?.mounts ?? {}, host))
    .map(([host, path]): Gone => ({
      host,
      by: {
        path: ["sharedVolumes", name, "mounts", host],
        text: `missing, but ${host} still mounts the volume at ${path}; set it to none and update, then delete the line`,
      },
    }));
  const bricks = now ? [] : before.bricks.map(({ host }): Gone => ({ host, by: "absent", mustBeSeen: true }));
  return [...mounts, ...bricks];
}

/** The release before this one did not export which hosts a volume has. */
export const earlierVolumes = (): Readonly<Record<string, VolumeExpected>> => ({});
