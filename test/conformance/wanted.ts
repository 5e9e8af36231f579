/** What the program of these tests is to declare: data, so that a test reads as what it asks. */
export interface Wanted {
  readonly resources?: readonly WantedResource[];
  /** Arguments of `local.run`; its stdout becomes the output `ran`. */
  readonly run?: Readonly<Record<string, unknown>>;
  /** How the program ends once it has declared all: by itself when left out. */
  readonly end?: "throw" | "exit" | "hang";
  /** Said on stdout and stderr. */
  readonly says?: string;
}

/**
 * Inputs are JSON with marks: `{ $ref: "id.hex" }` an output of an earlier resource, `{ $secret: … }`,
 * `{ $file: path }`, `{ $folder: path }`, `{ $text: "…" }` an asset.
 */
export interface WantedResource {
  readonly name: string;
  readonly type:
    | "remote.Command"
    | "remote.CopyToRemote"
    | "local.Command"
    | "random.RandomId"
    | "random.RandomPassword"
    | "random.RandomString"
    | "random.RandomInteger"
    | "random.RandomBytes"
    | "aws.Vpc"
    | "aws.Subnet"
    | "aws.Instance"
    | "aws.Eip"
    | "aws.EipAssociation"
    | "aws.InstanceState";
  readonly args: Readonly<Record<string, unknown>>;
  readonly dependsOn?: readonly string[];
  readonly ignoreChanges?: string[];
  readonly retainOnDelete?: boolean;
  readonly additionalSecretOutputs?: string[];
  readonly customTimeouts?: { create?: string };
  /** Runs before the creation; `refuse` makes it fail. */
  readonly hook?: "tell" | "refuse";
}
