import { z } from "zod";

const texts = z.array(z.string());
const seconds = z.number().nonnegative();
const when = z.iso.datetime().describe("UTC.");

const step = z.strictObject({
  name: z.string().describe("The resource's name."),
  host: z.string().describe("A host, `operator`, or `platform`."),
  says: z.string().describe("What is so afterwards."),
  planned: z.boolean().describe("This update runs it; a step that is not planned has run before."),
  conditional: z
    .boolean()
    .describe("It runs only when something before it was bad, or was found to be needed."),
  pointOfNoReturn: z.boolean(),
  usualSeconds: seconds
    .nullable()
    .describe("The median of comparable runs on this stack; null: not measured."),
  deadlineSeconds: seconds.nullable().describe("It is ended then; null: the row names none."),
});

const measured = {
  measuredSeconds: z.array(seconds).describe("Of comparable runs on this stack, newest first."),
  atMostSeconds: seconds.nullable().describe("What the deadlines of its rows add up to."),
};

const transition = z.strictObject({
  name: z.string(),
  state: z
    .enum(["planned", "open", "hosts"])
    .describe("A new goal; an update stopped half-way; the same goal for hosts that are new."),
  work: z.string().describe("What the update does for the goal, in words; empty: the same goal once more."),
  first: z.boolean().describe("The state knows of no goal before."),
  goal: z.record(z.string(), z.strictObject({ from: z.string().nullable(), to: z.string().nullable() })),
  users: z
    .strictObject({
      notice: z.string(),
      from: z.string().describe("The row that it begins with."),
      to: z.string().nullable().describe("The row that it ends with; null: a later transition ends it."),
      ...measured,
    })
    .nullable()
    .describe("What users notice; null: nothing."),
  ...measured,
  pointOfNoReturn: texts.describe("Rows after which ending the update does not bring back what was before."),
  wayBack: z.string(),
  needs: texts.describe("What a person brings or decides before the update."),
  skipped: texts.describe("Hosts that no step runs on, each with the reason."),
  after: texts.describe("Transitions of this update that end before it begins."),
  epoch: z.int().nonnegative().nullable().describe("The last one that the state knows of."),
  phases: z.array(z.strictObject({ name: z.string(), steps: z.array(step) })),
});

const facts = z.strictObject({
  source: z
    .enum(["live", "look", "nobody"])
    .describe("Hosts were asked for this document; the last `npm run look`; nobody looked lately."),
  at: when.nullable(),
  by: z.string().nullable(),
  says: z.string().describe("Who looked, and when, in words."),
  lines: texts,
});

const refusal = z.strictObject({
  transitions: texts.describe("Whose looks found it."),
  text: z.string().describe("Fact, value, allowed, cure: word for word what `up` would say."),
  after: texts.describe("Transitions that end before and may change it; empty: it would be refused now."),
});

const resources = z.strictObject({
  counts: z
    .record(z.string(), z.int().nonnegative())
    .describe("All resources of the preview, by what is done."),
  copies: z.int().nonnegative().describe("Scripts, software and archives that are copied to hosts."),
  others: z
    .record(z.string(), z.int().nonnegative())
    .describe("Neither steps nor copies: machines, networks, passwords."),
  destroyed: z.array(
    z.strictObject({ name: z.string(), type: z.string(), op: z.enum(["delete", "replace"]) }),
  ),
  leaving: texts.describe("Transitions that leave the state; no step of theirs runs."),
  reworded: z.int().nonnegative().describe("Transitions whose steps only get other words."),
});

/** What `npm run runbook -- --json` writes. */
export const documentSchema = z.strictObject({
  version: z.literal(1),
  project: z.string(),
  stack: z.string(),
  stackId: z.string().nullable(),
  commit: z.string().nullable(),
  at: when,
  verdict: z
    .enum(["nothing", "plan", "refused", "error"])
    .describe(
      "Nothing to do; something to do; it would be refused now; the program or its config has an error.",
    ),
  transitions: z.array(transition).describe("In the order in which the update carries them out."),
  facts,
  refusals: z.array(refusal),
  unanswered: texts.describe("Hosts that gave no answer when they were asked for this document."),
  resources,
  diagnostics: z.array(z.strictObject({ severity: z.string(), text: z.string() })),
});

export type RunBookDocument = z.infer<typeof documentSchema>;
export type DocumentTransition = RunBookDocument["transitions"][number];
export type DocumentStep = z.infer<typeof step>;
export type Facts = z.infer<typeof facts>;
export type Refusal = z.infer<typeof refusal>;
export type ResourcesToo = z.infer<typeof resources>;
