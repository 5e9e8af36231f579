import { createSocket } from "node:dgram";

/**
 * The address from which this machine would reach another one. A datagram socket is connected, so that the kernel chooses
 * a route; nothing is sent.
 *
 * @returns undefined when there is no route.
 */
export function sourceTowards(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => {
      socket.close();
      resolve(undefined);
    });
    socket.once("connect", () => {
      const { address: own } = socket.address();
      socket.close();
      resolve(own);
    });
    // Any port will do: a connection of UDP is local.
    socket.connect(9, address);
  });
}
