import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { Draft } from "../config/draft.ts";
import type { PlacedUse } from "../config/hosts.ts";
import type { Problem } from "../config/problems.ts";
import { awsFields, type AwsConfig } from "./aws/config.ts";
import { awsRules } from "./aws/rules.ts";
import { inventoryFields, type InventoryConfig } from "./inventory/config.ts";
import { inventoryRules } from "./inventory/rules.ts";
import { localFields, type LocalConfig } from "./local/config.ts";
import type { PlatformName } from "./names.ts";
import type { Opening, Platform } from "./platform.ts";

/** What is known of a platform before it is loaded: what a stack file says of it, and what is wrong there. */
export interface PlatformFace {
  readonly name: PlatformName;
  readonly fields: Readonly<Record<string, z.ZodType>>;
  rules(draft: Draft, uses: readonly PlacedUse[]): Problem[];
  /** Only the platform that is used is loaded: the SDK of a cloud costs seconds and hundreds of MiB at each run. */
  load(config: unknown, openings: readonly Opening[]): Promise<Platform>;
}

/** The one list of platforms. */
export const platforms: Readonly<Record<PlatformName, PlatformFace>> = {
  local: {
    name: "local",
    fields: localFields,
    rules: () => [],
    load: async (config) => {
      const { localPlatform } = await import("./local/index.ts");
      return localPlatform({ stack: pulumi.getStack(), hosts: (config as LocalConfig).hosts });
    },
  },
  inventory: {
    name: "inventory",
    fields: inventoryFields,
    rules: inventoryRules,
    load: async (config) => {
      const { inventoryPlatform } = await import("./inventory/index.ts");
      return inventoryPlatform(config as InventoryConfig);
    },
  },
  aws: {
    name: "aws",
    fields: awsFields,
    rules: awsRules,
    load: async (config, openings) => {
      const { awsPlatform } = await import("./aws/index.ts");
      return awsPlatform({ ...(config as AwsConfig), openings });
    },
  },
};

/** The platform that a file names; undefined: it names none that is known. */
export const faceOf = (name: unknown): PlatformFace | undefined =>
  Object.values(platforms).find((face) => face.name === name);
