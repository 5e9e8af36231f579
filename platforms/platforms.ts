import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../config.ts";
import type { Platform } from "./platform.ts";

/**
 * The hosts of a stack, from where its config says. Only that platform is loaded: the SDK of a cloud costs seconds and
 * hundreds of MiB at each run.
 */
export async function platformOf(config: StackConfig): Promise<Platform> {
  switch (config.platform) {
    case "local": {
      const { localPlatform } = await import("./local/index.ts");
      return localPlatform({ stack: pulumi.getStack(), hosts: config.hosts });
    }
    case "inventory": {
      const { inventoryPlatform } = await import("./inventory/index.ts");
      return inventoryPlatform(config);
    }
    case "aws": {
      const { awsPlatform } = await import("./aws/index.ts");
      return awsPlatform(config);
    }
  }
}
