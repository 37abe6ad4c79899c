/** The calls of a report, whose worker is lost, are made again with a new one. */
import { expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { CombineParams } from "../../src/contract/generated/types.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { withFreshWorkers } from "../../src/sweep/fresh-workers.ts";
import { killedAtStart } from "../helpers/killed-at-start.ts";

/** An engine whose first calls fail, and what was done with it. */
function failing(errors: readonly Error[]): { engine: Engine; done: string[] } {
  const left = [...errors];
  const done: string[] = [];
  const next = async <Result>(name: string, result: Result): Promise<Result> => {
    done.push(name);
    const error = left.shift();
    if (error !== undefined) throw error;
    return result;
  };
  const engine: Engine = {
    call: (method) => next(method, `reply to ${method}`) as never,
    device: () => next("device", "cpu"),
    launch: () => {
      throw new Error("no attempt is expected");
    },
    rest: async () => void done.push("rest"),
    close: async () => void done.push("close"),
  };
  return { engine, done };
}

const params = {} as CombineParams;
const killed = new CliprpnError("worker_killed", "Python was killed by SIGKILL");

test.each([
  ["killed", killed],
  ["crashed", new CliprpnError("worker_died", "Python exited with code -11")],
  ["killed as it started", killedAtStart()],
])("a report whose worker was %s gets a new one, twice at most", async (_, error) => {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const twice = failing([error, error]);
  expect(await withFreshWorkers(twice.engine, { warn }).call("combine", params)).toBe("reply to combine");
  expect(twice.done).toEqual(["combine", "rest", "combine", "rest", "combine"]);
  expect(warnings).toEqual([1, 2].map(() => expect.stringContaining(error.message)));
  const thrice = withFreshWorkers(failing([error, error, error]).engine, { warn });
  await expect(thrice.call("combine", params)).rejects.toBe(error);
  const never = withFreshWorkers(failing([error]).engine, { retries: 0, warn });
  await expect(never.call("combine", params)).rejects.toBe(error);
});

test("the first worker of a command, which tells the device, may be killed as it starts", async () => {
  const warn = (): void => undefined;
  expect(await withFreshWorkers(failing([killedAtStart()]).engine, { warn }).device()).toBe("cpu");
  const broken = new CliprpnError("environment_broken", "python did not start: no such file");
  await expect(withFreshWorkers(failing([broken]).engine, { warn }).device()).rejects.toBe(broken);
});

test("other calls and other errors are left to those who made the call", async () => {
  const warn = (): void => undefined;
  const { engine } = failing([killed]);
  await expect(withFreshWorkers(engine, { warn }).call("intervals_so_far", {} as never)).rejects.toBe(killed);
  const invalid = new CliprpnError("data_invalid", "no such split");
  await expect(withFreshWorkers(failing([invalid]).engine, { warn }).call("combine", params)).rejects.toBe(
    invalid,
  );
});
