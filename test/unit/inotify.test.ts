import { expect, it } from "vitest";
import { inotifyProblem } from "../../tools/workshop/lab/lib/inotify.ts";

it("the lab says why no further host starts, with the number in use, the limit and the cure", async () => {
  expect(
    await inotifyProblem({ limit: () => Promise.resolve(128), held: () => Promise.resolve(100) }),
  ).toBeUndefined();
  expect(await inotifyProblem({ limit: () => Promise.resolve(128), held: () => Promise.resolve(125) })).toBe(
    "this machine has 125 of 128 inotify instances in use, and a host needs some 8; remove a lab (npm run lab -- down), or raise the limit: sysctl -w fs.inotify.max_user_instances=1024",
  );
});
