import { expect, test } from "vitest";
import { withPrecision } from "../../src/contract/former-precision.ts";
import { withIdentityDefaults } from "../../src/contract/trial-identity.ts";
import { withTodaysKeys } from "../../src/experiment/former-keys.ts";
import { describePrecision } from "../../src/sweep/describe-precision.ts";
import { madeSpec } from "../helpers/report-input.ts";

test.each([
  [{ amp: true }, { precision: "auto" }],
  [
    { amp: false, views: 1 },
    { precision: "fp32", views: 1 },
  ],
  [{ amp: [false, true] }, { precision: ["fp32", "auto"] }],
  [
    { amp: false, precision: "bf16" },
    { amp: false, precision: "bf16" },
  ],
  [{ amp: "yes" }, { amp: "yes" }],
  [{ amp: [true, 1] }, { amp: [true, 1] }],
  [{ precision: "bf16" }, { precision: "bf16" }],
])("%j of an earlier version is %j", (former, today) => {
  expect(withPrecision(former, "")).toEqual(today);
});

test("a stored trial without the key, or with amp, has the precision that held then", () => {
  const read = (training: object): unknown =>
    withIdentityDefaults({ kind: "cliprpn", settings: { training } });
  expect(read({})).toMatchObject({ settings: { training: { precision: "auto" } } });
  expect(read({ amp: false })).toMatchObject({ settings: { training: { precision: "fp32" } } });
  expect(read({ amp: false })).not.toHaveProperty("settings.training.amp");
});

test.each([
  undefined,
  null,
  1,
  [],
  { settings: 1, vary: [], also: {} },
  { also: [null, 1] },
])("what is no experiment, %j, is left to the schema", (value) => {
  expect(withTodaysKeys(value)).toEqual(value);
});

test("a dry run names the precision where it is not the usual one", () => {
  const describe = (device: string, ...precisions: ("auto" | "fp32" | "bf16")[]): string | undefined =>
    describePrecision(
      precisions.map((precision) => {
        const spec = madeSpec("film", 0);
        if (spec.kind !== "cliprpn") throw new Error("expected a ClipRPN");
        const training = { ...spec.settings.training, precision };
        return { ...spec, settings: { ...spec.settings, training } };
      }),
      device,
    );
  expect(describe("cpu", "auto")).toBeUndefined();
  expect(describe("cpu", "fp32", "auto")).toBeUndefined();
  expect(describe("cpu", "fp32", "bf16", "auto")).toContain("fp32 in 2 trials and bf16 in 1 trial");
  expect(describe("cuda:0", "fp32", "auto")).toContain("fp32 in 1 trial and bf16 in 1 trial");
  expect(describe("auto", "fp32", "auto")).toMatch(/fp32 in 1 trial and bf16 on CUDA .* in 1 trial/);
});
