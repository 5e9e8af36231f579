import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/**
 * A hash of secrets that this program has made, for the keepers of a transition that tells them: another secret is another
 * goal. At 32 random characters and more each, it reveals none.
 */
export function fingerprintOf(...secrets: pulumi.Output<string>[]): pulumi.Output<string> {
  return pulumi.unsecret(
    pulumi
      .all(secrets)
      .apply((texts) => createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 12)),
  );
}
