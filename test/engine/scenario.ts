import type { SshTarget } from "../../platforms/platform.ts";
import type { Row } from "../../transition/table.ts";

/** A row of a test's table: a phase on a role, and the goal's words that it shows. */
export type TestRow = Pick<Row, "phase" | "on"> &
  Partial<Row> & {
    readonly shows?: readonly string[];
    /** It runs only when something was bad before. */
    readonly onlyIfBad?: boolean;
  };

/** What one run of the test program is told. */
export interface Scenario {
  readonly component: string;
  /** The scripts folder that is copied to the hosts. */
  readonly scripts: string;
  readonly hosts: Readonly<
    Record<string, { readonly ssh: SshTarget; readonly identity: string; readonly root: string }>
  >;
  readonly unreachable?: readonly string[];
  readonly transitions: Readonly<
    Record<
      string,
      {
        readonly rows: readonly TestRow[];
        readonly goal: Readonly<Record<string, string>>;
        readonly pauses?: string;
      }
    >
  >;
  /** Files of this machine that are copied to a host. */
  readonly files?: readonly {
    readonly host: string;
    readonly path: string;
    readonly sha256: string;
    readonly to: string;
  }[];
  readonly secret?: string;
  readonly parent?: string;
}
