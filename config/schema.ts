import { z } from "zod";
import type { System } from "../components/system.ts";
import type { PlatformFace } from "../platforms/platforms.ts";
import { platformNames, type PlatformName } from "../platforms/names.ts";
import { hostName, hosts } from "./common-fields.ts";
import { field, listOf, mapOf, text } from "./fields.ts";

const common = {
  unreachable: listOf(
    hostName("A host that nothing dials."),
    "Hosts that are dead or cut off: nothing dials them, and what must not be skipped on them is refused.",
  ).default([]),
  suspect: listOf(
    hostName("A host that is sick and may still answer."),
    "Hosts that are sick: no step runs on them. A pair whose production is one is served by its other machine, which first gets from it what it still gives (`finalSync`).",
  ).default([]),
  absent: listOf(
    hostName("A host that is out of service."),
    "Hosts that are out of service on purpose: what runs there for pairs is stopped and removed, and what checks a staged upgrade; their data stays. A host leaves the file, a pair or an upgrade only by an update with it here.",
  ).default([]),
  adopt: text(
    /^[0-9a-f]{16}$/,
    "the id of another stack, 16 hexadecimal digits",
    "Take hosts over, on purpose, from the stack with this id, which operated them before. Left out: hosts of other stacks are refused.",
  ).optional(),
};

const allowedPlatforms = "local, inventory or aws";

const platformField = (name: PlatformName) =>
  field(
    z.literal(name),
    allowedPlatforms,
    "Where hosts come from: made on this Linux machine (local), existing machines (inventory), or EC2 instances (aws).",
  );

/** What every stack file may say, whatever its platform and its systems. */
export type CommonConfig = z.output<z.ZodObject<typeof common>>;

/** The maps of entries, a key a system. */
const entriesOf = (systems: readonly System[], platform: PlatformName | undefined) =>
  Object.fromEntries(
    systems.map((system) => [
      system.key,
      mapOf(system.names, system.entry(platform), system.purpose).default({}),
    ]),
  );

/** What a stack file may say on a platform. @param face undefined: the file names no platform that is known. */
export function stackSchema(systems: readonly System[], face: PlatformFace | undefined): z.ZodObject {
  if (face)
    return z.strictObject({
      platform: platformField(face.name),
      ...face.fields,
      ...entriesOf(systems, face.name),
      ...common,
    });
  return z.strictObject({
    platform: field(z.enum(platformNames), allowedPlatforms, "Where hosts come from."),
    hosts: hosts(z.unknown()),
    ssh: z.unknown().optional(),
    network: z.unknown().optional(),
    ...entriesOf(systems, undefined),
    ...common,
  });
}
