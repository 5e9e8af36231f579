import { cachePort } from "./config.ts";
import { at, type Draft, type Fields, fieldsOf, nameTaken, noHost, wordsOf } from "../../config/draft.ts";
import { type Problem, shown } from "../../config/problems.ts";

const statesOf = ({ nodes }: Fields): Fields => fieldsOf(nodes);

const clientsOf = ({ clients }: Fields): string[] => wordsOf(clients);

/** What is wrong between a cache and the rest of a stack file. */
export function cacheProblems(draft: Draft): Problem[] {
  const { pairs, pools: appPools, volumes: sharedVolumes } = draft;
  return Object.entries(draft.caches).flatMap(([name, cache]) => [
    ...nameTaken("caches", name, { pairs, appPools, sharedVolumes }),
    ...members(name, cache, draft),
    ...emptyRings(name, cache),
    ...ports(name, cache, draft),
  ]);
}

function members(name: string, cache: Fields, { hosts, absent }: Draft): Problem[] {
  const path = ["caches", name];
  const named: [string[], string][] = [
    ...Object.keys(statesOf(cache)).map((host): [string[], string] => [[...path, "nodes", host], host]),
    ...clientsOf(cache).map((host, index): [string[], string] => [[...path, "clients", String(index)], host]),
  ];
  const clients = clientsOf(cache);
  return named.flatMap(([where, host]) => {
    if (!Object.hasOwn(hosts, host)) return [at(where, noHost(host, { hosts }))];
    if (absent.includes(host))
      return [at(where, `${shown(host)} is in changeover:absent; take it out of the cache first`)];
    const twice = where[2] === "clients" && clients.indexOf(host) < Number(where[3]);
    return twice ? [at(where, `${shown(host)} is named twice; remove one`)] : [];
  });
}

function emptyRings(name: string, cache: Fields): Problem[] {
  const states = Object.values(statesOf(cache));
  const none = clientsOf(cache).length === 0 && Array.isArray(cache.clients);
  // A cache that goes has all its nodes out, and nobody who uses it.
  if (states.length > 0 && states.every((state) => state === "out"))
    return none
      ? []
      : [at(["caches", name, "clients"], "have no node left; make one `in`, or name no client")];
  return none ? [at(["caches", name, "clients"], "missing; name the hosts that use the cache")] : [];
}

/** A cache takes its port on each of its nodes. */
function ports(name: string, cache: Fields, { caches, hosts, pairs }: Draft): Problem[] {
  const port = shown(cache.port ?? cachePort);
  const nodes = Object.keys(statesOf(cache));
  const before = Object.entries(caches).slice(0, Object.keys(caches).indexOf(name));
  const caught = [
    ...before.flatMap(([other, fields]) =>
      shown(fields.port ?? cachePort) === port &&
      Object.keys(statesOf(fields)).some((host) => nodes.includes(host))
        ? [`changeover:caches.${other}.port`]
        : [],
    ),
    ...nodes.flatMap((host) => (shown(hosts[host]?.port ?? 22) === port ? [`the sshd of ${host}`] : [])),
    ...Object.entries(pairs).flatMap(([pair, { primary, secondary, port: own = 5432, peerPort = 5480 }]) =>
      nodes.some((host) => host === primary || host === secondary) &&
      [shown(own), shown(peerPort)].includes(port)
        ? [`changeover:pairs.${pair}`]
        : [],
    ),
  ];
  const [owner] = caught;
  if (owner === undefined) return [];
  return [at(["caches", name, "port"], `${port} is taken by ${owner} on one of its nodes; name another`)];
}
