import { quoted, scriptCommand } from "../../transition/start.ts";
import { ask } from "./ask.ts";
import { type Asked, readTarget } from "./asked.ts";
import { isPlanned } from "./books.ts";
import { type Resource, triggersOf } from "./digest.ts";
import { type Found, sentTo } from "./live.ts";

/** Whether hosts that go out of service still serve somebody, for each that this update looks at. */
export function absentLooks(
  resources: ReadonlyMap<string, Resource>,
  stackId: string | undefined,
): Promise<Found>[] {
  const all = [...resources.values()];
  const estate = all.find(({ type }) => type === "changeover:index:Estate")?.before?.outputs;
  const targets = (estate?.targets ?? {}) as Readonly<Record<string, { ssh: unknown; release: unknown }>>;
  return all
    .filter((one) => one.name.endsWith("-absent-look") && isPlanned(one))
    .flatMap((one) => {
      const host = triggersOf(one.now)?.host;
      const known = targets[host ?? ""];
      if (host === undefined || known === undefined || stackId === undefined) return [];
      return [findingsOf(askedOf(host, stackId, known))];
    });
}

function askedOf(
  host: string,
  stackId: string,
  known: { readonly ssh: unknown; readonly release: unknown },
): Asked {
  const target = readTarget(known.ssh);
  const words = [host, stackId, "look"];
  const release = String(known.release);
  if (!/^[\w.-]+$/.test(release)) throw new Error(`the state has no release of the scripts for ${host}`);
  return {
    host,
    target,
    program: "retire.sh",
    words: words.map((word) => ` ${quoted(word)}`).join(""),
    command: scriptCommand(target, release, "retire.sh", words),
  };
}

/** The look of a host ends with 0, or with the reasons why it may not go yet. */
async function findingsOf(asked: Asked): Promise<Found> {
  const { host } = asked;
  const { result, sent } = await ask<never>(asked);
  const { user, host: address, port } = asked.target;
  // A host begins each line of what it narrates with the time.
  const text = result.stderr.replace(/^(?:\d{4}-\S+Z )?refused: /, "");
  const silence = `${host}: ${text} (${user}@${address}:${String(port)})`;
  const refused = result.code === 77 ? text : silence;
  return {
    refusals: result.code === 0 ? [] : [{ transitions: ["absent"], text: refused, after: [] }],
    lines: [
      ...(result.code === 0 ? [`absent: ${host} serves no user`] : []),
      ...(sent ? [`absent: ${sentTo([host])}`] : []),
    ],
    asked: [host],
    unanswered: result.noAnswer ? [host] : [],
    silences: result.noAnswer ? [silence] : [],
  };
}
