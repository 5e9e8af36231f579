import { readFile } from "node:fs/promises";
import type { Packed } from "./demo-releases.ts";
import { cached } from "./lab/lib/jars.ts";

type Pinned = readonly [artifact: string, sha256: string];

/** Jars of the module that copies indexes. The distributions of local hosts come without it. */
const reindexJars: Readonly<Record<string, readonly Pinned[]>> = {
  "opensearch 2.19.5": [
    [
      "org.opensearch.plugin:reindex-client:2.19.5",
      "37a7e72aab2e76f1dc5fe51a077a2f04a818ab2e21cf8ac5b3ef143008757b5a",
    ],
    [
      "org.opensearch.client:opensearch-rest-client:2.19.5",
      "8a3a16574b23562a5f6c8f54c85c0f3960c45ac6bf18a493526517787a720925",
    ],
    [
      "org.opensearch:opensearch-ssl-config:2.19.5",
      "9d3810f9cde1df77a52902c46b3a702468098d2d18bff72f44121133adbac539",
    ],
    [
      "org.apache.httpcomponents:httpclient:4.5.14",
      "c8bc7e1c51a6d4ce72f40d2ebbabf1c4b68bfe76e732104b04381b493478e9d6",
    ],
    [
      "org.apache.httpcomponents:httpcore:4.4.16",
      "6c9b3dd142a09dc468e23ad39aad6f75a0f2b85125104469f026e52a474e464f",
    ],
    [
      "org.apache.httpcomponents:httpcore-nio:4.4.16",
      "4018736ede2d321034e8517ea90baefb31831a8608afccc446d8a699fb1d00d4",
    ],
    [
      "org.apache.httpcomponents:httpasyncclient:4.1.5",
      "0c1877489a9d1ba4fa50f6cfcab11d1123618858cb31d56afaab5afdd5064d99",
    ],
    [
      "commons-codec:commons-codec:1.18.0",
      "ba005f304cef92a3dede24a38ad5ac9b8afccf0d8f75839d6c1338634cf7f6e4",
    ],
    [
      "commons-logging:commons-logging:1.2",
      "daddea1ea0be0f56978ab3006b8ac92834afeefbd9b7e4e6316fca57df0fa636",
    ],
  ],
  "opensearch 2.18.0": [
    [
      "org.opensearch.plugin:reindex-client:2.18.0",
      "8caa3f6813a71fef94dcb81c260f83824186888f72a753351e1f1f4c024b17d3",
    ],
    [
      "org.opensearch.client:opensearch-rest-client:2.18.0",
      "6973ad207ca122b44e423c89c3deac282ecdff10ddd7ff49d93f609238b44c0c",
    ],
    [
      "org.opensearch:opensearch-ssl-config:2.18.0",
      "70f725cf2d1b03b384bb274148eef59ba44de179e7c2711e630384a71f4974a0",
    ],
    [
      "org.apache.httpcomponents:httpclient:4.5.14",
      "c8bc7e1c51a6d4ce72f40d2ebbabf1c4b68bfe76e732104b04381b493478e9d6",
    ],
    [
      "org.apache.httpcomponents:httpcore:4.4.16",
      "6c9b3dd142a09dc468e23ad39aad6f75a0f2b85125104469f026e52a474e464f",
    ],
    [
      "org.apache.httpcomponents:httpcore-nio:4.4.16",
      "4018736ede2d321034e8517ea90baefb31831a8608afccc446d8a699fb1d00d4",
    ],
    [
      "org.apache.httpcomponents:httpasyncclient:4.1.5",
      "0c1877489a9d1ba4fa50f6cfcab11d1123618858cb31d56afaab5afdd5064d99",
    ],
    [
      "commons-codec:commons-codec:1.16.1",
      "ec87bfb55f22cbd1b21e2190eeda28b2b312ed2a431ee49fbdcc01812d04a5e4",
    ],
    [
      "commons-logging:commons-logging:1.2",
      "daddea1ea0be0f56978ab3006b8ac92834afeefbd9b7e4e6316fca57df0fa636",
    ],
  ],
  "elasticsearch 7.17.28": [
    [
      "org.elasticsearch.plugin:reindex-client:7.17.28",
      "b02cee45ffb13f1a3dd8ff3b2a9029d304109325b533d0c28b333b79c0375677",
    ],
    [
      "org.elasticsearch.client:elasticsearch-rest-client:7.17.28",
      "ea9f2090f6c054a7e865a71c693b0b9fd8ff9f232713d155d747e54146efa93c",
    ],
    [
      "org.elasticsearch:elasticsearch-ssl-config:7.17.28",
      "d6f6c29de0a5d95efde26a9fa1993e809964b26612e24caccab45ef5f49242fd",
    ],
    [
      "org.apache.httpcomponents:httpclient:4.5.14",
      "c8bc7e1c51a6d4ce72f40d2ebbabf1c4b68bfe76e732104b04381b493478e9d6",
    ],
    [
      "org.apache.httpcomponents:httpcore:4.4.12",
      "ab765334beabf0ea024484a5e90a7c40e8160b145f22d199e11e27f68d57da08",
    ],
    [
      "org.apache.httpcomponents:httpcore-nio:4.4.12",
      "11448f4b5c7f13d9396a67b33aa938d05f660665e0f14fd08e25acfd3c20ae80",
    ],
    [
      "org.apache.httpcomponents:httpasyncclient:4.1.4",
      "50e981a8e567a16ebdad104605b156540a863459fa127b8ba647f310dfc83ef8",
    ],
    ["commons-codec:commons-codec:1.15", "b3e9f6d63a790109bf0d056611fbed1cf69055826defeb9894a71369d246ed63"],
    [
      "commons-logging:commons-logging:1.1.3",
      "70903f6fc82e9908c8da9f20443f61d90f0870a312642991fe8462a0b9391784",
    ],
  ],
};

