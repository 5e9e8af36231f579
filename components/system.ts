import type { z } from "zod";
import type { Draft, Fields } from "../config/draft.ts";
import type { Names } from "../config/fields.ts";
import type { Problem } from "../config/problems.ts";
import type { PlatformName } from "../platforms/names.ts";
import type { Look } from "../transition/decide.ts";
import type { Operated, Site } from "../transition/site.ts";
import type { Table } from "../transition/table.ts";

/** A place of an entry that names a host. */
export interface HostUse {
  /** Below the entry, for example `["servers", "prodapp01"]`. */
  readonly path: readonly string[];
  readonly host: string;
  /** A host is named once under these words: "one machine of a pair", "one part in a pool". Left out: as often as one likes. */
  readonly once?: string;
  /** What to do when the host is in `unreachable` or `suspect`, where no step can do without it. Left out: the component copes. */
  readonly whenLost?: string;
  /** Words that may stand there too and are no host. */
  readonly besides?: readonly string[];
  /** It is no member, and what is said of members that leave is not for it. */
  readonly witness?: true;
}

/** Whom a port is open to: the hosts of the entry, the hosts' own network, or a network (CIDR). */
export type Source = "members" | "network" | (string & {});

/** A port that an entry listens on. */
export interface PortUse {
  /** Below the entry: the field that names the port, or would. */
  readonly path: readonly string[];
  readonly port: number;
  /** What listens, and for whom, in a few words. */
  readonly purpose: string;
  /** The hosts that listen. */
  readonly hosts: readonly string[];
  readonly from: readonly Source[];
  /** What listens once on a host, for however many entries. */
  readonly shared?: string;
  /** `again`: the listener is named elsewhere. `own`: other entries may not have the port, and this one may name it twice. */
  readonly counts?: "again" | "own";
}

/** A folder that an entry has to itself on hosts. */
export interface FolderUse {
  /** Below the entry: the field that names it, or would. */
  readonly path: readonly string[];
  readonly folder: string;
  readonly hosts: readonly string[];
  /** Entries that say the same word here may have one folder: each has its own part of it. */
  readonly shared?: string;
}

/** A host that was a member at the last update and is none in the file. */
export interface Gone {
  readonly host: string;
  /** `absent`: it leaves by way of `changeover:absent`. Else the words that refuse it. */
  readonly by: "absent" | { readonly path: readonly string[]; readonly text: string };
  /** Somebody must see that it serves nothing, since the entry goes on without it. */
  readonly mustBeSeen?: boolean;
}

/** A rule between the fields of an entry and the rest of a stack file. */
export type Rule = (name: string, fields: Fields, draft: Draft) => readonly Problem[];

/** A host to look at, read-only: a program of the scripts without `.py`, and its words. */
export interface LookRequest {
  readonly host: string;
  readonly probe: string;
  readonly words: readonly string[];
}

/** What a host answered to a request. */
export interface Seen<Facts = unknown> {
  readonly request: LookRequest;
  readonly look: Look<Facts>;
}

/** A transition as the documents show it. */
export interface Example {
  readonly title: string;
  readonly table: Table;
  /** How long the look before it may take on a host; left out: 15 s. */
  readonly lookSeconds?: number;
}

/** An entry as it may stand in a file, with hosts that look right and hosts that look wrong: the matrix of tests asks with it. */
export interface Sample {
  /** The entry's hosts, and any that entries beside it need. */
  readonly hosts: readonly string[];
  readonly entry: Fields;
  /** Entries of other systems that it needs. */
  readonly beside?: Readonly<Record<string, Fields>>;
  /** What a host says, by probe: as the state has it, and otherwise. */
  readonly facts: Readonly<Record<string, { readonly right: object; readonly wrong: object }>>;
}

/** Questions that are asked of every system; one without an answer says why beside the system. */
export type Question =
  | "entry dropped"
  | "host dropped"
  | "absent while used"
  | "unreachable"
  | "suspect"
  | "verify of a wrong host"
  | "a line in look"
  | "outcome with a host left out";

