import { behindUnreachable } from "../../config/bastions.ts";
import { at, type Draft, noHost, word } from "../../config/draft.ts";
import { type Problem, shown } from "../../config/problems.ts";

/** What is wrong between the hosts of an inventory. */
export const inventoryRules = (draft: Draft): Problem[] => bastions(draft);

function bastions(draft: Draft): Problem[] {
  return Object.entries(draft.hosts).flatMap(([name, host]) => {
    const [path, bastion] = [["hosts", name, "bastion"], word(host.bastion)];
    if (bastion === undefined) return [];
    if (!Object.hasOwn(draft.hosts, bastion)) return [at(path, noHost(bastion, draft))];
    if (bastion === name) return [at(path, `${shown(bastion)} is the host itself; leave it out`)];
    if (draft.hosts[bastion]?.bastion !== undefined)
      return [at(path, `${shown(bastion)} is behind a bastion itself; one hop is allowed`)];
    return behindUnreachable(draft, path, bastion, name);
  });
}
