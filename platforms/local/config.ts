import { z } from "zod";
import { hosts } from "../../config/common-fields.ts";
import { listOf, text } from "../../config/fields.ts";

const localHost = z
  .strictObject({
    packages: listOf(
      text(/^[a-z0-9][a-z0-9+.-]+$/, "the name of a Debian package", "A package, without a version."),
      "Debian packages of the machine beyond the usual ones. They are installed when the machine is made; a changed list applies to machines made later.",
    ).optional(),
  })
  .meta({ description: "A machine of its own on this Linux machine." });

/** What a stack file says of this platform. */
export const localFields = { hosts: hosts(localHost) };

/** The same, checked. */
export type LocalConfig = z.output<z.ZodObject<typeof localFields>>;
