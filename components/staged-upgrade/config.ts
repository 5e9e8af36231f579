import { z } from "zod";
import { hostName, hostNames } from "../../config/common-fields.ts";
import { field, listOf, mapOf, type Names, softwareScript, text, wholeNumber } from "../../config/fields.ts";

/** They become names of files, units and, before a hyphen, of records on hosts. */
export const upgradeNames: Names = {
  pattern: /^[a-z][a-z0-9_]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and underscores, beginning with a letter",
};

/** Roles and smoke tests are parts of resource names. */
export const partNames: Names = {
  pattern: /^[a-z][a-z0-9-]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and hyphens, beginning with a letter",
};

const partName = (purpose: string) => text(partNames.pattern, partNames.allowed, purpose);

const path = (purpose: string) =>
  text(
    /^\/[\w@.+/-]*[\w@.+-]$/,
    "an absolute path of letters, digits and . _ @ + -, without a slash at its end",
    purpose,
  );

const commandLine = (purpose: string) => text(/^\S.*$/, "a shell command, on one line", purpose);

const seconds = (purpose: string) => wholeNumber(1, 24 * 3600, purpose);

const commands = z
  .strictObject({
    stop: commandLine("Stops every service on a host. It may be run twice."),
    start: commandLine(
      "Starts every service on a host. Left out: the reconfigure does, and nothing else is tried.",
    ).optional(),
    reconfigure: commandLine(
      "Brings a host to its package's version; on the main host it migrates the database.",
    ),
    status: commandLine(
      "Prints a line a service as supervisord does: `name  RUNNING  pid 3031, uptime 2 days, 4:08:22`.",
    ),
    supervisor: commandLine("Says whether the supervisor of the services runs."),
    supervisorSays: text(/^\S.*$/, "a text", "What it prints when it does."),
  })
  .meta({ description: "How the software is operated on a host; run as root." });

const database = z
  .strictObject({
    dump: path("The program that dumps the database (mysqldump, mariadb-dump)."),
    client: path("Its client (mysql, mariadb)."),
    credentials: path(
      "The file on the main host with user and password, as the client's `--defaults-extra-file`; root's, mode 0600.",
    ),
    start: commandLine("Starts the database alone, while all else is stopped; for the way back."),
    stop: commandLine("Stops the database alone."),
  })
  .meta({ description: "The main database, on the main host." });

const backup = z
  .strictObject({
    folder: path("Where backups are on the main host."),
    keep: wholeNumber(1, 1000, "How many are kept; the one to go back to is always one more.").default(3),
    maxAgeMinutes: wholeNumber(
      1,
      7 * 24 * 60,
      "Nothing is stopped when the backup is older: what was written since would be lost on the way back.",
    ).default(60),
  })
  .meta({ description: "The backup before the stop." });

const silence = z
  .strictObject({
    from: hostName("The host on which the two commands are run. Left out: the main host.").optional(),
    on: commandLine("Silences alerts, and tells users; run once, before anything is stopped.").optional(),
    off: commandLine("Takes that back; also run by a timer when nobody else does.").optional(),
    minutes: wholeNumber(
      5,
      24 * 60,
      "The silence ends by itself after so many minutes, and steps that come later refuse: longer than the whole run.",
    ).default(240),
  })
  .meta({ description: "Alerts during the upgrade. The checks of this program are silent meanwhile." })
  .prefault({});

const limits = z
  .strictObject({
    stop: seconds("How long the stop may take.").default(300),
    package: seconds("How long the package may take.").default(1800),
    reconfigure: seconds("How long the reconfigure may take.").default(3600),
    healthy: seconds("How long services may take until they are RUNNING.").default(300),
    backup: seconds("How long the backup may take, and its trial.").default(4 * 3600),
  })
  .meta({ description: "Limits, in seconds." })
  .prefault({});

const smoke = mapOf(
  partNames,
  z.strictObject({
    on: hostName("The host that it is run on."),
    command: commandLine("Ends with 0 when what it tests works."),
    cleanUp: commandLine("Takes away what it has made; always run, whatever became of it.").optional(),
    seconds: seconds("How long it may take.").default(120),
  }),
  "Tests of what users do, after the upgrade; each must pass.",
).default({});

const soak = z
  .strictObject({
    stack: text(
      /^[\w.-]+\/[\w.-]+\/[\w.-]+$/,
      "a stack's full name: organization/project/stack",
      "The stack that runs a version before this one does.",
    ),
    days: field(
      z.number().min(0).max(365),
      "a number of days from 0 to 365",
      "How long it must have run there, all checks passed.",
    ).default(7),
    override: text(
      /^\S+: \S.*$/,
      'a version and a reason: "7.4.1-1: closes a hole that is being used"',
      "Why a version need not have run there. It holds for that version alone, and the preview shows it.",
    ).optional(),
  })
  .meta({ description: "Which versions are allowed here, by another stack. Left out: any." })
  .optional();

/** One package that is upgraded over many hosts, the main database first. */
export const upgradeEntry = z.strictObject({
  package: text(/^[a-z0-9][a-z0-9+.-]+$/, "the name of a package", "The package."),
  version: text(
    /^(\d+:)?\d[A-Za-z0-9.+~^_-]*$/,
    'an exact version as the package manager prints it, in quotes: "7.4.0-1"',
    "The version that runs on all hosts. A change plans the upgrade, or the way back.",
  ),
  hosts: mapOf(hostNames, partName("Its role."), "The hosts; one leaves by way of absent."),
  main: hostName("The host of the main database: reconfigured first, and never another."),
  services: mapOf(
    partNames,
    listOf(
      text(/^[\w.@:-]+$/, "the name of a service", "A service that must be RUNNING."),
      "What must be RUNNING on a host of the role.",
    ),
    "The services of each role, by the names that `status` prints.",
  ),
  software: softwareScript(
    "demo/scalr",
    "The folder whose install.sh makes a host ready before anything is installed: its repository, the package's settings. Left out: they are there.",
  ),
  folder: path("Where the software is on each host; its file system is watched."),
  diskPercent: wholeNumber(10, 99, "More of a file system is not to be in use, in percent.").default(80),
  commands,
  database,
  backup,
  kinds: mapOf(
    hostNames,
    field(z.enum(["deb", "rpm"]), "deb or rpm", "Its package system."),
    "The package system of hosts that have two; of the others it is seen.",
  ).default({}),
  selfReconfigure: path(
    "A file that keeps the package from reconfiguring by itself; it is there while the package is installed. Left out: the package does not.",
  ).optional(),
  silence,
  smoke,
  parallel: wholeNumber(1, 100, "How many of the other hosts are reconfigured at once.").default(4),
  seconds: limits,
  soak,
  acceptDataLoss: text(
    /^\d{8}T\d{6}: \S.*$/,
    'the backup that the refusal names, and a reason: "20261122T031500: the release is bad"',
    "Why the database may go back to that backup, which loses what was written after it.",
  ).optional(),
});

/** The same, checked. */
export type StagedUpgrade = Readonly<z.output<typeof upgradeEntry>>;
