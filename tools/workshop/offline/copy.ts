import { readdirSync, statSync } from "node:fs";
import { posix } from "node:path";
import type ssh2 from "ssh2";

/** Files on their way at a time: enough that round trips overlap, few enough for sshd's open files. */
const parallel = 16;

const noSuchFile = 2;

type Kind = "folder" | "file" | "nothing";

/** The few calls of SFTP that copying needs, as promises, with the place in each error. */
class Remote {
  readonly #sftp: ssh2.SFTPWrapper;

  constructor(sftp: ssh2.SFTPWrapper) {
    this.#sftp = sftp;
  }

  kind(path: string): Promise<Kind> {
    return new Promise((resolve, reject) => {
      this.#sftp.stat(path, (error, stats) => {
        // The error's type does not tell of the status code that SFTP puts there.
        const code = (error as { code?: number } | undefined)?.code;
        if (code === noSuchFile) resolve("nothing");
        else if (error) reject(new Error(`failed to stat remote path ${path}: ${error.message}`));
        else resolve(stats.isDirectory() ? "folder" : "file");
      });
    });
  }

  /** Makes a folder unless it is there. */
  async folder(path: string): Promise<void> {
    const kind = await this.kind(path);
    if (kind === "file") throw new Error(`remote path ${path} exists but is not a directory`);
    if (kind === "folder") return;
    await new Promise<void>((resolve, reject) => {
      this.#sftp.mkdir(path, (error) => {
        if (error) reject(new Error(`failed to create remote directory ${path}: ${error.message}`));
        else resolve();
      });
    });
  }

  /** Makes a folder and all above it. */
  async folders(path: string): Promise<void> {
    if (path === "." || (await this.kind(path)) === "folder") return;
    if (posix.dirname(path) !== path) await this.folders(posix.dirname(path));
    await this.folder(path);
  }

  write(path: string, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sftp.writeFile(path, text, (error) => {
        if (error) reject(new Error(`failed to write text content to remote path ${path}: ${error.message}`));
        else resolve();
      });
    });
  }

  put(from: string, to: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sftp.fastPut(from, to, (error) => {
        if (error) reject(new Error(`failed to copy file ${from} to remote path ${to}: ${error.message}`));
        else resolve();
      });
    });
  }
}

async function open(client: ssh2.Client): Promise<Remote> {
  return new Promise((resolve, reject) => {
    client.sftp((error, sftp) => {
      if (error) reject(error);
      else resolve(new Remote(sftp));
    });
  });
}

/** Write a text to a file of the host, making the folders above it. */
export async function copyAsset(client: ssh2.Client, text: string, to: string): Promise<void> {
  const remote = await open(client);
  if ((await remote.kind(to)) === "folder")
    throw new Error(
      `remote path ${to} is a directory; when using a text asset, remotePath must be a file path`,
    );
  await remote.folders(posix.dirname(to));
  await remote.write(to, text);
}

/**
 * Copy a file or a folder to the host. A folder goes *into* `to`, its content alone when `from` ends in a slash; a
 * file goes into `to` when that is a folder. Nothing is ever removed, modes are not kept.
 */
export async function copyPath(client: ssh2.Client, from: string, to: string): Promise<void> {
  const remote = await open(client);
  if (!statSync(from).isDirectory()) {
    const kind = await remote.kind(to);
    if (kind === "nothing") await remote.folders(posix.dirname(to));
    await remote.put(from, kind === "folder" ? posix.join(to, posix.basename(from)) : to);
    return;
  }
  await remote.folders(to);
  const target = from.endsWith("/") ? to : posix.join(to, posix.basename(from));
  await copyFolder(remote, from, target);
}

async function copyFolder(remote: Remote, from: string, to: string): Promise<void> {
  const entries = readdirSync(from, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = posix.relative(from, posix.join(entry.parentPath, entry.name));
    return { path, folder: entry.isDirectory() };
  });
  const folders = entries.filter(({ folder }) => folder).map(({ path }) => path);
  await remote.folder(to);
  // Shorter paths first, so that a folder is there before what it holds.
  for (const path of folders.sort((a, b) => a.length - b.length)) await remote.folder(posix.join(to, path));
  const files = entries.filter(({ folder }) => !folder);
  const worker = async () => {
    for (let file = files.shift(); file; file = files.shift())
      await remote.put(posix.join(from, file.path), posix.join(to, file.path));
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