/** The face of a system that declares resources, loaded only by a program that operates one. */
export interface Component<Entry = unknown, Expected = unknown> {
  /** @param extra what the system that needs this entry first tells it. */
  declare(name: string, entry: Entry, site: Site, extra?: unknown): Operated<Expected>;
}

/**
 * A kind of thing that a stack operates: pairs, caches, pools. This is its pure face: no value of Pulumi's SDK is
 * reached from it, since each preflight is a process of its own that loads it. What is said of all systems alike is
 * written once over the registry, from these members.
 */
export interface System<Key extends string = string, Entry = unknown, Expected = unknown> {
  /** In the stack file. */
  readonly key: Key;
  /** In messages. */
  readonly noun: string;
  /** What its hosts are, at the beginning of a sentence: "Machines", "Nodes". */
  readonly members: string;
  /** In the schema. */
  readonly purpose: string;
  /** What entries may be called. */
  readonly names: Names;
  /** Where it is made; elsewhere the file is refused. */
  readonly platforms: readonly PlatformName[];

  /** The schema of one entry. @param platform undefined: the file names none that is known. */
  entry(platform: PlatformName | undefined): z.ZodType;
  /** An entry with the defaults that follow from its name. */
  complete?(name: string, entry: Entry): Entry;
  readonly hostsIn: (name: string, fields: Fields) => readonly HostUse[];
  /** Names that records on hosts stand under; no two systems may share one. */
  componentsOf(name: string, fields: Fields): readonly string[];
  /** Addresses that move with what it operates, beyond the hosts' own. */
  addresses?(name: string, entry: Entry): readonly string[];
  /** Folders that no other entry may have, hold or be in. */
  readonly folders?: (name: string, fields: Fields) => readonly FolderUse[];
  readonly opens: (name: string, fields: Fields) => readonly PortUse[];
  readonly rules: readonly Rule[];

  /** Members that left since the last update, and whatever else may not change. @param now undefined: the entry was dropped. */
  gone(name: string, before: Expected, now: Entry | undefined): readonly (Gone | Problem)[];
  /** What the outputs of the last release say of its entries, where `operated` is missing. */
  earlier(outputs: unknown): Readonly<Record<string, Expected>>;
  /**
   * What must be asked elsewhere before an entry may be what it is.
   *
   * @param outputs of the stack at its last update. @param ask for the outputs of another stack, by its full name.
   */
  admits?(
    name: string,
    entry: Entry,
    outputs: unknown,
    ask: (stack: string) => Promise<unknown>,
  ): Promise<readonly Problem[]>;
  /** What each preview warns of. @param before the entry at the last update; undefined: it is new. */
  remarks?(
    name: string,
    entry: Entry,
    before: Expected | undefined,
  ): readonly string[] | Promise<readonly string[]>;

  /** What is expected since the last update that ended well. @param outputs of the stack. Left out: the same. */
  ended?(name: string, expected: Expected, outputs: unknown): Expected;
  /** What `npm run verify` and `npm run look` ask. */
  looks(name: string, expected: Expected): readonly LookRequest[];
  /** Where hosts differ from the state, a line each, beyond their records. @param scripts where they are on a host. */
  differences(
    name: string,
    expected: Expected,
    seen: readonly Seen[],
    scripts: (host: string) => string,
  ): readonly string[];
  /** What a host that answered is, in a line without its name. @param elapsed seconds since it answered, for the ages. */
  describe(name: string, expected: Expected, seen: Seen, elapsed?: number): string;

  readonly examples: Readonly<Record<string, Example>>;
  readonly sample: Sample;
  /** Why a question has no answer here. */
  readonly exceptions: Readonly<Partial<Record<Question, string>>>;
  component(): Promise<Component<Entry, Expected>>;
}

/** A system as it is written down: checked against the interface, with its own types kept. */
export const system = <const Key extends string, Entry, Expected>(
  face: System<Key, Entry, Expected>,
): System<Key, Entry, Expected> => face;
