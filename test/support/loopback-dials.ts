/** Loaded before the program of a test (`--import`): the test's listener on loopback answers for each host that the program dials. */
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

/** Networks for documentation, which the hosts of these tests are in: no machine has such an address. */
const ofHosts = /^(192\.0\.2|198\.51\.100|203\.0\.113)\./;

const port = Number(process.env.LOOPBACK_PORT);
const connect = net.connect.bind(net) as (...args: readonly unknown[]) => net.Socket;

const redirecting = (...args: readonly unknown[]): net.Socket => {
  const [options, ...rest] = args;
  const { host } = (options ?? {}) as { readonly host?: string };
  if (host === undefined || !ofHosts.test(host)) return connect(...args);
  return connect({ ...(options as object), host: "127.0.0.1", port }, ...rest);
};
net.connect = redirecting;
syncBuiltinESMExports();
