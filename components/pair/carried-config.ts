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

const path = (purpose: string) =>
  text(
    /^(\/(?!\.{1,2}(\/|$))[\w.@+-]+)+$/,
    "an absolute path of letters, digits and . _ @ + -, without . and .. as a folder",
    purpose,
  );

const paths = (purpose: string) => listOf(path("A file."), purpose).default([]);

/** They become names of files and of modules of rsync, where `global` is none, and keys of `/etc/<pair>/carries`. */
export const carriedNames: Names = {
  pattern: /^(?!global$)[a-z][a-z0-9_-]{0,30}$/,
  allowed:
    "at most 31 lower-case letters, digits, underscores and hyphens, beginning with a letter; not global",
};

/** Ports of what a pair carries, as the seed has them (rows 004-090, 004-092, 004-145). */
export const carriedPorts = { directories: 18993, index: 8983, indexCopies: 18983 } as const;

const index = z.strictObject({
  core: text(/^[A-Za-z][\w-]{0,62}$/, "the name of a Solr core", "The core that holds the index."),
  data: path("The core's data folder, which holds `index`."),
  port: tcpPort("TCP port of Solr.").default(carriedPorts.index),
  rsyncPort: tcpPort("TCP port of the rsync daemon that offers this index to the other machine.").default(
    carriedPorts.indexCopies,
  ),
});

const service = z.strictObject({
  unit: text(
    /^[\w.-]+@?$/,
    "the name of a systemd unit without `.service`; one that ends with @ has an instance for each port",
    "What runs. Its unit is on the machines already, or `software` puts it there.",
  ),
  on: field(
    z.enum(["production", "both"]),
    "production or both",
    "Where it runs: only on the machine that serves users, or on both.",
  ).default("production"),
  ports: listOf(tcpPort("A TCP port that it listens on."), "TCP ports that it listens on.").default([]),
  portsAs: text(
    /^[A-Z][A-Z0-9_]*PORTS$/,
    "a name that ends with PORTS, such as MONGREL_PORTS",
    "The name under which the ports stand in `/etc/<pair>/<pair>.conf`, for programs that read them there.",
  ).optional(),
  logs: paths("Log files that are there when it runs."),
});

const check = z.strictObject({
  path: text(/^\/\S*$/, "a path that begins with /", "What is asked for, at the service address.").default(
    "/",
  ),
  port: tcpPort("TCP port of the web server.").default(80),
  host: text(/^[a-z0-9.-]+$/, "the name of a site", "The site's name. Left out: the address.").optional(),
  status: wholeNumber(100, 599, "The status that the answer has.").default(200),
  contains: text(/^[^\p{Cc}]+$/u, "a text of one line", "What the answer contains.").optional(),
  logs: paths("Log files on production that grow when the page is asked for."),
});

/** What a pair carries besides its database, and how it is copied. */
export const carriedFields = {
  replication: field(
    z.enum(["streaming", "snapshot"]),
    "streaming or snapshot",
    "How the database gets to the standby: at once, or as a verified copy at each `copyAt`, between which the standby stands still.",
  ).default("streaming"),
  directories: mapOf(
    carriedNames,
    path("A directory that production writes to."),
    "Directories that the standby copies from production.",
  ).default({}),
  rsyncPort: tcpPort(
    "TCP port of the rsync daemon that offers the directories to the other machine.",
  ).default(carriedPorts.directories),
  indexes: mapOf(carriedNames, index, "Indexes of Solr that the standby copies from production.").default({}),
  services: mapOf(
    carriedNames,
    service,
    "What runs beside the database, started and stopped by role.",
  ).default({}),
  checks: mapOf(carriedNames, check, "Pages that must be served after a switch.").default({}),
  finalSync: field(
    z.enum(["required", "attempt", "skip"]),
    "required, attempt or skip",
    "Whether the latest data is got from a production that is in `suspect`, before it is cut off; with required nothing is changed without it.",
  ).default("attempt"),
  software: softwareScript(
    "demo/sounz",
    "The folder whose install.sh puts the pair's software on its machines. Left out: it is there.",
  ),
  copyAt: text(
    /^[\w*:/,.~ -]+$/,
    'a calendar event of systemd: "*-*-* 03:30" or "*:0/15"',
    "When the standby copies directories, indexes and, with `snapshot`, the database.",
  ).default("*:0/15"),
  maxCopyAgeMinutes: wholeNumber(
    1,
    60 * 24 * 366,
    "An older copy is alarmed; a machine with one is not made production without a word of yours.",
  ).default(26 * 60),
};
