import type { Sample } from "../system.ts";

const standby = {
  status: "standby",
  postgres: "running",
  in_recovery: true,
  holds_address: false,
  streaming: { from: "192.0.2.1", lag_bytes: 0 },
  last_commit_s: 1,
  copies: {},
  stands_still: false,
  down: null,
  epoch: 1,
};

/** Two machines with a database between them. */
export const pairSample: Sample = {
  hosts: ["slayer", "megadeth"],
  entry: { primary: "slayer", secondary: "megadeth", production: "slayer", serviceAddress: ".46" },
  facts: {
    "pair/probe": {
      right: { ...standby, host: "megadeth" },
      wrong: { ...standby, host: "megadeth", in_recovery: false, streaming: null },
    },
  },
};
