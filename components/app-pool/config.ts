import { z } from "zod";
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

/** Words for what is wanted of a server of a pool (rows 001-011, 001-032, 001-145). */
export const memberships = ["in", "maintenance", "out"] as const;

export type Membership = (typeof memberships)[number];

/** They become names of folders and of files. */
export const revisionNames: Names = {
  pattern: /^[A-Za-z0-9][\w.-]{0,63}$/,
  allowed: "at most 64 letters, digits and . _ -, beginning with a letter or a digit",
};

export const folderNames: Names = {
  pattern: /^[\w.-]+(\/[\w.-]+)*$/,
  allowed: "a relative path of letters, digits and . _ -",
};

export const reachNames: Names = {
  pattern: /^[a-z][a-z0-9_-]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits, underscores and hyphens, beginning with a letter",
};

export const addressNames: Names = {
  pattern: /^(\d{1,3}\.){3}\d{1,3}$/,
  allowed: "an IPv4 address",
};

const sitePath = (purpose: string) => text(/^\/[\w./~%?=&-]*$/, "a path that begins with /", purpose);

const release = z.strictObject({
  archive: text(
    /^([\w.-][\w./-]*|\/[\w./-]+|https?:\/\/\S+)\.(tar\.gz|tgz)$/,
    "a .tar.gz file, by its path from the project's folder, or an http(s) address that the servers reach",
    "The application, packed.",
  ),
  sha256: text(/^[0-9a-f]{64}$/, "64 hexadecimal digits", "The archive's sha256: another file is refused."),
});

const drain = z
  .strictObject({
    seconds: wholeNumber(1, 3600, "How long a server that leaves waits for its last session.").default(60),
    policy: field(
      z.enum(["fail", "cut"]),
      "fail or cut",
      "What happens to sessions that are left then: the server stays in service and the update fails, or they are ended.",
    ).default("fail"),
  })
  .prefault({});

const ready = z
  .strictObject({
    path: sitePath("What a server is asked, at its private address, whether it can serve.").default("/ready"),
    status: wholeNumber(100, 599, "The status that says so.").default(200),
  })
  .prefault({});

/** Ports of a pool that names none. */
export const defaultPorts = { port: 80, appPort: 8080 } as const;

