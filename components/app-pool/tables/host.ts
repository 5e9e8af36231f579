import { type Table, withPrefix } from "../../../transition/table.ts";

/** A blank machine becomes a balancer: HAProxy is installed and serves nothing yet. */
export const balancerHostTable: Table = [
  {
    phase: "packages",
    name: "packages",
    script: "haproxy/install-packages",
    on: "each",
    says: "HAProxy and the tools of the scripts are installed; nothing is started",
    deadlineSeconds: 900,
  },
];

/** A blank machine becomes a server: user, folders, settings, and what the application needs. */
export function serverHostTable({ pool, software }: { pool: string; software?: string }): Table {
  return [
    {
      phase: "packages",
      name: "packages",
      script: "app/install-packages",
      on: "each",
      says: "the tools of the scripts are installed",
      deadlineSeconds: 900,
    },
    {
      phase: "configure",
      script: "app/configure",
      on: "each",
      says: "the application's user, folders, settings and unit are in place",
      limits: [pool],
      words: (keepers) => withPrefix(keepers, "conf."),
      stdin: "application",
      deadlineSeconds: 120,
    },
    ...(software === undefined
      ? []
      : [
          {
            phase: "software",
            script: software,
            software: true,
            on: "each",
            says: "the project's own software for the application is installed",
            limits: [pool],
            deadlineSeconds: 900,
          },
        ]),
  ];
}

/** haproxy.cfg, balancer by balancer: when one balancer refuses its text, the balancers after it keep theirs. */
export function balancersTable(pool: string, balancers: readonly string[]): Table {
  return balancers.map((balancer) => ({
    phase: `on-${balancer}`,
    script: "haproxy/configure",
    on: balancer,
    says: `${balancer} has checked and loaded its haproxy.cfg; no connection is lost, every server keeps its state`,
    limits: [pool],
    words: (keepers) => [keepers[`template.${balancer}`] ?? ""],
    deadlineSeconds: 120,
  }));
}
