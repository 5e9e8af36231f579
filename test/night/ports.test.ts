import { join } from "node:path";
import { parse } from "yaml";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../config/places.ts";
import { whyNoLab } from "../../tools/workshop/lab/lab.ts";
import { Estate } from "../support/estate.ts";
import { PoolSite } from "../support/pool-site.ts";
import { ok } from "../support/runs.ts";

const minute = 60_000;

/** Tries every TCP port of an address, and prints those that accept a connection. */
const scan = `
import asyncio, sys
async def tried(limit, port):
    async with limit:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(sys.argv[1], port), 1)
            writer.close()
            return port
        except (OSError, asyncio.TimeoutError):
            return None
async def main():
    limit = asyncio.Semaphore(800)
    found = await asyncio.gather(*(tried(limit, port) for port in range(1, 65536)))
    print(*[port for port in found if port])
asyncio.run(main())
`.trim();

/**
 * What a host of each role answers to a machine of its network that is none of the estate: sshd, and what users are to
 * reach. \`clients\` of the pair has the whole network here, so that PostgreSQL answers, and asks for a login.
 */
const open: Readonly<Record<string, readonly number[]>> = {
  slayer: [22, 80, 5432, 8983],
  megadeth: [22, 5432, 8983],
  websvr: [22, 80],
  prodapp01: [22],
  prodapp02: [22],
};

describe.skipIf(whyNoLab() !== undefined)("hosts as a foreign machine sees them", () => {
  let estate: Estate;

  beforeAll(async () => {
    estate = await Estate.start([...Object.keys(open), "stranger"]);
    const dev = parse(readFileSync(join(root, "Pulumi.dev.yaml"), "utf8")) as {
      config: Record<string, Record<string, Record<string, unknown>>>;
    };
    const of = (key: string, name: string) => dev.config[`changeover:${key}`]?.[name];
    Object.assign(estate.pair, of("pairs", "sounz"), { serviceAddress: estate.serviceAddress });
    const site = PoolSite.over(estate, ["websvr"], ["prodapp01", "prodapp02"]);
    const more = { pairs: { sounz: estate.pair } };
    site.set(
      {
        minHealthy: 1,
        cache: "sessions",
        database: "sounz",
        links: { "public/styles": "system/styles" },
        settings: { STYLES_MARKER: ".changeover/volume" },
      },
      {
        ...more,
        sharedVolumes: { styles: of("sharedVolumes", "styles") },
        caches: { sessions: of("caches", "sessions") },
      },
    );
    ok(await estate.up());
  }, 15 * minute);
  afterAll(() => estate.stop(), minute);

  it.each(Object.entries(open))(
    "%s answers on these ports and no other",
    async (name, ports) => {
      const { address } = estate.host(name);
      const found = await estate.on("stranger", `python3 -c '${scan}' ${address}`, 150);
      expect(found.trim().split(" ").map(Number)).toEqual(ports);
    },
    3 * minute,
  );

  it("no host listens for datagrams beyond itself", async () => {
    for (const name of Object.keys(open)) {
      const listening = await estate.on(name, "ss -Hlun | awk '{print $4}'");
      const beyond = listening
        .split("\n")
        .filter((place) => place !== "" && !/^(127\.|\[::1\]|127\.0\.0\.5[34])/.test(place));
      expect(beyond, name).toEqual([]);
    }
  });
});
