import { Agent, get } from "node:http";

/** What users got while a load ran. */
export interface LoadSeen {
  readonly answers: number;
  /** Each answer that was no 200, and each request without one. */
  readonly failed: readonly string[];
}

/**
 * Requests at a steady rate over kept connections, one in a hundred of them slow, none asked twice.
 * @returns a function that stops it and resolves to what was seen, once every request has ended.
 */
export function startLoad(
  url: string,
  { perSecond = 100, host = "www.learnexa.com" } = {},
): () => Promise<LoadSeen> {
  const agent = new Agent({ keepAlive: true, maxSockets: 60 });
  const failed: string[] = [];
  const open = new Set<Promise<void>>();
  let answers = 0;
  let sent = 0;
  const one = (path: string): Promise<void> =>
    new Promise((resolve) => {
      const end = (why?: string) => {
        if (why === undefined) answers++;
        else failed.push(`${new Date().toISOString()} ${path}: ${why}`);
        resolve();
      };
      get(url + path, { agent, headers: { host }, timeout: 20_000 }, (answer) => {
        answer.resume();
        answer.on("end", () => {
          end(answer.statusCode === 200 ? undefined : `status ${String(answer.statusCode)}`);
        });
        answer.on("error", (error) => {
          end(error.message);
        });
      }).on("error", (error) => {
        end(error.message);
      });
    });
  const started = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - started) / 1000) * perSecond;
    for (; sent < due; sent++) {
      const running = one(sent % 100 === 50 ? "/slow" : "/");
      open.add(running);
      void running.then(() => open.delete(running));
    }
  }, 5);
  return async () => {
    clearInterval(timer);
    await Promise.all(open);
    agent.destroy();
    return { answers, failed };
  };
}
