/** What a machine has beside the pair's data, on which a switch depends: `belongings` in `scripts/pair/belongings.py`. */
export interface Belongings {
  readonly version: string;
  /** The architecture of its processor. */
  readonly machine: string;
  /** The version of its time zones. */
  readonly zones: string | null;
  readonly settings: Readonly<Record<string, string>>;
  readonly slots: readonly {
    readonly name: string;
    readonly type: "physical" | "logical";
    readonly active: boolean;
  }[];
  /** Unlogged tables with rows, and unlogged sequences. */
  readonly unlogged: readonly string[];
  /** Files that a database names and the machine doesn't have. */
  readonly missing: readonly string[];
  /** Extensions without their files of installation. */
  readonly extensions: readonly string[];
  readonly subscriptions: readonly string[];
  /** Databases that gave no answer. */
  readonly unseen: readonly string[];
  /** Versions of the collations that indexes are sorted by, by collation and database. */
  readonly collations: Readonly<Record<string, string>>;
}

/** A machine and its belongings. */
interface Owner {
  readonly host: string;
  readonly has: Belongings;
}

export interface LeftBehind {
  readonly refusals: readonly string[];
  readonly notes: readonly string[];
}

/** What is lost is accepted for one epoch, by the line that the refusal prints. */
export interface Accepting {
  readonly isAccepted: boolean;
  readonly command: (why: string) => string;
}

/** No user waits for more than these. */
const namesShown = 12;

/** The name of a host's slot: `slot_of` in `scripts/pair/lib.sh`. */
const slotOf = (host: string): string => host.replaceAll("-", "_");

function listed(names: readonly string[]): string {
  const more = names.length - namesShown;
  return more > 0 ? `${names.slice(0, namesShown).join(", ")} and ${String(more)} more` : names.join(", ");
}

/**
 * What a switch from `from` to `to` would lose or leave behind. What loses data or breaks the service is refused, with its cure; the
 * rest is told.
 */
export function leftBehind(from: Owner, to: Owner, accepting: Accepting): LeftBehind {
  const { isAccepted, command } = accepting;
  const losses = lossesOf(from, to).map(({ what, why }) => `${what}. To accept that: ${command(why)}`);
  return {
    refusals: [...(isAccepted ? [] : losses), ...breaksOf(from, to)],
    notes: [
      ...(isAccepted ? lossesOf(from, to).map(({ what }) => `accepted: ${what}`) : []),
      ...notesOf(from, to),
    ],
  };
}

function lossesOf(from: Owner, to: Owner): { readonly what: string; readonly why: string }[] {
  const found: { what: string; why: string }[] = [];
  const { unlogged } = from.has;
  if (unlogged.length > 0)
    found.push({
      what: `${from.host} has unlogged tables or sequences, which the switch empties: ${listed(unlogged)}; make them logged (alter table … set logged), or empty them`,
      why: "who can do without their rows",
    });
  const logical = from.has.slots.filter(({ type }) => type === "logical").map(({ name }) => name);
  if (logical.length > 0)
    found.push({
      what: `${from.host} has logical replication slots, which ${to.host} will not have: ${listed(logical)}; let their consumers read all, drop them, and make them anew on ${to.host} after the switch`,
      why: "who starts their consumers anew",
    });
  if (archives(from.has) && !archives(to.has))
    found.push({
      what: `${from.host} archives its log and ${to.host} would not (archive_mode ${to.has.settings.archive_mode ?? "off"}), so backups would end with the switch; set archive_mode and archive_command on ${to.host}, and restart PostgreSQL there`,
      why: "what replaces the archive",
    });
  const sorted = Object.entries(from.has.collations).filter(
    ([name, version]) => (to.has.collations[name] ?? version) !== version,
  );
  if (sorted.length > 0)
    found.push({
      what: `${from.host} and ${to.host} sort text differently, so indexes would be wrong on ${to.host}: ${listed(sorted.map(([name, version]) => `${name} ${version} and ${to.has.collations[name] ?? ""}`))}; install the same release of the system on both`,
      why: "who reindexes after the switch",
    });
  return found;
}