/** Java that the module's classes are built for, as the engines' other modules say. */
const javaOf: Readonly<Record<string, string>> = { opensearch: "11", elasticsearch: "1.8" };

/**
 * The module `reindex` of an engine, as files beside its other modules: `_reindex`, `_update_by_query`, `_delete_by_query`.
 *
 * @returns paths from the folder that holds the distribution's own.
 * @throws LabError when a jar can't be downloaded or is not what was pinned.
 */
export async function reindexModule(engine: string, version: string): Promise<readonly Packed[]> {
  const folder = `${engine}-${version}/modules/reindex`;
  const jars = (reindexJars[`${engine} ${version}`] ?? []).map(
    async ([artifact, sha256]): Promise<Packed> => {
      const [, name = "", release = ""] = artifact.split(":");
      const content = await readFile(await cached({ artifact, sha256 }));
      return { path: `${folder}/${name}-${release}.jar`, mode: 0o644, content };
    },
  );
  const text = (name: string, lines: readonly string[]): Packed => ({
    path: `${folder}/${name}`,
    mode: 0o644,
    content: Buffer.from([...lines, ""].join("\n")),
  });
  return [
    ...(await Promise.all(jars)),
    text("plugin-descriptor.properties", [
      "name=reindex",
      "description=Copies indexes, also from other clusters, and changes documents in place",
      `version=${version}`,
      `${engine}.version=${version}`,
      `classname=org.${engine}.index.reindex.ReindexPlugin`,
      `java.version=${javaOf[engine] ?? "11"}`,
    ]),
    text("plugin-security.policy", policyOf(engine)),
  ];
}

/** What the engine's sandbox lets the module do: connect, and look which proxy the machine has. */
const policyOf = (engine: string): readonly string[] => [
  'grant { permission java.net.SocketPermission "*", "connect"; };',
  ...[`${engine}-rest-client`, "httpasyncclient"].map(
    (name) =>
      `grant codeBase "\${codebase.${name}}" { permission java.net.NetPermission "getProxySelector"; };`,
  ),
];
