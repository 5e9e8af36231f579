import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { Outage } from "../../tools/workshop/outage.ts";

const servers = new Set<Server>();
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function serve(port = 0, status = 200): Promise<Server> {
  const server = createServer((_, response) => response.writeHead(status).end("page"));
  servers.add(server);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function close(server: Server): Promise<void> {
  servers.delete(server);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}

afterEach(async () => {
  await Promise.all([...servers].map(close));
});

it("an outage lasts from the first look that failed to the first good one after the last that failed", async () => {
  const [database, site] = [await serve(), await serve()];
  const port = portOf(database);
  const outage = new Outage({
    database: { host: "127.0.0.1", port },
    site: `http://127.0.0.1:${String(portOf(site))}/`,
  });
  outage.start();
  await pause(250);
  await close(database);
  await pause(600);
  await serve(port);
  await pause(400);
  const away = await outage.stop();
  expect(away.site).toBe(0);
  expect(away.database).toBeGreaterThan(0.4);
  expect(away.database).toBeLessThan(1.2);

  outage.start();
  await pause(250);
  expect(await outage.stop()).toEqual({ database: 0, site: 0 });
});

it("an outage that has not ended has no end, and a page that says 500 is none", async () => {
  const [database, site] = [await serve(), await serve(0, 500)];
  const outage = new Outage({
    database: { host: "127.0.0.1", port: portOf(database) },
    site: `http://127.0.0.1:${String(portOf(site))}/`,
  });
  outage.start();
  await pause(250);
  expect(await outage.stop()).toEqual({ database: 0, site: Infinity });
});
