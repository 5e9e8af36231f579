import { z } from "zod";
import { file, folder, unit } from "../../config/common-fields.ts";
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

const files = (purpose: string) => listOf(file("A file."), purpose).default([]);

/** They become names of files and keys of `/etc/<pair>/carries`, and modules of rsync, where `global` is reserved. */
export const carriedNames: Names = {
  pattern: /^(?!global$)[a-z][a-z0-9_-]{0,30}$/,
  allowed:
    "at most 31 lower-case letters, digits, underscores and hyphens, beginning with a letter; not global",
};

/** Default ports of what a pair carries. */
export const carriedPorts = { directories: 18993, index: 8983, indexCopies: 18983, pages: 80 } as const;

const index = z.strictObject({
  core: text(/^[A-Za-z][\w-]{0,62}$/, "the name of a Solr core", "The Solr core of the index."),
  data: folder("The core's data folder, which contains `index`."),
  port: tcpPort("TCP port of Solr.").default(carriedPorts.index),
  rsyncPort: tcpPort("TCP port of the rsync daemon that offers this index to the standby.").default(
    carriedPorts.indexCopies,
  ),
});

const service = z.strictObject({
  unit: unit(
    /^[A-Za-z0-9_][\w.-]*@?$/,
    "the name of a systemd unit without `.service`; a name that ends with @ has an instance for each port",
    "The systemd unit. It is already installed on both machines, or `software` installs it.",
  ),
  on: field(
    z.enum(["production", "both"]),
    "production or both",
    "`production`: runs only on the machine that serves users. `both`: runs on both machines.",
  ).default("production"),
  ports: listOf(tcpPort("A TCP port of the service."), "TCP ports of the service.").default([]),
  portsAs: text(
    /^[A-Z][A-Z0-9_]*PORTS$/,
    "a name that ends with PORTS, such as MONGREL_PORTS",
    "The key of the ports in `/etc/<pair>/<pair>.conf`, for programs that read that file.",
  ).optional(),
  logs: files("Log files that exist while the service runs."),
});

const check = z.strictObject({
  path: text(/^\/\S*$/, "a path that begins with /", "The page to request at the service address.").default(
    "/",
  ),
  port: tcpPort("TCP port of the web server.").default(carriedPorts.pages),
  host: text(
    /^[a-z0-9][a-z0-9.-]*$/,
    "the name of a site",
    "The host name of the request. Left out: the service address.",
  ).optional(),
  status: wholeNumber(100, 599, "The required status of the answer.").default(200),
  contains: text(/^[^\p{Cc}]+$/u, "a text of one line", "A text that the answer must contain.").optional(),
  logs: files("Log files on production that grow when the page is requested."),
});

/** Fields for what a pair carries besides its database. */
export const carriedFields = {
  replication: field(
    z.enum(["streaming", "snapshot"]),
    "streaming or snapshot",
    "How the standby gets the database. `streaming`: continuously. `snapshot`: as a verified copy at each `copyAt`.",
  ).default("streaming"),
  directories: mapOf(
    carriedNames,
    folder("A directory on both machines."),
    "Directories that the standby copies from production.",
  ).default({}),
  rsyncPort: tcpPort("TCP port of the rsync daemon that offers the directories to the standby.").default(
    carriedPorts.directories,
  ),
  indexes: mapOf(carriedNames, index, "Indexes of Solr that the standby copies from production.").default({}),
  services: mapOf(
    carriedNames,
    service,
    "Services besides the database, started and stopped by role.",
  ).default({}),
  checks: mapOf(carriedNames, check, "Pages that production must serve after a switch.").default({}),
  finalSync: field(
    z.enum(["required", "attempt", "skip"]),
    "required, attempt or skip",
    "Copy the latest data from an old production in `suspect` before it is cut off. `required`: stop if that fails. `attempt`: continue. `skip`: do not try.",
  ).default("attempt"),
  software: softwareScript(
    "demo/sounz",
    "The folder whose install.sh installs the pair's software on both machines. Left out: it is already installed.",
  ),
  copyAt: text(
    /^[\w*][\w*:/,.~ -]*$/,
    'a calendar event of systemd: "*-*-* 03:30" or "*:0/15"',
    "When the standby copies directories, indexes and, with `snapshot`, the database.",
  ).default("*:0/15"),
  maxCopyAgeMinutes: wholeNumber(
    1,
    60 * 24 * 366,
    "Refuse to make a machine production if a copy on it is older (minutes). acceptDataLoss overrides it in an emergency.",
  ).default(26 * 60),
};
