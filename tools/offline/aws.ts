import manifest from "@pulumi/aws/package.json" with { type: "json" };
import { serveProvider } from "./provider.ts";

void serveProvider({ name: "aws", version: manifest.version, resource: () => undefined });
