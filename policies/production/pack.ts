import { PolicyPack, type ResourceValidationPolicy } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import { validMs } from "../../config/last-look.ts";
import { refusalOfProduction, refusalOfRisk, refusalWithoutState } from "./decide.ts";
import { type Before, type Keepers, lineOf, lookAge, stackFile, stateBefore } from "./evidence.ts";

/** Keys of a pair that permit loss. */
const risks = ["acceptDataLoss", "acceptSplitBrainRisk"];

let state: Before | undefined;

/** The pair whose switch has this id; undefined for every other resource. */
const pairOf = (type: string, name: string): string | undefined =>
  type === "random:index/randomId:RandomId" ? /^(.+)-switch-id$/.exec(name)?.[1] : undefined;

const production: ResourceValidationPolicy = {
  name: "production-has-a-reason",
  description: "Production of a pair changes with a reason in the commit, or right after a look.",
  enforcementLevel: "mandatory",
  validateResource: ({ type, name, props }, report) => {
    const pair = pairOf(type, name);
    if (pair === undefined) return;
    const stack = pulumi.getStack();
    try {
      // Read once: an update of several pairs changes it in between.
      state ??= stateBefore([pulumi.getOrganization(), pulumi.getProject(), stack].join("/"));
    } catch (error) {
      report(refusalWithoutState(pair, stack, (error as Error).message));
      return;
    }
    const from = state.keepers.get(name)?.production;
    // Only this keeper is read: others may be unknown in a preview.
    const to = (props.keepers as Keepers).production;
    if (from === undefined || to === undefined || from === to) return;
    const refusal = refusalOfProduction({
      ...{ stack, pair, from, to },
      line: lineOf(stackFile(stack), pair, "production"),
      lookAgeMs: lookAge(state.stackId, Date.now()),
      lookValidMs: validMs,
    });
    if (refusal !== undefined) report(refusal);
  },
};

const accepted: ResourceValidationPolicy = {
  name: "accepted-risk-has-a-reason",
  description: "A line that permits loss has a reason in its commit.",
  enforcementLevel: "mandatory",
  validateResource: ({ type, name }, report) => {
    const pair = pairOf(type, name);
    if (pair === undefined) return;
    const stack = pulumi.getStack();
    for (const key of risks) {
      const line = lineOf(stackFile(stack), pair, key);
      const refusal = line && refusalOfRisk({ stack, pair, key, line });
      if (refusal !== undefined) report(refusal);
    }
  },
};

new PolicyPack("changeover-production", { policies: [production, accepted] });
