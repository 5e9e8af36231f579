import { at, fieldsOf, word, wrongNames } from "../../../config/draft.ts";
import { allowedWords, type Problem, shown } from "../../../config/problems.ts";
import type { Rule } from "../../system.ts";
import { aliasNames, indexVersions } from "./config.ts";

/** What is checked between the fields of an index, and with the nodes of its cluster. */
export const indexRules: Rule = (name, cluster): Problem[] => {
  const path = ["searchClusters", name, "indexes"];
  const hosts = Object.keys(fieldsOf(cluster.nodes));
  return [
    ...wrongNames(path, fieldsOf(cluster.indexes), aliasNames),
    ...Object.entries(fieldsOf(cluster.indexes)).flatMap(([alias, one]) =>
      ofIndex([...path, alias], alias, fieldsOf(one), hosts),
    ),
  ];
};

function ofIndex(
  path: readonly string[],
  alias: string,
  index: ReturnType<typeof fieldsOf>,
  hosts: readonly string[],
): Problem[] {
  const version = word(index.version);
  const known = Object.keys(fieldsOf(index.versions));
  const imports = index.how === "import";
  return [
    ...wrongNames([...path, "versions"], fieldsOf(index.versions), indexVersions),
    ...(hosts.includes(alias)
      ? [at([...path], "is the name of a node, and records on hosts would be one; name another alias")]
      : []),
    ...(version === undefined || known.includes(version)
      ? []
      : [
          at(
            [...path, "version"],
            `${shown(version)} is none of \`versions\`; ${allowedWords(version, known)}`,
          ),
        ]),
    ...(imports && index.from === undefined
      ? [
          at(
            [...path, "from"],
            "missing: an import reads an index of another cluster; allowed: http://host:port/index",
          ),
        ]
      : []),
    ...(!imports && index.from !== undefined
      ? [at([...path, "from"], "is for `how: import` alone; take it out, or import")]
      : []),
  ];
}
