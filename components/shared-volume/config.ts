import { z } from "zod";
import { hostName } from "../../config/common-fields.ts";
import { field, listOf, type Names, text, wholeNumber } from "../../config/fields.ts";

/** They become names of volumes, files and units. */
export const volumeNames: Names = {
  pattern: /^[a-z][a-z0-9_]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and underscores, beginning with a letter",
};

const path = (purpose: string) =>
  text(
    /^(\/(?!\.{1,2}(\/|$))[\w.@+-]+)+$/,
    "an absolute path of letters, digits and . _ @ + -, without . and .. as a folder",
    purpose,
  );

const byHost = (value: z.ZodType<string>, purpose: string) =>
  field(z.record(z.string(), value), "a map from hosts to paths", purpose);

/** One folder that several hosts share. */
export const volumeEntry = z.strictObject({
  servers: listOf(
    hostName("A host that has a whole copy."),
    "Hosts that have a whole copy, each a brick: three, or two and an arbiter. The first one tells the others; a new one comes after it.",
  ),
  arbiter: hostName(
    "A third host that has names and versions but no content, so that two copies never disagree.",
  ).optional(),
  singleBrick: text(
    /^\S.*$/,
    "a reason, in words",
    "Why this volume has one copy on one server, and is gone with it. Nothing else allows that.",
  ).optional(),
  brick: path(
    "The folder of the brick on each of its hosts, which is made: on a file system other than the root's.",
  ),
  bricks: byHost(path("A folder."), "The folder of a brick on one host, where it is another.").default({}),
  mounts: byHost(
    text(
      /^(none|(\/(?!\.{1,2}(\/|$))[\w.@+-]+)+)$/,
      "an absolute path, or none",
      "Where it is mounted; none: no more.",
    ),
    "Where each host mounts the volume; with none it is unmounted. A host is left out only after that.",
  ).default({}),
  owner: text(
    /^[a-z_][a-z0-9_-]{0,31}$/,
    "a user name",
    "Who owns all that is in the volume: a user with the same number on every host that mounts it.",
  ),
  replaces: path(
    "A folder on the hosts of `mounts` that becomes a link to the volume. It is kept; left out again, it is put back.",
  ).optional(),
  copyFrom: hostName("The host whose `replaces` is copied to the volume first.").optional(),
  kept: path("Where the folder of `replaces` is kept. Left out: `<replaces>.before-<volume>`.").optional(),
  pingSeconds: wholeNumber(
    1,
    60,
    "A server that is silent for so long is given up; users wait for up to twice that when its power fails.",
  ).default(5),
  checkSeconds: wholeNumber(10, 3600, "How often each host checks its mount.").default(60),
});

/** The same, checked. */
export type SharedVolume = Readonly<z.output<typeof volumeEntry>>;
