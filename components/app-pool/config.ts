import { z } from "zod";
import { hostNames, network, owner } from "../../config/common-fields.ts";
import { settingProblem } from "../../config/machine.ts";
import {
  field,
  listOf,
  mapOf,
  type Names,
  softwareScript,
  tcpPort,
  text,
  wholeNumber,
} from "../../config/fields.ts";

/** The wanted states of a server. */
export const memberships = ["in", "maintenance", "out"] as const;

export type Membership = (typeof memberships)[number];

/** Names of releases; they become names of folders and files. */
export const revisionNames: Names = {
  pattern: /^[A-Za-z0-9][\w.-]{0,63}$/,
  allowed: "at most 64 letters, digits and . _ -, beginning with a letter or a digit",
};

/** Paths of linked folders, in a release and under `shared/`. */
export const folderNames: Names = {
  pattern: /^[A-Za-z0-9_][\w.-]*(\/[A-Za-z0-9_][\w.-]*)*$/,
  allowed: "a relative path of letters, digits and . _ -, no part of which begins with a dot or a hyphen",
};

/** Names of services that servers must reach. */
export const reachNames: Names = {
  pattern: /^[a-z][a-z0-9_-]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits, underscores and hyphens, beginning with a letter",
};

/** Further addresses of the site. */
export const addressNames: Names = {
  pattern: /^(\d{1,3}\.){3}\d{1,3}$/,
  allowed: "an IPv4 address",
};

/** Names of environment variables of the application. */
export const settingNames: Names = {
  pattern: /^[A-Z][A-Z0-9_]*$/,
  allowed: "upper-case letters, digits and underscores",
  taken: settingProblem,
};

const sitePath = (purpose: string) => text(/^\/[\w./~%?=&-]*$/, "a path that begins with /", purpose);

const release = z.strictObject({
  archive: text(
    /^((?!-)[\w.-][\w./-]*|\/[\w./-]+|https?:\/\/\S+)\.(tar\.gz|tgz)$/,
    "a .tar.gz file: a path from the project's folder, or an http(s) URL that the servers reach",
    "The packed application.",
  ),
  sha256: text(
    /^[0-9a-f]{64}$/,
    "64 hexadecimal digits",
    "The archive's SHA-256. A file with another SHA-256 is refused.",
  ),
});

const drain = z
  .strictObject({
    seconds: wholeNumber(
      1,
      3600,
      "How long a drain waits for a server's last session to end (seconds).",
    ).default(60),
    policy: field(
      z.enum(["fail", "cut"]),
      "fail or cut",
      "What a drain does with sessions left after `seconds`. fail: the server stays in traffic and the update fails. cut: the sessions are ended.",
    ).default("fail"),
  })
  .prefault({});

const ready = z
  .strictObject({
    path: sitePath("Path of the readiness check at each server's private address.").default("/ready"),
    status: wholeNumber(100, 599, "HTTP status of a ready server.").default(200),
  })
  .prefault({});

/** Ports of a pool whose entry names no port. */
export const defaultPorts = { port: 80, appPort: 8080 } as const;

