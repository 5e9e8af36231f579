import type { Story } from "../../transition/args.ts";
import { setOldValues } from "../../transition/run-book.ts";

/** What people read of the transition that makes both machines ready. */
export const provisionStory: Story = {
  goal: ["primary", "secondary", "*.database", "*.port", "*.clients", "*.interface", "both_carry.*"],
  wayBack: setOldValues,
};

/** What people read of a switch. @param lost the machine that it goes on without. */
export function switchStory(pair: string, was: { readonly other: string; readonly lost?: string }): Story {
  const { other, lost } = was;
  const goal = ["production", "lost", "grab", "commits", "replication"];
  const moves = "production";
  if (lost !== undefined)
    return {
      goal,
      moves,
      wayBack: `none while ${lost} is lost; when it is repaired, remove it from the list and run npx pulumi up: it becomes the standby`,
      needs: [`somebody who knows that ${lost} is lost`],
    };
  return {
    goal,
    moves,
    wayBack: `at every step: npx pulumi config set --path changeover:pairs.${pair}.production ${other}, then npx pulumi up`,
  };
}