const archives = ({ settings }: Belongings): boolean =>
  ["on", "always"].includes(settings.archive_mode ?? "") &&
  [settings.archive_command, settings.archive_library].some((value) => value !== undefined && value !== "");

const words = (list: string | undefined): string[] =>
  (list ?? "").split(",").flatMap((one) => one.trim() || []);

/** What would not work after the switch, and has a cure before it. */
function breaksOf(from: Owner, to: Owner): string[] {
  const { settings } = to.has;
  const found: string[] = [];
  const missing = to.has.missing.filter((file) => !from.has.missing.includes(file));
  if (missing.length > 0)
    found.push(
      `${to.host} lacks files that the database uses: ${listed(missing)}; install them as on ${from.host}`,
    );
  const loaded = words(settings.shared_preload_libraries);
  const unloaded = words(from.has.settings.shared_preload_libraries).filter((one) => !loaded.includes(one));
  if (unloaded.length > 0)
    found.push(
      `${to.host} does not load ${listed(unloaded)} as ${from.host} does; add it to shared_preload_libraries on ${to.host}, and restart PostgreSQL there`,
    );
  if (from.has.settings.ssl === "on" && settings.ssl === "off")
    found.push(`${to.host} offers no TLS (ssl off) and ${from.host} does; set ssl on ${to.host}`);
  if (settings.synchronous_standby_names)
    found.push(
      `${to.host} would wait for other standbys at each commit (synchronous_standby_names ${settings.synchronous_standby_names}); remove that setting on ${to.host}`,
    );
  if (
    settings.default_transaction_read_only === "on" &&
    from.has.settings.default_transaction_read_only !== "on"
  )
    found.push(
      `${to.host} would reject writes (default_transaction_read_only on); remove that setting on ${to.host}`,
    );
  const room = Number(settings.max_replication_slots);
  const own = to.has.slots.some(({ name }) => name === slotOf(from.host));
  if (!own && to.has.slots.length >= room)
    found.push(
      `${to.host} has no room for the slot of ${from.host} (max_replication_slots ${String(room)}, in use: ${listed(to.has.slots.map(({ name }) => name))}); drop one, or raise it`,
    );
  return found;
}

/** Settings that are told elsewhere, or that the pair sets by role. */
const toldElsewhere = new Set([
  "archive_mode",
  "shared_preload_libraries",
  "synchronous_standby_names",
  "default_transaction_read_only",
]);

function notesOf(from: Owner, to: Owner): string[] {
  const notes: string[] = [];
  const others = from.has.slots.filter(
    ({ name, type }) => type === "physical" && name !== slotOf(to.host) && name !== slotOf(from.host),
  );
  if (others.length > 0)
    notes.push(
      `${from.host} keeps log for others in ${listed(others.map(({ name }) => name))}; those slots stay there, and ${to.host} has none: make them after the switch`,
    );
  const names = Object.keys(from.has.settings).filter(
    (name) =>
      !toldElsewhere.has(name) &&
      name in to.has.settings &&
      from.has.settings[name] !== to.has.settings[name],
  );
  if (names.length > 0)
    notes.push(
      `settings differ: ${listed(names.map((name) => `${name} ${from.has.settings[name] ?? ""} on ${from.host}, ${to.has.settings[name] ?? ""} on ${to.host}`))}`,
    );
  for (const [what, one, two] of [
    ["PostgreSQL", from.has.version, to.has.version],
    ["processor", from.has.machine, to.has.machine],
    ["time zones", from.has.zones, to.has.zones],
  ] as const)
    if (one !== two) notes.push(`${what}: ${one ?? "none"} on ${from.host}, ${two ?? "none"} on ${to.host}`);
  const extensions = to.has.extensions.filter((one) => !from.has.extensions.includes(one));
  if (extensions.length > 0)
    notes.push(`${to.host} can't update extensions that it has no files of: ${listed(extensions)}`);
  if (from.has.subscriptions.length > 0)
    notes.push(
      `${to.host} goes on with the subscriptions of ${from.host}, if their publishers admit it: ${listed(from.has.subscriptions)}`,
    );
  for (const { host, has } of [from, to])
    if (has.unseen.length > 0)
      notes.push(`${host} gave no answer in databases ${listed(has.unseen)}; nobody looked at them`);
  return notes;
}