/** One pool of application servers. */
export const poolEntry = z.strictObject({
  balancers: listOf(
    text(/^\S+$/, "the name of a host", "A host that runs HAProxy for this pool alone."),
    "Hosts that receive users' requests and pass them to the servers.",
  ),
  servers: mapOf(
    { ...hostNames, allowed: "the name of a host" },
    field(
      z.enum(memberships),
      "in, maintenance or out",
      "in: the server serves users. maintenance: the server is drained and still gets releases. out: the server is drained and gets no steps.",
    ),
    "The application's servers, and the wanted state of each.",
  ),
  port: tcpPort("TCP port of the site on the balancers.").default(defaultPorts.port),
  appPort: tcpPort("TCP port of the application on each server.").default(defaultPorts.appPort),
  host: text(
    /^[a-z0-9][a-z0-9.-]*$/,
    "the name of a site",
    "Host name of the site, sent with every check. Left out: localhost.",
  ).default("localhost"),
  allowed: listOf(
    network("A network, such as the one of a monitoring host: 10.0.7.0/24."),
    "Networks that reach the application's port on the servers besides the balancers, also in a server's own maintenance. Everybody else is rejected.",
  ).default([]),
  ready,
  software: softwareScript(
    "deploy/server",
    "Folder whose install.sh installs what the application needs on a server. Left out: nothing more is installed.",
  ),
  owner: owner("The user that runs the application.").default("expprodl"),
  ownerUid: wholeNumber(
    100,
    59999,
    "User ID of the owner, the same on every server, because files on shared volumes belong to user IDs.",
  ).default(763),
  keepReleases: wholeNumber(2, 100, "How many releases stay unpacked on a server.").default(5),
  links: mapOf(
    folderNames,
    text(folderNames.pattern, folderNames.allowed, "The folder under `shared/` that the link leads to."),
    "Folders of every release that become links to shared folders, such as public/styles: system/styles.",
  ).default({}),
  settings: mapOf(
    settingNames,
    text(/^[^\p{Cc}]*$/u, "a text of one line", "The variable's value."),
    "Environment variables of the application. Put no secrets here.",
  ).default({}),
  database: text(
    /^[a-z][a-z0-9_]{0,30}$/,
    "the name of a pair",
    "The pair whose database the application uses. The database must admit every server.",
  ).optional(),
  cache: text(
    /^[a-z][a-z0-9_]{0,30}$/,
    "the name of a cache in this file",
    "The cache that keeps the application's sessions.",
  ).optional(),
  reaches: mapOf(
    reachNames,
    text(
      /^[A-Za-z0-9][\w.-]*:\d{1,5}$/,
      "a host and a TCP port: 10.0.0.7:8983",
      "Address and port of the service.",
    ),
    "Services that every server must reach, by name. While one is out of reach, changes are refused.",
  ).default({}),
  release: text(revisionNames.pattern, "the name of one of `releases`", "The release that the servers run."),
  releases: mapOf(revisionNames, release, "Releases by revision. Keep the previous one, to go back to it."),
  minHealthy: wholeNumber(
    1,
    1000,
    "A server leaves traffic only while at least this many other servers are UP at each balancer.",
  ).default(1),
  canary: wholeNumber(1, 1000, "How many servers get a release first.").default(1),
  groupSize: wholeNumber(
    1,
    1000,
    "How many servers get a release at once after the canary. minHealthy may lower the number.",
  ).default(1),
  drain,
  readySeconds: wholeNumber(
    1,
    3600,
    "How long a started server may take to become ready (seconds). Longer: the release is bad.",
  ).default(60),
  upSeconds: wholeNumber(
    1,
    3600,
    "How long a ready server may take to be UP at a balancer (seconds). Longer: the release is bad.",
  ).default(30),
  bakeSeconds: wholeNumber(
    0,
    3600,
    "How long the canary serves and is watched before other servers get the release (seconds).",
  ).default(15),
  groupBakeSeconds: wholeNumber(0, 3600, "The same for each group after the canary (seconds).").default(1),
  edge: field(
    z.enum(["haproxy", "apache"]),
    "haproxy or apache",
    "The program that serves the site's addresses on the balancers. apache: go back to the time before the pool, with one server and no balancing.",
  ).default("haproxy"),
  apache: field(
    z.enum(["none", "kept", "retired"]),
    "none, kept or retired",
    "Apache, the edge before HAProxy. none: there is no Apache. kept: Apache can take over again. retired: its configuration is archived and Apache is uninstalled.",
  ).default("none"),
  apacheServer: text(
    /^\S+$/,
    "the name of a server of the pool",
    "The one server that Apache passes requests to.",
  ).optional(),
  addresses: mapOf(
    addressNames,
    z.strictObject({
      balancer: text(/^\S+$/, "the name of a balancer of the pool", "The balancer that has the address."),
      deadline: text(
        /^\d{4}-\d\d-\d\d$/,
        "a date: 2026-12-24",
        "The day by which users of the address were asked to move to the pool's own address.",
      ),
      released: field(
        z.boolean(),
        "true or false",
        "true: the balancer stops serving the address. Before the deadline this is refused if a client used the address in the last week.",
      ).default(false),
    }),
    "Further addresses of the balancers' machines that serve the site until they are released. The program adds no address to a machine.",
  ).default({}),
  systemUpgrade: text(
    /^[A-Za-z0-9][\w.-]{0,63}$/,
    "at most 64 letters, digits and . _ -, such as 2026-11",
    "Name of a round of system package upgrades. A new name starts a round: server by server, each drained for its upgrade.",
  ).optional(),
  maintenance: field(
    z.boolean(),
    "true or false",
    "true: the site answers every request with its maintenance page.",
  ).default(false),
});

/** One pool of application servers, checked. */
export type AppPool = Readonly<z.output<typeof poolEntry>>;
