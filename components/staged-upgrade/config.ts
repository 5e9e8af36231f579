import { z } from "zod";
import { file, folder, hostName, hostNames, mark } from "../../config/common-fields.ts";
import { field, listOf, mapOf, type Names, softwareScript, text, wholeNumber } from "../../config/fields.ts";

/** Names of roles and smoke tests: parts of resource names. */
export const partNames: Names = {
  pattern: /^[a-z][a-z0-9-]{0,30}$/,
  allowed: "at most 31 lower-case letters, digits and hyphens, beginning with a letter",
};

const partName = (purpose: string) => text(partNames.pattern, partNames.allowed, purpose);

const commandLine = (purpose: string) => text(/^\S.*$/, "a shell command on one line", purpose);

const seconds = (purpose: string) => wholeNumber(1, 24 * 3600, purpose);

const commands = z
  .strictObject({
    stop: commandLine("Stops every service on a host. It may run twice."),
    start: commandLine(
      "Starts every service on a host. Left out: the reconfigure command starts them.",
    ).optional(),
    reconfigure: commandLine(
      "Reconfigures a host for the installed version; on the main host it migrates the database.",
    ),
    status: commandLine(
      "Prints one line for each service, as supervisord does: `name  RUNNING  pid 3031, uptime 2 days, 4:08:22`.",
    ),
    supervisor: commandLine(
      "Tells whether the supervisor of the services runs: by exit code 0, or by supervisorSays.",
    ),
    supervisorSays: text(
      /^\S.*$/,
      "a text on one line",
      "What the supervisor command prints if the supervisor runs. Left out: exit code 0 decides.",
    ),
  })
  .meta({
    description:
      "Commands that operate the software on a host, run as root. They are no secrets: previews, the state and process lists show them. A command reads a password from a file of root's on the host.",
  });

const database = z
  .strictObject({
    dump: file("The program that dumps the main database (mysqldump, mariadb-dump)."),
    client: file("The client program of the main database (mysql, mariadb)."),
    credentials: file(
      "The file with user and password on the main host, in the form of `--defaults-extra-file`; owner root, mode 0600 or 0400.",
    ),
    start: commandLine("Starts the main database while every other service is stopped; for going back."),
    stop: commandLine("Stops the main database, and no other service."),
  })
  .meta({ description: "The main database on the main host." });

const backup = z
  .strictObject({
    folder: folder(
      "The folder for backups on the main host. They go into a folder of their own in it, which only root enters.",
    ),
    keep: wholeNumber(1, 1000, "How many backups are kept, besides the backup to go back to.").default(3),
    maxAgeMinutes: wholeNumber(
      1,
      7 * 24 * 60,
      "No service is stopped if the backup is older (minutes): going back would lose everything written since.",
    ).default(60),
  })
  .meta({ description: "The backup that is made before services are stopped." });

const silence = z
  .strictObject({
    from: hostName("The host that runs both commands. Left out: the main host.").optional(),
    on: commandLine("Silences alerts and tells users. Runs once, before services are stopped.").optional(),
    off: commandLine("Turns alerts on again. A timer runs it if no update does.").optional(),
    minutes: wholeNumber(
      5,
      24 * 60,
      "The silence ends by itself after this many minutes, and later steps refuse. Set it longer than a whole upgrade.",
    ).default(240),
  })
  .meta({ description: "Alerts during the upgrade. The checks of this program are always silent then." })
  .prefault({});

const limits = z
  .strictObject({
    stop: seconds("The limit for stopping services.").default(300),
    package: seconds("The limit for downloading or installing the package.").default(1800),
    reconfigure: seconds("The limit for reconfiguring a host.").default(3600),
    healthy: seconds("The limit for services to become RUNNING.").default(300),
    backup: seconds("The limit for the backup, for its trial restore, and for a restore.").default(4 * 3600),
  })
  .meta({ description: "Limits for one host, in seconds." })
  .prefault({});

const smoke = mapOf(
  partNames,
  z.strictObject({
    on: hostName("The host that runs the test."),
    command: commandLine(
      "The test; exit code 0 means that it passed. Everybody who sees previews sees it: no secret belongs in it.",
    ),
    cleanUp: commandLine("Removes what the test made. Always runs, also after a failed test.").optional(),
    seconds: seconds("The limit for the test, and for its clean-up.").default(120),
  }),
  "Tests of what users do, run after the upgrade. Each must pass.",
).default({});

const soak = z
  .strictObject({
    stack: text(
      /^[\w.-]+\/[\w.-]+\/[\w.-]+$/,
      "a stack's full name: organization/project/stack",
      "The stack that must run a version first.",
    ),
    days: field(
      z.number().min(0).max(365),
      "a number of days from 0 to 365",
      "How many days the version must have passed all checks there.",
    ).default(7),
    override: text(
      /^\S+: \S.*$/,
      'a version and a reason: "7.4.1-1: closes a hole that is being used"',
      "Accepts one version without that, for a reason. Each preview shows it.",
    ).optional(),
  })
  .meta({ description: "Accepts only versions that another stack has run. Left out: any version." })
  .optional();

/** One package that is upgraded on many hosts, the main database first. */
export const upgradeEntry = z.strictObject({
  package: text(/^[a-z0-9][a-z0-9+.-]+$/, "the name of a package", "The package to upgrade."),
  version: text(
    /^(\d+:)?\d[A-Za-z0-9.+~^_-]*$/,
    'an exact version as the package manager prints it, in quotes: "7.4.0-1"',
    "The version on all hosts. Changing it plans an upgrade, or going back.",
  ),
  hosts: mapOf(
    hostNames,
    partName("The role of the host."),
    "The hosts with their roles. A host leaves by way of absent.",
  ),
  main: hostName("The host of the main database, reconfigured first. It can't become another host."),
  services: mapOf(
    partNames,
    listOf(
      text(/^[\w.@][\w.@:-]*$/, "the name of a service", "A service that must be RUNNING."),
      "The services that must be RUNNING on a host of the role.",
    ),
    "The services of each role, by the names that the status command prints.",
  ),
  software: softwareScript(
    "demo/scalr",
    "The folder whose install.sh prepares a host: repository and settings of the package. Left out: the host is prepared.",
  ),
  folder: file("The folder of the software on each host; its disk usage is checked."),
  diskPercent: wholeNumber(10, 99, "Refuse to start above this disk usage (percent).").default(80),
  commands,
  database,
  backup,
  kinds: mapOf(
    hostNames,
    field(z.enum(["deb", "rpm"]), "deb or rpm", "The package system of the host."),
    "The package system of hosts that have two. Other hosts are detected.",
  ).default({}),
  selfReconfigure: mark(
    "A file that keeps the package from reconfiguring by itself. It exists during the installation. Left out: the package never does.",
  ).optional(),
  silence,
  smoke,
  parallel: wholeNumber(1, 100, "How many hosts besides the main one are reconfigured at once.").default(4),
  seconds: limits,
  soak,
  acceptDataLoss: text(
    /^\d{8}T\d{6}: \S.*$/,
    'the backup that the refusal names, and a reason: "20261122T031500: the release is bad"',
    "Accepts that the main database goes back to this backup, and loses everything written after it; with a reason.",
  ).optional(),
});

/** One checked staged upgrade. */
export type StagedUpgrade = Readonly<z.output<typeof upgradeEntry>>;
