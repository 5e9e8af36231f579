import type * as pulumi from "@pulumi/pulumi";
import type { SharedVolume as VolumeConfig } from "../../config.ts";
import { SharedVolume, type SharedVolumeArgs } from "./component.ts";

/** The shared volumes of an estate. Each is declared once: by the first pool whose servers mount it, or at the end. */
export class SharedVolumes {
  readonly #config: Readonly<Record<string, VolumeConfig>>;
  readonly #args: Omit<SharedVolumeArgs, "config" | "beforeMount">;
  readonly #declared = new Map<string, SharedVolume>();

  constructor(
    config: Readonly<Record<string, VolumeConfig>>,
    args: Omit<SharedVolumeArgs, "config" | "beforeMount">,
  ) {
    this.#config = config;
    this.#args = args;
  }

  /**
   * What must be finished before the servers of a pool use their volumes.
   *
   * @param left what each server that leaves the pool depends on: its mount is touched after that.
   */
  usedBy(
    servers: readonly string[],
    left: ReadonlyMap<string, readonly pulumi.Resource[]>,
  ): pulumi.Resource[] {
    return Object.entries(this.#config)
      .filter(([, { mounts }]) => servers.some((host) => Object.hasOwn(mounts, host)))
      .flatMap(([name]) => this.#declare(name, left).finished);
  }

  all(): SharedVolume[] {
    return Object.keys(this.#config).map((name) => this.#declare(name, new Map()));
  }

  #declare(name: string, left: ReadonlyMap<string, readonly pulumi.Resource[]>): SharedVolume {
    const known = this.#declared.get(name);
    const config = this.#config[name];
    if (known) return known;
    if (!config) throw new Error(`no shared volume ${name}`);
    const made = new SharedVolume(name, {
      ...this.#args,
      config,
      beforeMount: left,
    });
    this.#declared.set(name, made);
    return made;
  }
}
