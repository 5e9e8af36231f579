import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { systems as registry } from "./components/registry.ts";
import type { Component, System } from "./components/system.ts";
import type { LastState } from "./config/last-state.ts";
import { entriesOf, type StackConfig } from "./config.ts";
import type { Platform, SshTarget } from "./platforms/platform.ts";
import { sshConfigOf } from "./platforms/ssh-config.ts";
import { AbsentHosts } from "./transition/absent.ts";
import { readScripts } from "./transition/scripts.ts";
import { type Operated, Site } from "./transition/site.ts";
import { scriptsCopy } from "./transition/step.ts";
import type { Member } from "./transition/args.ts";
import type { RunBook } from "./transition/run-book.ts";
import type { Transition } from "./transition/transition.ts";

/** The outcome of an entry that the last update did not bring to its end. */
export const open = "open: the last update did not end here; npx pulumi up goes on where it stopped";

/** An entry of the stack file, with what became of it. */
interface Declared {
  readonly key: string;
  readonly name: string;
  readonly operated: Operated;
  /** Its own: not those of entries that it needs. */
  readonly transitions: readonly Transition[];
}

/** What the tools and the next update read of a stack. People read the outputs of the stack itself. */
class Estate extends pulumi.ComponentResource {
  constructor(facts: pulumi.Inputs) {
    super("changeover:index:Estate", "estate");
    this.registerOutputs(facts);
  }
}

/**
 * How long transitions took. A component keeps the outputs of the state only while its inputs stay as they are, and registers
 * others once; so this one has no inputs, and registers when everything has ended.
 */
class Measured extends pulumi.ComponentResource {
  constructor(transitions: readonly Transition[]) {
    super("changeover:index:Measured", "measured");
    const runs = Object.fromEntries(transitions.map(({ name, runs: measured }) => [name, measured]));
    this.registerOutputs({ runs });
  }
}

/** By output, and then by entry. */
type ByOutput<Value> = Readonly<Record<string, Readonly<Record<string, Value>>>>;

/** What a program has declared. */
export interface DeclaredEstate {
  /** What is exported once all of it has ended well. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** What the tools and the next update read. */
  readonly facts: pulumi.Inputs;
  /** By entry: known as soon as it has ended. */
  readonly outcome: Readonly<Record<string, pulumi.Output<string>>>;
  /** What other outputs say of how far the update came, while some entries have not ended. */
  readonly reached: (isOpen: (name: string) => boolean) => ByOutput<object>;
  /** What this update does, in order; only a preview asks. */
  readonly runBooks: () => Promise<readonly RunBook[]>;
}

/**
 * Everything that one stack operates, and what it exports about it.
 *
 * @param last what the last update left. @param systems what a stack file may name.
 */
export async function declareEstate(
  config: StackConfig,
  platform: Platform,
  last?: LastState,
  systems: readonly System[] = registry,
): Promise<DeclaredEstate> {
  const components = await loaded(config, systems);
  // Hosts record the stack that operates them; another one is refused.
  const stack = new random.RandomId("stack", { byteLength: 8 });
  const members = membersOf(config, platform);
  const leaving = [...members.values()].filter(({ host }) => config.absent.includes(host.name));
  const absent = leaving.length === 0 ? undefined : new AbsentHosts(leaving, stack.hex);
  const { declared, site } = declareEntries(config, components, (use) => ({
    platform,
    members,
    stack: stack.hex,
    adopt: config.adopt,
    last,
    use,
    unreachable: [...config.unreachable, ...config.suspect],
    suspect: config.suspect,
    after: absent?.looked ?? [],
    entries: (key) => entriesOf(config, key),
  }));
  const retired = absent?.retire(declared.flatMap(({ operated }) => [...operated.finished]));
  const facts = { stackId: stack.hex, operated: operatedOf(declared), targets: targetsOf(members, retired) };
  new Estate(facts);
  new Measured(site.transitions);
  const outcome = Object.fromEntries(declared.map((one) => [one.name, outcomeOf(one)]));
  return {
    outputs: {
      machines: platform.outputs,
      sshConfig: sshConfigFor(members),
      outcome,
      ...outputsOf(declared),
      ...reachedOf(declared, ({ name, ended, before }) =>
        (outcome[name] ?? pulumi.output(open)).apply((text) => (text === open ? before : ended)),
      ),
    },
    facts,
    outcome,
    reached: (isOpen) => reachedOf(declared, ({ name, ended, before }) => (isOpen(name) ? before : ended)),
    runBooks: async () => {
      const books = await Promise.all(site.transitions.map((transition) => transition.runBook()));
      return [await absent?.runBook(), ...books].filter((book) => book !== undefined);
    },
  };
}

