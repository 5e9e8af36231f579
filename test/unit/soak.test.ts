import { describe, expect, it } from "vitest";
import { greenOf, ranIn, soaking, withGreen } from "../../components/staged-upgrade/soak.ts";

const soak = { stack: "org/changeover/dev", days: 7 };
const at = (day: number) => `2026-11-${String(day).padStart(2, "0")}T03:00:00Z`;
const now = new Date(at(22));
const why = (
  there: Parameters<typeof withGreen>[0],
  more: Partial<Parameters<typeof soaking>[1]> = {},
  here: typeof there = [],
) => soaking("7.4.0-1", { ...soak, ...more }, { there, here, now });

describe("a version on production", () => {
  it("is refused when development has not run it, with what ran there [000-002] [000-003] [000-088]", () => {
    expect(why([])).toBe("7.4.0-1 has not run on org/changeover/dev; run it there for 7 days first");
    expect(why([{ version: "7.3.0-1", since: at(1) }])).toContain(
      "(that stack ran 7.3.0-1 since 2026-11-01)",
    );
  });

  it("is refused when development has not run it long enough, with the dates [000-004]", () => {
    expect(why([{ version: "7.4.0-1", since: at(20) }])).toBe(
      '7.4.0-1 has passed all checks on org/changeover/dev since 2026-11-20T03:00:00Z: 2.0 days (required: 7); allowed from 2026-11-27T03:00Z, or now with soak.override: "7.4.0-1: why"',
    );
    expect(
      why([
        { version: "7.4.0-1", since: at(10), until: at(12) },
        { version: "7.4.1-1", since: at(12) },
      ]),
    ).toMatch(
      /from 2026-11-10T03:00:00Z until 2026-11-12T03:00:00Z: 2\.0 days \(required: 7\); run it there again/,
    );
  });

  it("is allowed after its days, also when development has gone on, here where it ran before, and for a reason [000-004]", () => {
    expect(why([{ version: "7.4.0-1", since: at(15) }])).toBeUndefined();
    expect(
      why([
        { version: "7.4.0-1", since: at(1), until: at(9) },
        { version: "7.4.1-1", since: at(9) },
      ]),
    ).toBeUndefined();
    expect(why([], {}, [{ version: "7.4.0-1", since: at(1), until: at(2) }])).toBeUndefined();
    expect(why([], { override: "7.4.0-1: a hole" })).toBeUndefined();
    expect(why([{ version: "7.4.0-1", since: at(22) }], { days: 0 })).toBeUndefined();
  });
});

describe("what ran on a stack", () => {
  it("is read from its outputs, and from the receipt of the last step", () => {
    expect(ranIn(undefined, "scalr")).toEqual([]);
    expect(ranIn({ upgrades: { scalr: { ran: [{ version: "1", since: at(1) }] } } }, "scalr")).toHaveLength(
      1,
    );
    expect(greenOf(`scalr all is well 0.12 | version=7.4.0-1 since=${at(3)}`)).toEqual({
      version: "7.4.0-1",
      since: at(3),
    });
    expect(greenOf("none")).toBeUndefined();
  });

  it("ends with what runs, and what ran before has an end", () => {
    const first = withGreen([], { version: "1", since: at(1) });
    expect(withGreen(first, { version: "1", since: at(1) })).toEqual(first);
    // It was stopped for an upgrade that failed, and is back.
    expect(withGreen(first, { version: "1", since: at(2) })).toEqual([{ version: "1", since: at(2) }]);
    expect(withGreen(first, undefined)).toEqual(first);
    // A release that rewords the last row has it replaced, which acts on nothing.
    const again = greenOf("scalr upgrade is complete, nothing done 0.01 | complete=yes");
    expect(withGreen(first, again)).toEqual(first);
    const second = withGreen(first, { version: "2", since: at(5) });
    expect(second).toEqual([
      { version: "1", since: at(1), until: at(5) },
      { version: "2", since: at(5) },
    ]);
    expect(withGreen(second, { version: "1", since: at(6) }).map(({ version }) => version)).toEqual([
      "1",
      "2",
      "1",
    ]);
  });
});
