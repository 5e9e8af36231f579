import * as pulumi from "@pulumi/pulumi";
import { fingerprintOf } from "../../transition/secrets.ts";
import { keepersOf } from "../../transition/table.ts";
import type { Transition } from "../../transition/transition.ts";
import { carriedLines, hasServices, isCopied } from "./carried.ts";
import type { Pair } from "./pair.ts";
import { provisionStory } from "./stories.ts";
import { provisionTable } from "./provision-table.ts";

/** The transition that makes both machines ready. @param after the transition that comes first. */
export function provision(pair: Pair, after?: Transition): Transition {
  const { config, goal, site } = pair;
  return pair.transition("provision", {
    whenLost: "freeze",
    story: provisionStory,
    pauses: "switch",
    keepers: keepersOf({
      primary: goal.primary,
      secondary: goal.secondary,
      // A replaced password is a new goal: both machines must get it.
      secrets: fingerprintOf(...Object.values(pair.secrets)),
      ...pair.machines(),
      ...configuration(pair),
    }),
    table: provisionTable({
      software: config.software,
      carries: isCopied(config) || hasServices(config),
    }),
    settings: { "pair/configure": (host) => addresses(pair, host) },
    secrets: { pair: linesOf(pair.secrets), owner: pair.secrets.owner },
    after: [...site.ready(pair.machineNames), ...(after ? [after.finished] : site.after)],
  });
}

/** The settings that each machine keeps in its own file, as keepers `<host>.<key>`. */
function configuration({ config, goal, service }: Pair): Record<string, pulumi.Input<string>> {
  const { primary, secondary } = goal;
  const { database, port, peerPort, clients, interface: link } = config;
  const { movedBy, address } = service;
  const carried = Object.entries(carriedLines(config));
  const entries = [primary, secondary].flatMap((self) => {
    const settings: Record<string, pulumi.Input<string>> = {
      self,
      peer: self === primary ? secondary : primary,
      primary,
      secondary,
      database,
      port: String(port),
      peer_port: String(peerPort),
      interface: link,
      clients: clients.join(","),
      service_address: movedBy === "host" ? address : "none",
    };
    return Object.entries(settings).map(([key, value]): [string, pulumi.Input<string>] => [
      `${self}.${key}`,
      value,
    ]);
  });
  return Object.fromEntries([
    ...entries,
    ...carried.map(([key, value]): [string, string] => [`both_carry.${key}`, value]),
  ]);
}

/** Addresses of hosts are no keepers: a new address starts nothing, and the next provisioning writes it. */
function addresses({ site, machineNames }: Pair, self: string): pulumi.Output<string[]> {
  const members = machineNames.map((name) => site.member(name));
  const network = site.platform.network ?? pulumi.output("");
  return pulumi
    .all([pulumi.all(members.map(({ host }) => host.address)), network])
    .apply(([addressOf, cidr]) => {
      const own = members.findIndex(({ host }) => host.name === self);
      return [
        `self_address=${addressOf[own] ?? ""}`,
        `peer_address=${addressOf[1 - own] ?? ""}`,
        `network=${cidr}`,
      ];
    });
}

/** What `pair/configure` reads: a line for each secret. */
function linesOf(secrets: Pair["secrets"]): pulumi.Output<string> {
  return pulumi.all(secrets).apply((texts) =>
    Object.entries(texts)
      .map(([purpose, text]) => `${purpose}=${text}\n`)
      .join(""),
  );
}
