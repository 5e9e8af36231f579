import { declareEstate } from "./components/estate.ts";
import { nativeStackTraces } from "./components/stacks.ts";
import { readConfig } from "./config.ts";
import { platformOf } from "./platforms/platforms.ts";

nativeStackTraces();
const config = readConfig();
const estate = declareEstate(config, await platformOf(config));

export const { stackId, machines, sshConfig, serviceAddresses, statuses, ownerPasswords, expected, targets } =
  estate;
