import { type Row, type Table, withPrefix } from "../../transition/table.ts";

/** Makes both machines ready, from blank or as they are. No row depends on which machine is production. */
export function provisionTable(options: { software?: string; carries?: boolean } = {}): Table {
  const { software, carries } = options;
  return [
    ...machineRows,
    ...(software === undefined ? [] : [softwareRow(software)]),
    ...clusterRows,
    ...(carries ? [carriedRow] : []),
  ];
}

const softwareRow = (script: string): Row => ({
  phase: "software",
  script,
  software: true,
  on: "each",
  says: "the software of the pair is installed",
  deadlineSeconds: 900,
  stdin: "owner",
});

const carriedRow: Row = {
  phase: "carry",
  script: "pair/configure-carried",
  name: "carry",
  on: "each",
  says: "each machine offers its files to its peer, has a timer for its copies, and runs the services of its role",
  deadlineSeconds: 180,
};

const machineRows: Table = [
  {
    phase: "packages",
    script: "pair/packages",
    on: "each",
    says: "PostgreSQL and the tools of the scripts are installed",
    deadlineSeconds: 900,
  },
  {
    phase: "configure",
    script: "pair/configure",
    on: "each",
    says: "each machine has its own name, its peer, the service address and the pair's secret in its files",
    words: (keepers, host) => [
      ...withPrefix(keepers, `${host}.`),
      // No host has an underscore in its name.
      ...withPrefix(keepers, "both_carry.").map((word) => `carries.${word}`),
    ],
    deadlineSeconds: 120,
    stdin: "pair",
  },
];

const clusterRows: Table = [
  {
    phase: "init",
    script: "pair/init",
    on: "primary",
    says: "the primary has the pair's database cluster",
    deadlineSeconds: 300,
    stdin: "pair",
  },
  {
    phase: "base-copy",
    script: "pair/base-copy",
    on: "secondary",
    says: "the secondary has a copy of the cluster",
    deadlineSeconds: 6 * 3600,
  },
];
