import type { Story } from "../../transition/args.ts";
import { setOldValues } from "../../transition/run-book.ts";

const set = (pool: string, key: string, value: string): string =>
  `npx pulumi config set --path changeover:appPools.${pool}.${key} ${value}, then npx pulumi up`;

/** A host is made ready; running services stay as they are. */
export const hostStory: Story = {
  goal: ["conf.address", "conf.port", "conf.ready", "conf.status", "conf.owner", "conf.keep", "conf.links"],
  wayBack: setOldValues,
};

/** Balancers get their configuration. Its text is not shown: it is long. */
export const balancersStory: Story = { goal: [], wayBack: setOldValues };

/** Another program serves the site's addresses, or the same one. */
export const edgeStory = (pool: string, edge: string, apache: string): Story => ({
  goal: ["edge", "apache", "upstream"],
  kind: edge,
  wayBack:
    apache === "retired"
      ? "none to Apache once it is uninstalled; its configuration is archived on the balancer"
      : set(pool, "edge", edge === "haproxy" ? "apache" : "haproxy"),
});

/** An address is released. */
export const addressStory: Story = {
  goal: ["address", "deadline"],
  wayBack: "remove `released` from the address, then run npx pulumi up",
};

/** The site goes into maintenance, or comes out of it. */
export const maintenanceStory = (pool: string, on: boolean): Story => ({
  goal: ["maintenance", "edge"],
  kind: on ? "on" : "off",
  wayBack: set(pool, "maintenance", String(!on)),
});

/** Servers get a release. @param archive where it is: a file must be on the machine that runs the update. */
export const releaseStory = (pool: string, archive: string): Story => ({
  goal: ["revision", "port"],
  wayBack: `a bad release goes back by itself; later: set release of changeover:appPools.${pool} back, then run npx pulumi up`,
  needs:
    archive === "" || /^https?:/.test(archive) ? [] : [`${archive} on the machine that runs npx pulumi up`],
});

/** A server comes into traffic, or leaves it. */
export const memberStory = (pool: string, server: string, wanted: string): Story => ({
  goal: ["wanted"],
  kind: wanted,
  wayBack: set(pool, `servers.${server}`, wanted === "in" ? "out" : "in"),
});

/** The system packages of a server are upgraded. */
export const packagesStory: Story = {
  goal: ["round"],
  wayBack: "none: packages keep their new versions; the round ends at the first server that fails",
};
