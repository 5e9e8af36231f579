import { at, type Fields, fieldsOf, mapped, word, wordsOf, wrongNames } from "../../../config/draft.ts";
import type { Problem } from "../../../config/problems.ts";
import type { HostUse, Rule } from "../../system.ts";
import { ruleNames } from "./config.ts";
import { deleteComponent, queriesComponent, writersComponent } from "./goal.ts";

/** Hosts whose programs write to a cluster. */
export const hostsOfPanic = ({ writers }: Fields): HostUse[] =>
  Object.keys(fieldsOf(writers)).map((host) => ({ path: ["writers", host], host }));

/** Records of their own: none of them waits for a roll that stands half-way. */
export const componentsOfPanic = (name: string, { writers, queries, retention }: Fields): string[] => [
  ...(Object.keys(fieldsOf(writers)).length > 0 ? [writersComponent(name)] : []),
  ...(queries === undefined ? [] : [queriesComponent(name)]),
  ...Object.keys(fieldsOf(retention)).map((rule) => deleteComponent(name, rule)),
];

const writers: Rule = (name, { writers: hosts, paused }) => {
  const path = ["searchClusters", name];
  const named = Object.entries(fieldsOf(hosts));
  return [
    ...(word(paused) !== undefined && named.length === 0
      ? [at([...path, "paused"], "names nobody to stop; name units that write in writers")]
      : []),
    ...named.flatMap(([host, units]): Problem[] => {
      const list = wordsOf(units);
      const twice = list.find((unit, index) => list.indexOf(unit) !== index);
      if (Array.isArray(units) && units.length === 0)
        return [at([...path, "writers", host], "names no unit; name one, or delete the line")];
      return twice === undefined
        ? []
        : [at([...path, "writers", host], `${twice} is there twice; name it once`)];
    }),
  ];
};

const retention: Rule = (name, { retention: rules }) => {
  const path = ["searchClusters", name, "retention"];
  return [
    ...wrongNames(path, fieldsOf(rules), ruleNames),
    ...Object.entries(mapped(rules)).flatMap(([rule, { field, olderThanDays, query }]): Problem[] => {
      const byAge = field !== undefined && olderThanDays !== undefined;
      const half = (field === undefined) !== (olderThanDays === undefined);
      return half || byAge === (query !== undefined)
        ? [
            at(
              [...path, rule],
              "says not what is old; allowed: field with olderThanDays, or query, and not both",
            ),
          ]
        : [];
    }),
  ];
};

/** What is checked between the fields of a cluster in trouble. */
export const panicRules: readonly Rule[] = [writers, retention];