/** An update says that an entry is complete when it is; a preview says what it will be. */
const outcomeOf = ({ operated: { finished, outcome }, transitions }: Declared): pulumi.Output<string> =>
  pulumi.runtime.isDryRun()
    ? pulumi.output(outcome)
    : pulumi
        .all([
          pulumi.all(transitions.map(({ complete }) => complete)),
          pulumi.all(finished.map(({ urn }) => urn)),
        ])
        .apply(([complete]) => (complete.every(Boolean) ? outcome : open));

/** The components of the systems that the file uses; the others are not loaded. */
async function loaded(
  config: StackConfig,
  systems: readonly System[],
): Promise<ReadonlyMap<string, Component>> {
  const used = systems.filter(({ key }) => Object.keys(entriesOf(config, key)).length > 0);
  return new Map(
    await Promise.all(
      used.map(async (one): Promise<[string, Component]> => [one.key, await one.component()]),
    ),
  );
}

/** Each entry once, by whoever needs it first. */
function declareEntries(
  config: StackConfig,
  components: ReadonlyMap<string, Component>,
  siteWith: (use: Site["use"]) => ConstructorParameters<typeof Site>[0],
): { readonly declared: readonly Declared[]; readonly site: Site } {
  const declared = new Map<string, Declared>();
  const use: Site["use"] = (key, name, extra) => {
    const known = declared.get(`${key}.${name}`);
    if (known) return known.operated;
    const [component, entry] = [components.get(key), entriesOf(config, key)[name]];
    if (!component || entry === undefined) throw new pulumi.RunError(`changeover:${key} has no ${name}`);
    const before = site.transitions.length;
    const operated = component.declare(name, entry, site, extra);
    const others = new Set([...declared.values()].flatMap((one) => one.transitions));
    const transitions = site.transitions.slice(before).filter((one) => !others.has(one));
    declared.set(`${key}.${name}`, { key, name, operated, transitions });
    return operated;
  };
  const site = new Site(siteWith(use));
  for (const key of components.keys()) for (const name of Object.keys(entriesOf(config, key))) use(key, name);
  return { declared: [...declared.values()], site };
}

function membersOf(config: StackConfig, platform: Platform): ReadonlyMap<string, Member> {
  const scripts = readScripts();
  return new Map(
    [...platform.hosts].map(([name, host]) => {
      const suspect = config.suspect.includes(name);
      const unreachable = suspect || config.unreachable.includes(name);
      const copy = unreachable ? undefined : scriptsCopy(host, scripts);
      return [name, { host, unreachable, suspect, release: scripts.release, scripts: copy }];
    }),
  );
}

/** Aliases for SSH, one a host. */
function sshConfigFor(members: ReadonlyMap<string, Member>): pulumi.Output<string> {
  const targets = pulumi.all(Object.fromEntries([...members].map(([name, { host }]) => [name, host.ssh])));
  return targets.apply((all) => sshConfigOf(new Map(Object.entries(all) as [string, SshTarget][])));
}

/** What components export. */
const outputsOf = (declared: readonly Declared[]): ByOutput<pulumi.Input<unknown>> =>
  byOutput(declared.map(({ name, operated }) => [name, operated.outputs ?? {}]));

/** What components export of how far they came. */
const reachedOf = <Value>(
  declared: readonly Declared[],
  choose: (one: { readonly name: string; readonly ended: object; readonly before: object }) => Value,
): ByOutput<Value> =>
  byOutput(
    declared.map(({ name, operated }) => [
      name,
      Object.fromEntries(
        Object.entries(operated.reached ?? {}).map(([output, one]) => [output, choose({ name, ...one })]),
      ),
    ]),
  );

function byOutput<Value>(
  entries: readonly (readonly [name: string, outputs: Readonly<Record<string, Value>>])[],
): ByOutput<Value> {
  const outputs: Record<string, Record<string, Value>> = {};
  for (const [name, own] of entries)
    for (const [output, value] of Object.entries(own))
      outputs[output] = { ...outputs[output], [name]: value };
  return outputs;
}

/** What the tools and the next update read, by system and entry. */
function operatedOf(declared: readonly Declared[]): pulumi.Output<unknown> {
  const all: Record<string, Record<string, object>> = {};
  for (const { key, name, operated } of declared) {
    const { hosts, marks, outcome, expected } = operated;
    all[key] = { ...all[key], [name]: { hosts, outcome, expected, marks: pulumi.all([...marks]) } };
  }
  return pulumi.output(all);
}

const targetsOf = (
  members: ReadonlyMap<string, Member>,
  retired: ReadonlyMap<string, pulumi.Output<string>> | undefined,
): pulumi.Output<unknown> =>
  pulumi.output(
    Object.fromEntries(
      [...members].map(([name, { host, release, unreachable }]) => [
        name,
        { ssh: host.ssh, release, unreachable, absent: retired?.get(name) },
      ]),
    ),
  );
