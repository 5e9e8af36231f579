import fc from "fast-check";
import { expect, test } from "vitest";
import {
  differences,
  equal,
  fileAsset,
  plain,
  type Properties,
  secret,
} from "../../tools/workshop/offline/values.ts";

const json = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<Properties>;

test("each change is named by its path", () => {
  const old = {
    triggers: [{ goal: "slayer", gone: 1 }, "x"],
    "odd key": 1,
    same: [1],
    asset: fileAsset("a", "1"),
  };
  const now = {
    triggers: [{ goal: "megadeth", come: 2 }],
    "odd key": 2,
    same: [1],
    asset: fileAsset("b", "1"),
  };
  expect(Object.fromEntries(differences(old, now))).toEqual({
    "triggers[0].goal": "update",
    "triggers[0].gone": "delete",
    "triggers[0].come": "add",
    "triggers[1]": "delete",
    '["odd key"]': "update",
  });
});

test("what is made secret has changed, and a secret with another value has", () => {
  expect([...differences({ a: "x", b: secret("x") }, { a: secret("x"), b: secret("y") }).keys()]).toEqual([
    "a",
    "b",
  ]);
  expect(equal(secret({ a: [1] }), secret({ a: [1] }))).toBe(true);
  expect(plain({ a: [secret({ b: secret("x") })] })).toEqual({ a: [{ b: "x" }] });
});

test("two values differ somewhere exactly when they are not equal", () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      expect(differences(a, b).size === 0).toBe(equal(a, b));
      expect(differences(a, structuredClone(a)).size).toBe(0);
    }),
  );
});
