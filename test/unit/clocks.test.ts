import { describe, expect, it } from "vitest";
import { clocksIn, clocksOf } from "../../transition/decide.ts";

describe("the clocks of hosts", () => {
  it("are in the receipt of a preflight, in ms ahead of the operator's, where the look could tell", () => {
    const looks = [
      { host: "slayer", skewMs: 5012.4, skewErrorMs: 200 },
      { host: "megadeth", skewMs: -180, skewErrorMs: 200 },
      { host: "late", skewMs: -201, skewErrorMs: 200 },
      { host: "dead", failure: "no answer" },
    ];
    const said = clocksOf(looks);
    expect(said).toEqual({ clocks: "slayer:5012,megadeth:0,late:-201" });
    expect([...clocksIn(said)]).toEqual([
      ["slayer", 5012],
      ["megadeth", 0],
      ["late", -201],
    ]);
  });

  it("are not said where no host answered, and none are read from what says none", () => {
    expect(clocksOf([{ host: "dead", failure: "no answer" }])).toEqual({});
    expect([...clocksIn({}), ...clocksIn({ clocks: "" }), ...clocksIn({ clocks: "a,b:,:5,c:x" })]).toEqual(
      [],
    );
  });
});
