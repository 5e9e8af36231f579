import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../config.ts";
import { awsPlatform } from "./aws.ts";
import { inventoryPlatform } from "./inventory.ts";
import { localPlatform } from "./local.ts";
import type { Platform } from "./platform.ts";

/** The hosts of a stack, from where its config says. */
export function platformOf(config: StackConfig): Platform {
  switch (config.platform) {
    case "local":
      return localPlatform({ stack: pulumi.getStack(), hosts: Object.keys(config.hosts) });
    case "inventory":
      return inventoryPlatform(config);
    case "aws":
      return awsPlatform(config);
  }
}
