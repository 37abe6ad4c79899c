import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EventTail } from "../../src/engine/queue/event-tail.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const event = (done: number): object => ({ type: "progress", phase: "training", done, total: 9 });
const lineOf = (done: number): string => `${JSON.stringify(event(done))}\n`;

test("events are read as they are appended; lines that are none, or not complete, are not", () => {
  const file = join(tempFolder(), "events.jsonl");
  const tail = new EventTail(file);
  expect(tail.read()).toEqual([]);
  appendFileSync(file, `${lineOf(1)}no event\n${lineOf(2).slice(0, 20)}`);
  expect(tail.read()).toEqual([event(1)]);
  appendFileSync(file, `${lineOf(2).slice(20)}${lineOf(3)}`);
  expect(tail.read()).toEqual([event(2), event(3)]);
  expect(tail.read()).toEqual([]);
});

test("after a line that is too long, a warning says that no more events are shown", () => {
  const file = join(tempFolder(), "events.jsonl");
  const tail = new EventTail(file);
  appendFileSync(file, `${lineOf(1)}${"x".repeat(2_500_000)}\n${lineOf(2)}`);
  expect(tail.read()).toEqual([event(1)]);
  expect(tail.read()).toEqual([{ type: "warning", message: expect.stringMatching(/events\.jsonl.*1 MB/) }]);
  expect(tail.read()).toEqual([]);
});

test("many events at once are all read, in a few calls", () => {
  const file = join(tempFolder(), "events.jsonl");
  appendFileSync(file, lineOf(1).repeat(50_000)); // 3 MB.
  const tail = new EventTail(file);
  let number = 0;
  for (let events = tail.read(); events.length > 0; events = tail.read()) number += events.length;
  expect(number).toBe(50_000);
});

test("a warning says once that events cannot be read; they are shown when they can", () => {
  const folder = join(tempFolder(), "events");
  appendFileSync(folder, "no folder");
  const tail = new EventTail(join(folder, "events.jsonl"));
  expect(tail.read()).toEqual([
    { type: "warning", message: expect.stringMatching(/events\.jsonl.*ENOTDIR/) },
  ]);
  expect(tail.read()).toEqual([]);
  rmSync(folder);
  mkdirSync(folder);
  appendFileSync(join(folder, "events.jsonl"), lineOf(1));
  expect(tail.read()).toEqual([event(1)]);
});
