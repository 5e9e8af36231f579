import type { Row, Table } from "../../../transition/table.ts";
import { closePort, openPort } from "./edge.ts";
import { drain, enter, marginSeconds, type PoolLimits, verdict } from "./member.ts";

const stageRow = ({ pool }: PoolLimits): Row => ({
  phase: "stage",
  name: "stage",
  script: "app/stage-release",
  on: "servers",
  says: "the release is unpacked next to the running one; its checksum matches, its shared folders are linked",
  limits: [pool],
  words: ({ revision, sha256 }) => [revision ?? "", sha256 ?? ""],
  deadlineSeconds: 900,
});

const runRelease = ({ pool, readySeconds }: PoolLimits, phase: string, on: string): Row => ({
  phase,
  name: "release",
  script: "app/run-release",
  on,
  says: "the application runs the release and is ready at its private address",
  limits: [pool],
  words: ({ revision }) => [revision ?? ""],
  verdict: true,
  deadlineSeconds: readySeconds + marginSeconds,
});

const runPreviousRelease = ({ pool, readySeconds }: PoolLimits, phase: string, on: string): Row => ({
  phase,
  name: "back",
  script: "app/run-previous-release",
  on,
  says: "the application runs its previous release again and is ready",
  limits: [pool],
  words: ({ revision }) => [revision ?? ""],
  deadlineSeconds: readySeconds + marginSeconds,
});

const onlyIfBad = (row: Row): Row => ({ ...row, says: `only if the release is bad: ${row.says}` });

const releaseVerdict = verdict("the release", "every server that had it runs its previous release again");

/** The number of the group that a phase belongs to; 0: of no group. */
const groupOf = (phase: string): number => Number(/^group-(\d+)-/.exec(phase)?.[1] ?? 0);

/**
 * A release on all servers, group by group. A bad verdict stops the release: no further group gets it, and the groups that
 * have begun go back to their previous release, newest group first. Then the update fails with the reason. The table has
 * all rows of both ways; a row that is not needed runs nothing.
 */
export function releaseTable(limits: PoolLimits, groups: readonly (readonly string[])[]): Table {
  const forward = groups.flatMap((servers, index): Row[] => {
    const group = `group-${String(index + 1)}`;
    const bake = index === 0 ? limits.bakeSeconds : limits.groupBakeSeconds;
    const rows: Row[] = [
      ...servers.map((server) => ({ ...drain(limits, server), phase: `${group}-drain` })),
      runRelease(limits, `${group}-release`, group),
      ...servers.map((server) => ({ ...enter(limits, server, bake), phase: `${group}-enter` })),
    ];
    return rows.map((row) => ({ ...row, when: (bad) => bad.length === 0 }));
  });
  return [stageRow(limits), ...forward, ...backRows(limits, groups), releaseVerdict];
}

/** The way back: each group that has begun, newest first. */
function backRows(limits: PoolLimits, groups: readonly (readonly string[])[]): Row[] {
  const hasBegun = (group: number) => (bad: readonly string[]) =>
    bad.length > 0 && !bad.some((phase) => groupOf(phase) > 0 && groupOf(phase) < group);
  return groups
    .map((servers, index): Row[] => {
      const [group, back] = [`group-${String(index + 1)}`, `back-${String(index + 1)}`];
      const rows: Row[] = [
        ...servers.map((server) => ({
          ...drain(limits, server),
          phase: `${back}-drain`,
          name: `back-drain-${server}`,
        })),
        runPreviousRelease(limits, `${back}-release`, group),
        ...servers.map((server) => ({
          ...enter(limits, server, 0),
          phase: `${back}-enter`,
          name: `back-enter-${server}`,
          says: `${server} is UP at the balancer`,
        })),
      ];
      return rows.map((row) => ({ ...onlyIfBad(row), when: hasBegun(index + 1) }));
    })
    .reverse()
    .flat();
}

/** A release while Apache serves. Apache can't drain its one server, so the ports of the servers are closed meanwhile. */
export function singleReleaseTable(limits: PoolLimits): Table {
  return [
    stageRow(limits),
    closePort(limits.pool),
    runRelease(limits, "release", "servers"),
    { ...onlyIfBad(runPreviousRelease(limits, "back", "servers")), when: (bad) => bad.length > 0 },
    openPort(limits.pool),
    releaseVerdict,
  ];
}
