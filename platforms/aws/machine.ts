import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { hostKeyOf } from "./host-key.ts";
import { userData } from "./user-data.ts";

export interface AwsMachineArgs {
  readonly ami: string;
  readonly instanceType: string;
  readonly volumeGiB: number;
  readonly subnet: aws.ec2.Subnet;
  readonly securityGroups: pulumi.Output<string>[];
  readonly keyName: pulumi.Output<string>;
  /** Whether what it stores must outlive mistakes: it can't be deleted or replaced without `pulumi state unprotect`. */
  readonly holdsData: boolean;
  /** What a machine needs to be reached and to reach others. */
  readonly dependsOn: pulumi.Resource[];
}

/** Inputs of a machine that exists, which never change it. */
const ignoreChanges = [
  // A newer image or another operator's key is for new machines; these would be replaced.
  "ami",
  "userData",
  "keyName",
  // The provider reads `true` once an Elastic IP points here, and would replace the machine for it.
  "associatePublicIpAddress",
];

/** One EC2 instance, whose SSH host key is known before it starts. */
export class AwsMachine extends pulumi.ComponentResource {
  readonly instanceId: pulumi.Output<string>;
  readonly privateIp: pulumi.Output<string>;
  /** One line as in `authorized_keys`. */
  readonly hostKey: pulumi.Output<string>;
  readonly instance: aws.ec2.Instance;

  constructor(name: string, args: AwsMachineArgs, opts: pulumi.ComponentResourceOptions) {
    super("changeover:platforms:AwsMachine", name, {}, opts);
    const seed = new random.RandomBytes(`${name}-host-key`, { length: 32 }, { parent: this });
    const key = seed.base64.apply(hostKeyOf);
    this.hostKey = pulumi.unsecret(key.apply(({ publicKey }) => publicKey));
    this.instance = new aws.ec2.Instance(
      name,
      {
        ...placement(args),
        ...hardening,
        rootBlockDevice: volume(args),
        userData: pulumi.secret(key.apply((hostKey) => userData(name, hostKey))),
        userDataReplaceOnChange: false,
        tags: { Name: name },
      },
      { parent: this, protect: args.holdsData, ignoreChanges, dependsOn: args.dependsOn },
    );
    this.instanceId = this.instance.id;
    this.privateIp = this.instance.privateIp;
    this.registerOutputs({ instanceId: this.instanceId, privateIp: this.privateIp });
  }
}

const hardening = {
  associatePublicIpAddress: false,
  metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
};

function placement({ ami, instanceType, subnet, securityGroups, keyName }: AwsMachineArgs) {
  return { ami, instanceType, subnetId: subnet.id, vpcSecurityGroupIds: securityGroups, keyName };
}

function volume({ volumeGiB, holdsData }: AwsMachineArgs): aws.types.input.ec2.InstanceRootBlockDevice {
  return { encrypted: true, volumeType: "gp3", volumeSize: volumeGiB, deleteOnTermination: !holdsData };
}
