/** Where hosts come from: made on this Linux machine, existing machines, EC2 instances. */
export const platformNames = ["local", "inventory", "aws"] as const;

export type PlatformName = (typeof platformNames)[number];
