/** A stack that comes first: all that another one asks of it is what it says that it ran. */
export const upgrades: unknown = JSON.parse(process.env.RAN ?? "{}");
