import { expect, test } from "vitest";
import { count, counted } from "../../src/base/count.ts";
import { bytes, duration, interval, list, signed } from "../../src/report/format.ts";

test.each([
  [duration(940), "0.9 s"],
  [duration(9_970), "10 s"],
  [duration(59_700), "1 min 0 s"],
  [duration(93_400), "1 min 33 s"],
  [duration(3_720_000), "1 h 2 min"],
  [bytes(900), "1 KB"],
  [bytes(999_900), "1.0 MB"],
  [bytes(999_960_000), "1.0 GB"],
  [count(1_234_567), "1,234,567"],
  [count(999), "999"],
  [counted(1, "picture"), "1 image"],
  [counted(2000, "ref"), "2,000 refs"],
  [signed(0.092), "+9.2"],
  [signed(-0.004), "−0.4"],
  [signed(-0.0001), "0.0"],
  [interval({ mean: 0.531, low: 0.502, high: 0.56 }), "53.1 (50.2\u00a0to\u00a056.0)"],
  [list(["a", "b", "c"]), "a, b and c"],
])("%s", (written, expected) => {
  expect(written).toBe(expected);
});
