import { z } from "zod";
import type { System } from "../components/system.ts";
import type { PlatformFace } from "../platforms/platforms.ts";
import { platformNames, type PlatformName } from "../platforms/names.ts";
import { hostName, hosts } from "./common-fields.ts";
import { field, listOf, mapOf, text } from "./fields.ts";

const common = {
  unreachable: listOf(
    hostName("A host that nothing dials."),
    "Hosts that are dead or cut off. Nothing dials them; a step that must not be skipped on one is refused.",
  ).default([]),
  suspect: listOf(
    hostName("A host that is sick and may still answer."),
    "Hosts that are sick: no step runs on them. If one is production of a pair, the other machine serves, and first copies what the sick one still gives (`finalSync`).",
  ).default([]),
  absent: listOf(
    hostName("A host that is out of service."),
    "Hosts that leave service on purpose: their services and checks are stopped and removed; their data stays. A host leaves the file or an entry only after an update with it here.",
  ).default([]),
  adopt: text(
    /^[0-9a-f]{16}$/,
    "the id of another stack, 16 hexadecimal digits",
    "Takes hosts over from the stack with this id. Left out: hosts of other stacks are refused.",
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
