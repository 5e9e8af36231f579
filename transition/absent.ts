import * as pulumi from "@pulumi/pulumi";
import { scriptCommand } from "./start.ts";
import { absentWayBack, type RunBook } from "./run-book.ts";
import { gate, localStep, remoteStep } from "./step.ts";
import { stepOf, type Told } from "./told.ts";
import type { Member } from "./args.ts";

/**
 * Hosts that go out of service. A look refuses before anything is touched while one of them serves users; what runs
 * there for pairs is stopped only when the pairs that go on have ended their own transitions.
 */
export class AbsentHosts extends pulumi.ComponentResource {
  /** Depend on these to come after the look. */
  readonly looked: readonly pulumi.Resource[];
  readonly #hosts: readonly Member[];
  readonly #stack: pulumi.Output<string>;
  readonly #told: Told[] = [];

  constructor(
    hosts: readonly Member[],
    stack: pulumi.Output<string>,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("changeover:index:AbsentHosts", "absent", {}, opts);
    this.#hosts = hosts;
    this.#stack = stack;
    const looks = hosts
      .filter(({ unreachable }) => !unreachable)
      .map((member) => this.#step(member, "look", [], `${member.host.name} serves nobody`));
    this.looked = looks.length === 0 ? [] : [gate("absent-look-gate", { parent: this, dependsOn: looks })];
    this.registerOutputs();
  }

  /** Take them out of service; by host, why each may leave the file, known only when it is so. */
  retire(after: readonly pulumi.Resource[]): ReadonlyMap<string, pulumi.Output<string>> {
    const before = [...this.looked, ...after];
    return new Map(
      this.#hosts.map((member) => {
        const { name } = member.host;
        if (member.unreachable) return [name, this.#leftAlone(name)];
        const says = `${name} is out of service; its data stays`;
        return [name, this.#step(member, "retire", before, says).stdout.apply(() => "out of service")];
      }),
    );
  }

  /** What this update does to take hosts out of service; undefined: nothing. Only a preview asks. */
  async runBook(): Promise<RunBook | undefined> {
    const steps = await Promise.all(this.#told.map(stepOf));
    if (!steps.some(({ planned }) => planned)) return undefined;
    return {
      name: "absent",
      goal: {},
      was: {},
      state: "planned",
      measured: [],
      wayBack: absentWayBack,
      needs: [],
      steps,
      skipped: this.#hosts
        .filter(({ unreachable }) => unreachable)
        .map(({ host }) => `${host.name} is unreachable, so nothing is removed from it`),
    };
  }

  #step({ host, release, scripts }: Member, act: "look" | "retire", before: pulumi.Resource[], says: string) {
    const create = pulumi.all([host.ssh, this.#stack]).apply(([target, stack]) => {
      const words = [host.name, stack, ...(act === "look" ? [act] : [])];
      return scriptCommand(target, release, "retire.sh", words);
    });
    const name = `${host.name}-absent-${act}`;
    const step = remoteStep(
      name,
      { ssh: host.ssh, create, triggers: { says, host: host.name, machine: host.identity } },
      { parent: this, dependsOn: [...before, ...(scripts ? [scripts] : [])] },
    );
    this.#told.push({ name, row: act, phase: act, host: host.name, says, left: step.stdout });
    return step;
  }

  #leftAlone(host: string): pulumi.Output<string> {
    const mode = "skipped: unreachable, so nothing is removed from it";
    void pulumi.log.warn(
      `changeover:absent: ${host} is unreachable, so nothing is removed from it; wipe it before it is started again`,
    );
    localStep(`${host}-absent-skipped`, { triggers: { host, mode } }, { parent: this });
    return pulumi.output(mode);
  }
}
