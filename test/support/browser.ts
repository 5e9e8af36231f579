import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { onPath } from "../../tools/workshop/setup/run.ts";
import { scratch } from "./estate.ts";

/** Why tests with a browser are skipped; undefined: Debian's Chromium is here. */
export const whyNoBrowser = (): string | undefined =>
  onPath("chromium").length > 0 ? undefined : "chromium is not installed (Debian: apt-get install chromium)";

/** How a page is looked at. */
export interface Window {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
}

/** What a page is in a browser. */
export interface Seen {
  /** The page as the browser made it. */
  readonly dom: string;
  /** Whatever the browser said of it: errors, warnings, what a policy refused. */
  readonly said: readonly string[];
  /** All that it asked for, the page itself first. */
  readonly asked: readonly string[];
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

interface Folder {
  readonly path: string;
  readonly remove: () => void;
}

/** Debian's Chromium without a display, spoken to by its DevTools protocol. */
export class Browser {
  readonly #child: ChildProcess;
  readonly #folder: Folder;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #said: string[] = [];
  readonly #asked: string[] = [];
  #session: string | undefined;
  #loaded: (() => void) | undefined;
  #last = 0;

  private constructor(child: ChildProcess, folder: Folder, socket: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.#heard(JSON.parse(String(data)) as Message);
    });
  }

  static async start(): Promise<Browser> {
    const folder = scratch("changeover-browser-");
    const child = spawn(
      "chromium",
      [
        ...["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"],
        ...["--disable-background-networking", "--remote-debugging-port=0", `--user-data-dir=${folder.path}`],
      ],
      { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: folder.path } },
    );
    try {
      const socket = new WebSocket(await addressOf(child));
      await once(socket, "open");
      const browser = new Browser(child, folder, socket);
      await browser.#begin();
      return browser;
    } catch (error) {
      child.kill("SIGKILL");
      folder.remove();
      throw error;
    }
  }

  /** Open a page and look at it. @param picture where a picture of all of it is written. */
  async look(url: string, { width, height, dark = false }: Window, picture?: string): Promise<Seen> {
    this.#said.length = 0;
    this.#asked.length = 0;
    await this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    const value = dark ? "dark" : "light";
    await this.#send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
    const loaded = new Promise<void>((resolve) => (this.#loaded = resolve));
    await this.#send("Page.navigate", { url });
    await loaded;
    const dom = await this.run<string>("document.documentElement.outerHTML");
    if (picture !== undefined) {
      const { data } = await this.#send("Page.captureScreenshot", { captureBeyondViewport: true });
      writeFileSync(picture, Buffer.from(data as string, "base64"));
    }
    return { dom, said: [...this.#said], asked: [...this.#asked] };
  }

  /** Run a script in the page that is open. @throws when the script does. */
  async run<T>(expression: string): Promise<T> {
    const answer = await this.#send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    const { result, exceptionDetails } = answer as {
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#socket.close();
    this.#child.kill("SIGKILL");
    await ended;
    this.#folder.remove();
  }

  async #begin(): Promise<void> {
    const { targetId } = await this.#send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.#send("Target.attachToTarget", { targetId, flatten: true });
    this.#session = sessionId as string;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.#send(`${domain}.enable`, {});
  }

  #send(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#last;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result ?? {});
      });
    });
  }

  #heard(message: Message): void {
    const { id, method, params } = message;
    if (id !== undefined) {
      this.#waiting.get(id)?.(message);
      this.#waiting.delete(id);
    }
    if (method === "Page.loadEventFired") this.#loaded?.();
    if (method === "Network.requestWillBeSent")
      this.#asked.push((params?.request as { readonly url: string }).url);
    if (
      method === "Log.entryAdded" ||
      method === "Runtime.exceptionThrown" ||
      method === "Runtime.consoleAPICalled"
    )
      this.#said.push(JSON.stringify(params));
  }
}

/** Where a browser that was started is spoken to. */
async function addressOf(child: ChildProcess): Promise<string> {
  let said = "";
  const limit = AbortSignal.timeout(60_000);
  while (!limit.aborted) {
    const [data] = (await once(child.stderr as NodeJS.ReadableStream, "data", { signal: limit })) as [Buffer];
    said += data.toString();
    const found = /^DevTools listening on (ws:\S+)/m.exec(said)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`chromium did not start: ${said}`);
}
