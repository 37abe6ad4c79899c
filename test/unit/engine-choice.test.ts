import { expect, test } from "vitest";
import { Arguments } from "../../src/commands/command.ts";
import { engineChoice } from "../../src/commands/engine-choice.ts";

const choose = (values: object): string => {
  const args = new Arguments({ ...values });
  return engineChoice((name) => args.text(name));
};

test.each([
  [{}, "local"],
  [{ engine: "local", devices: "cuda:0" }, "local"],
  [{ engine: "queue", "lease-seconds": 5 }, "queue"],
  [{ engine: "slurm", "lease-seconds": 5 }, "slurm"],
  [{ devices: "cuda:0", "slots-per-device": 2 }, "local"], // `worker` has no --engine.
])("%j is --engine %s", (values, engine) => {
  expect(choose(values)).toBe(engine);
});

test.each([
  [{ engine: "local", "lease-seconds": 5 }, /--lease-seconds.*--engine local/],
  [{ engine: "queue", devices: "cuda:0" }, /--devices.*--engine queue.*cliprpn worker --join/],
  [{ engine: "queue", "slots-per-device": 2, "renew-after": 9 }, /--slots-per-device.*--renew-after/],
])("an option of another engine is refused: %j", (values, message) => {
  expect(() => choose(values)).toThrow(
    expect.objectContaining({ code: "bad_input", message: expect.stringMatching(message) }),
  );
});