/** One pool of application servers. */
export const poolEntry = z.strictObject({
  balancers: listOf(
    text(/^\S+$/, "the name of a host", "A host that runs HAProxy for this pool alone."),
    "The hosts that users' requests come to, and that hand them to the servers.",
  ),
  servers: mapOf(
    { pattern: /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, allowed: "the name of a host" },
    field(
      z.enum(memberships),
      "in, maintenance or out",
      "in: it serves. maintenance: it is drained and gets releases. out: it is drained, and no step runs on it.",
    ),
    "The application's servers, and what is wanted of each.",
  ),
  port: tcpPort("TCP port where the balancers answer.").default(defaultPorts.port),
  appPort: tcpPort("TCP port where the application answers on each server.").default(defaultPorts.appPort),
  host: text(
    /^[a-z0-9.-]+$/,
    "the name of a site",
    "The site's name, for requests that check it. Left out: localhost.",
  ).default("localhost"),
  ready,
  software: softwareScript(
    "deploy/server",
    "The folder whose install.sh puts what the application needs on a server. Left out: it is there.",
  ),
  owner: text(/^[a-z_][a-z0-9_-]{0,31}$/, "a user name", "Who owns and runs the application.").default(
    "expprodl",
  ),
  ownerUid: wholeNumber(
    1,
    59999,
    "The owner's number, the same on every server: files on shared volumes belong to numbers.",
  ).default(763),
  keepReleases: wholeNumber(2, 100, "How many releases stay unpacked on a server.").default(5),
  links: mapOf(
    folderNames,
    text(
      folderNames.pattern,
      folderNames.allowed,
      "The folder under `shared/` that every release has there.",
    ),
    "Folders of a release that are links to shared ones, such as public/styles: system/styles; part of every deploy (row 001-082).",
  ).default({}),
  settings: mapOf(
    { pattern: /^[A-Z][A-Z0-9_]*$/, allowed: "upper-case letters, digits and underscores" },
    text(/^[^\p{Cc}]*$/u, "a text of one line", "A setting."),
    "Settings of the application, as its environment. Nothing secret.",
  ).default({}),
  database: text(
    /^[a-z][a-z0-9_]{0,30}$/,
    "the name of a pair",
    "The pair whose database the application uses; every server must be let in there (rows 001-022 to 001-028, 001-167).",
  ).optional(),
  cache: text(
    /^[a-z][a-z0-9_]{0,30}$/,
    "the name of a cache of this file",
    "The cache that keeps the application's sessions.",
  ).optional(),
  reaches: mapOf(
    reachNames,
    text(/^[\w.-]+:\d{1,5}$/, "a host and a TCP port: 10.0.0.7:8983", "Where it answers."),
    "What every server must reach before it serves (rows 001-021, 001-038 to 001-044).",
  ).default({}),
  release: text(revisionNames.pattern, "the name of one of `releases`", "The release that runs."),
  releases: mapOf(revisionNames, release, "Releases by their revision. Keep the one to go back to."),
  minHealthy: wholeNumber(
    1,
    1000,
    "No step takes a server out while fewer than so many others are up at a balancer.",
  ).default(1),
  canary: wholeNumber(1, 1000, "How many servers get a release first.").default(1),
  groupSize: wholeNumber(
    1,
    1000,
    "How many servers get it at once then, as far as minHealthy allows.",
  ).default(1),
  drain,
  readySeconds: wholeNumber(
    1,
    3600,
    "A server that is not ready so long after its start has a bad release.",
  ).default(60),
  upSeconds: wholeNumber(
    1,
    3600,
    "A ready server that no balancer takes for healthy after so long has a bad release.",
  ).default(30),
  bakeSeconds: wholeNumber(
    0,
    3600,
    "How long the first servers with a release serve and are watched before others get it.",
  ).default(15),
  groupBakeSeconds: wholeNumber(0, 3600, "The same for the servers after them.").default(1),
  edge: field(
    z.enum(["haproxy", "apache"]),
    "haproxy or apache",
    "Who serves the site's addresses on the balancers. apache is the way back to the time before the pool: one server, no balancing.",
  ).default("haproxy"),
  apache: field(
    z.enum(["none", "kept", "retired"]),
    "none, kept or retired",
    "Apache, the edge of before: there never was one, it stands by, or its configuration is archived and it is uninstalled (rows 001-110 to 001-112).",
  ).default("none"),
  apacheServer: text(
    /^\S+$/,
    "the name of a server of the pool",
    "The one server that Apache hands requests to.",
  ).optional(),
  addresses: mapOf(
    addressNames,
    z.strictObject({
      balancer: text(/^\S+$/, "the name of a balancer of the pool", "The balancer that has it."),
      deadline: text(
        /^\d{4}-\d\d-\d\d$/,
        "a date: 2026-12-24",
        "The day until which those who use it were asked to go to the pool's own address (rows 001-101, 001-102).",
      ),
      released: field(
        z.boolean(),
        "true or false",
        "true: nobody serves by it any more. Before the deadline only if nobody used it in a week.",
      ).default(false),
    }),
    "Addresses of the balancers' machines beyond their own that the site is served by until they are released (rows 001-100 to 001-109). The program puts none on a machine.",
  ).default({}),
  systemUpgrade: text(
    /^[A-Za-z0-9][\w.-]{0,63}$/,
    "at most 64 letters, digits and . _ -, such as 2026-11",
    "A round of upgrades of the servers' system packages: a new name starts one, server after server, each drained meanwhile (rows 001-118 to 001-122).",
  ).optional(),
  maintenance: field(
    z.boolean(),
    "true or false",
    "Whether the site answers every request with its maintenance page.",
  ).default(false),
});

/** They become names of files, units and, before a hyphen, of records on hosts. */
export const poolNames: Names = {
  pattern: /^[a-z][a-z0-9_]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and underscores, beginning with a letter",
};

/** The same, checked. */
export type AppPool = Readonly<z.output<typeof poolEntry>>;
