import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { root } from "../../config/places.ts";
import { publicKeyType } from "../../platforms/public-key.ts";
import type { SshTarget } from "../../platforms/platform.ts";
import { scriptCommand } from "../../transition/start.ts";
import type { LookAt } from "../../transition/run/probe.ts";
import type { LookOrder } from "../../transition/run/order.ts";

/** A read-only program of the scripts, as a host is asked. */
export interface Asked {
  readonly host: string;
  readonly target: SshTarget;
  /** Below `scripts`: `pair/probe.py`. */
  readonly program: string;
  /** Its words, quoted for a shell. */
  readonly words: string;
  /** Undefined: the order names none. */
  readonly seconds?: number;
  /** The command of the preview: the program where the update puts it. */
  readonly command: string;
}

/** A preview may come from elsewhere, and what it has becomes arguments of ssh. */
const target: z.ZodType<SshTarget> = z.lazy(() =>
  z.strictObject({
    host: z.string().regex(/^[A-Za-z0-9][\w.:-]*$/),
    port: z.int().min(1).max(65_535),
    user: z.string().regex(/^[A-Za-z_][\w.-]*$/),
    hostKey: z
      .string()
      .regex(/^[\w@.-]+ [A-Za-z0-9+/=]+( [\w@. -]*)?$/)
      .refine((key) => publicKeyType(key) !== undefined),
    privateKeyPath: z
      .string()
      .regex(/^[^"\n\r]+$/)
      .optional(),
    scriptsRoot: z
      .string()
      .regex(/^[\w./-]+$/)
      .optional(),
    sudo: z.boolean().optional(),
    proxy: target.optional(),
  }),
);

const order = z.object({
  in: z.string(),
  kind: z.string(),
  wanted: z.record(z.string(), z.unknown()),
  looks: z.array(
    z.object({
      host: z.string().regex(/^[\w.-]+$/),
      target,
      command: z.string(),
      seconds: z.number().positive().max(600).optional(),
    }),
  ),
});

/** A word as `quoted` writes it. */
const word = String.raw`(?:[\w@%+=:,./-]+|'[^']*'(?:\\''[^']*')*)`;
const probeCommand = new RegExp(
  String.raw`/([0-9a-f]{12})/scripts/(?:as-root\.sh )?([a-z-]+/[a-z_-]+\.py)((?: ${word})*)$`,
);

/**
 * The order of a preflight, with its decider in this checkout: the preview may have been made in another one.
 *
 * @throws when it asks for anything but a probe of this program: what a preview says would run on hosts.
 */
export function readOrder(text: string): LookOrder {
  const { success, data } = order.safeParse(JSON.parse(text));
  if (!success) throw new Error("a look of the preview names its hosts in another way; make a new preview");
  const system = /(?:^|\/)components\/([a-z-]+)\/decide\.ts$/.exec(data.in)?.[1];
  const decider = join(root, "components", system ?? "", "decide.ts");
  if (system === undefined || !existsSync(decider))
    throw new Error(`a look of the preview is decided by ${data.in}, which this checkout does not have`);
  return { ...data, in: decider };
}

/** @throws when the command of a look is no probe of this checkout, at the place where the program puts it. */
export function askedBy({ host, target: at, command, seconds }: LookAt): Asked {
  const [, release = "", program = "", words = ""] = probeCommand.exec(command) ?? [];
  const isOurs = command === scriptCommand(at, release, program, []) + words;
  if (!isOurs || !existsSync(join(root, "scripts", program)))
    throw new Error(`the preview asks ${host} for something else than a probe of this checkout: ${command}`);
  return { host, target: at, program, words, command, ...(seconds === undefined ? {} : { seconds }) };
}

/** @throws when the target is none that this program makes. */
export const readTarget = (value: unknown): SshTarget => target.parse(value);
