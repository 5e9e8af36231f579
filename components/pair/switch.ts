import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { localProgram } from "../../transition/start.ts";
import { type Keepers, keepersOf } from "../../transition/table.ts";
import type { OperatorCommand } from "../../transition/args.ts";
import type { Transition } from "../../transition/transition.ts";
import { hasChecks, hasFiles, hasServices } from "./carried.ts";
import { standbyOf } from "./goal.ts";
import type { Pair } from "./pair.ts";
import { switchStory } from "./stories.ts";
import { aloneTable, type CarriedRows, type FinalSync, switchTable } from "./table.ts";

const run = join(import.meta.dirname, "run");

/** The transition that makes one machine production. @param provision what comes first; left out in an emergency. */
export function switchProduction(pair: Pair, provision?: Transition): Transition {
  const { fence } = pair;
  const { checksFrom, maxLagMiB } = pair.config;
  const witness = checksFrom === "operator" ? undefined : checksFrom;
  const { move } = pair.service;
  return pair.transition("switch", {
    whenLost: "alone",
    story: switchStory(pair.name, { other: standbyOf(pair.goal), lost: pair.lost }),
    keepers: switchKeepers(pair, witness),
    table: tableOf(pair, witness),
    witnesses: witness === undefined ? [] : [witness],
    settings: {
      "pair/require-ready": () => [String(maxLagMiB)],
      "pair/check-service": () => checkWords(pair),
    },
    secrets: { checks: pair.secrets.checks },
    commands: {
      "pair/check-service": (keepers) => checkFromOperator(pair, keepers),
      ...(fence?.by === "operator"
        ? {
            "pair/isolate": (keepers: pulumi.Output<Keepers>, receipt: pulumi.Output<string>) =>
              isolateByCommand(pair, keepers, receipt, fence.command),
          }
        : {}),
    },
    moves: {
      ...(move ? { "move-address": move } : {}),
      ...(fence?.by === "platform" ? { "pair/isolate": (name, _, opts) => fence.declare(name, opts) } : {}),
    },
    after: provision ? [provision.finished] : [],
  });
}

function switchKeepers(pair: Pair, witness: string | undefined): Record<string, pulumi.Input<string>> {
  const { goal, lost } = pair;
  const { replication, synchronous } = pair.config;
  return keepersOf<pulumi.Input<string>>({
    primary: goal.primary,
    secondary: goal.secondary,
    production: goal.production,
    ...(lost === undefined ? { standby: standbyOf(goal) } : { lost, grab: finalSyncOf(pair, lost) }),
    // A standby changes between streaming and pausing only in a switch.
    replication: replication === "snapshot" ? "snapshot" : undefined,
    commits: synchronous && lost === undefined ? "synchronous" : undefined,
    serviceAddress: pair.service.address,
    checksFrom: witness,
    ...pair.machines(),
    ...Object.fromEntries(Object.entries(pair.statuses).map(([host, status]) => [`status.${host}`, status])),
  });
}

function tableOf(pair: Pair, witness: string | undefined) {
  const { lost, fence, config } = pair;
  const carried: CarriedRows = {
    files: hasFiles(config),
    services: hasServices(config),
    checks: hasChecks(config),
    snapshot: config.replication === "snapshot",
  };
  const options = {
    platformMovesAddress: pair.service.movedBy === "platform",
    checksFromHost: Boolean(witness),
    carried,
  };
  return lost === undefined
    ? switchTable(options)
    : aloneTable({ ...options, fencedBy: fence?.by ?? "nobody", finalSync: finalSyncOf(pair, lost) });
}

/** Whether the latest data is copied from the lost machine: an unreachable machine gives none, a suspect one may. */
function finalSyncOf({ config, site }: Pair, lost: string): FinalSync | undefined {
  const { finalSync } = config;
  return site.suspect.includes(lost) && finalSync !== "skip" ? finalSync : undefined;
}

function isolateByCommand(
  pair: Pair,
  keepers: pulumi.Output<Keepers>,
  preflight: pulumi.Output<string>,
  command: pulumi.Output<string>,
): OperatorCommand {
  const stdin = pulumi
    .all([keepers, preflight, command])
    .apply(([{ lost }, receipt, fence]) => JSON.stringify({ pair: pair.name, lost, receipt, fence }));
  return { create: localProgram(join(run, "isolate.ts")), stdin };
}

/** The words of the check that runs on a host. */
function checkWords({ config, lost, goal, service }: Pair): pulumi.Output<string[]> {
  const { port, database, checks } = config;
  const standby = lost === undefined ? standbyOf(goal) : "none";
  return service.address.apply((address) => [
    address,
    String(port),
    database,
    standby,
    ...(Object.keys(checks).length > 0 ? [JSON.stringify(checks)] : []),
  ]);
}

/** The check that runs on the operator's machine. */
function checkFromOperator(pair: Pair, keepers: pulumi.Output<Keepers>): OperatorCommand {
  const { port, database, clients, checks: pages } = pair.config;
  const stdin = pulumi
    .all([keepers, pair.service.address, pair.secrets.checks])
    .apply(([{ standby }, address, password]) =>
      JSON.stringify({
        pair: pair.name,
        address,
        port,
        database,
        password,
        standby,
        clients: clients.length,
        pages,
      }),
    );
  return { create: localProgram(join(run, "check-from-outside.ts")), stdin };
}
