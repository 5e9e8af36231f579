import manifest from "@pulumi/command/package.json" with { type: "json" };
import { localCommand, localRun } from "./local.ts";
import { type Resource, serveProvider } from "./provider.ts";
import { copyToRemote, remoteCommand } from "./remote.ts";

const resources: Record<string, Resource> = {
  "command:local:Command": localCommand,
  "command:remote:Command": remoteCommand,
  "command:remote:CopyToRemote": copyToRemote,
};

void serveProvider({
  name: "command",
  version: manifest.version,
  resource: (type) => resources[type],
  types: Object.keys(resources),
  invoke: (token, args, context) => {
    if (token !== "command:local:run") throw new Error(`command stand-in: no function ${token}`);
    return localRun(args, context);
  },
});
