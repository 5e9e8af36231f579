import { z } from "zod";
import { folder, folderAllowed, hostName, isOwnFolder, owner } from "../../config/common-fields.ts";
import { field, listOf, text, wholeNumber } from "../../config/fields.ts";

const byHost = (value: z.ZodType<string>, purpose: string) =>
  field(z.record(z.string(), value), "a map from hosts to paths", purpose);

/** One folder that several hosts share. */
export const volumeEntry = z.strictObject({
  servers: listOf(
    hostName("A host with a whole copy of the data."),
    "Hosts with a whole copy of the data, one brick each: three, or two and an arbiter. The first one runs the gluster commands. Add new servers after it.",
  ),
  arbiter: hostName(
    "A third host that stores names and versions, but no content. Its vote decides when two copies differ.",
  ).optional(),
  singleBrick: text(
    /^\S.*$/,
    "a reason, in words",
    "Why this volume has only one copy, on one server. Its data is lost with that server. Required for a single server.",
  ).optional(),
  brick: folder(
    "The folder of the brick on each of its hosts. It is created, and must not be on the root file system.",
  ),
  bricks: byHost(folder("A folder."), "Folders of bricks that differ from `brick`, by host.").default({}),
  mounts: byHost(
    field(
      z.string().refine((path) => path === "none" || isOwnFolder(path)),
      `none, or ${folderAllowed}`,
      "Path of the mount. `none`: the volume is unmounted.",
    ),
    "Where each host mounts the volume. Set `none` and update before deleting the line.",
  ).default({}),
  owner: owner(
    "The user that owns everything in the volume. It has the same numeric ids on every host that mounts the volume.",
    ["root"],
  ),
  replaces: folder(
    "A folder on the hosts of `mounts` that becomes a link to the volume. The folder is kept, and is put back when `replaces` is removed.",
  ).optional(),
  copyFrom: hostName("The host whose `replaces` folder is copied to the volume first.").optional(),
  kept: folder("Where the folder of `replaces` is kept. Left out: `<replaces>.before-<volume>`.").optional(),
  pingSeconds: wholeNumber(
    1,
    60,
    "Give up a server that is silent for this long (seconds). When its power fails, users wait up to twice as long.",
  ).default(5),
  checkSeconds: wholeNumber(10, 3600, "How often each host checks its mount (seconds).").default(60),
});

/** An entry of the stack file after its checks. */
export type SharedVolume = Readonly<z.output<typeof volumeEntry>>;
