/** The process that talks to a Ray cluster, in place of which a small program says what a test wants. */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CliprpnError } from "../../src/contract/errors.ts";
import type { RayMessage } from "../../src/contract/generated/types.ts";
import { RayDriver } from "../../src/engine/ray/ray-driver.ts";
import { until } from "../helpers/processes.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const connected = `say({ type: "connected", ray: "2.60.0", python: "3.11.7", nodes: [], free: {} });`;

test("it says what the cluster is, and what becomes of actors; at its close nothing is told", async () => {
  const { driver, messages, losses, folder } = start(
    `${connected} onLine = (line) => say({ type: "ended", id: JSON.parse(line).id, how: "lost", reason: "gone" });
     process.stdin.on("end", () => require("fs").writeFileSync(process.env.FOLDER + "/ended", ""));`,
  );
  expect(await driver.connected()).toMatchObject({ ray: "2.60.0" });
  driver.send({ type: "end", id: "ab.1" });
  await until(() => messages.length === 2);
  expect(messages[1]).toEqual({ type: "ended", id: "ab.1", how: "lost", reason: "gone" });
  await driver.close();
  expect(existsSync(join(folder, "ended"))).toBe(true);
  expect(losses).toEqual([]);
});

test.each([
  [
    "a refusal",
    `say({ type: "failed", message: "expected Ray 2, found 1" });`,
    /^--engine ray: expected Ray 2, found 1$/,
  ],
  ["an end", `console.error("no luck"); process.exit(3);`, /exited with code 3: no luck/],
  ["a message of another version", `say({ type: "news" });`, /a message of cliprpn_ray/],
  ["no JSON", `console.log("hello");`, /JSON|hello/],
])("%s is told once, with what it said", async (_, program, message) => {
  const { driver, losses } = start(program);
  await expect(driver.connected()).rejects.toMatchObject({ code: "environment_broken" });
  await expect(driver.connected()).rejects.toThrow(message);
  expect(losses).toHaveLength(1);
  await driver.close();
});

test("an interpreter that does not exist is named, with what to do", async () => {
  const losses: CliprpnError[] = [];
  const driver = new RayDriver({
    python: "/nowhere/python",
    env: {},
    setup,
    onLost: (error) => losses.push(error),
  });
  await expect(driver.connected()).rejects.toThrow(/\/nowhere\/python.*--ray-python/);
  expect(losses).toHaveLength(1);
});

test("Ctrl-C ends the wait for a cluster that does not answer", async () => {
  const interrupt = new AbortController();
  const { driver, folder } = start(
    'require("fs").writeFileSync(process.env.FOLDER + "/runs", ""); setInterval(() => {}, 1000);',
    interrupt.signal,
  );
  await until(() => existsSync(join(folder, "runs")));
  interrupt.abort();
  await expect(driver.connected()).rejects.toMatchObject({ code: "interrupted" });
  await driver.close();
});

const setup = {
  address: "auto",
  connect_s: 1,
  actor: { num_cpus: 1, num_gpus: 0, resources: {}, label_selector: {} },
  worker: null,
};

function start(
  program: string,
  signal?: AbortSignal,
): {
  driver: RayDriver;
  messages: RayMessage[];
  losses: CliprpnError[];
  folder: string;
} {
  const folder = tempFolder();
  const python = join(folder, "python");
  const script = `
    const say = (message) => console.log(JSON.stringify(message));
    let onLine = () => {};
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
      if (!line.includes('"address"')) onLine(line);
    });
    ${program}`;
  writeFileSync(python, `#!${process.execPath}\n${script}`);
  chmodSync(python, 0o755);
  const messages: RayMessage[] = [];
  const losses: CliprpnError[] = [];
  const driver = new RayDriver({
    python,
    env: { FOLDER: folder },
    setup,
    ...(signal === undefined ? {} : { signal }),
    onMessage: (message) => messages.push(message),
    onLost: (error) => losses.push(error),
  });
  return { driver, messages, losses, folder };
}
