/** `cliprpn compare` with files of known accuracy, through the real Python. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { type CommandResult, cliprpnWithPython } from "../helpers/cli.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("compare");
const numImages = 40;
const [width, height] = [200, 100];
const box = [20, 10, 120, 60];

beforeAll(async () => {
  mkdirSync(join(folder, "photos"));
  const image = await sharp({ create: { width, height, channels: 3, background: "gray" } })
    .png()
    .toBuffer();
  const rows = Array.from({ length: numImages }, (_, index) => {
    writeFileSync(join(folder, "photos", `${index}.png`), image);
    return { image: `${index}.png`, sentence: `thing ${index}`, box };
  });
  writeFileSync(join(folder, "test.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
  const args = ["--from", "test=test.jsonl", "--images", "photos", "--box-format", "xyxy"];
  expect(await run(["prepare", "mine", ...args])).toMatchObject({ code: 0 });
});

test("hits by construction are exact in two formats and coordinate conventions, and the look is recorded once", async () => {
  // 30 and 20 of 40 are hits; qwen has no answer to one more.
  const rows = Array.from({ length: numImages }, (_, index) => index);
  const shifted = (index: number, numHits: number): number[] =>
    index < numHits ? box : [box[0] ?? 0, 60, box[2] ?? 0, 100];
  const csv = rows.map((index) => [`${index}.png`, `thing ${index}`, ...shifted(index, 20)].join(","));
  writeFileSync(
    join(folder, "mdl.csv"),
    ["image,sentence,pred_x1,pred_y1,pred_x2,pred_y2", ...csv].join("\n"),
  );
  const lines = rows.slice(0, -1).map((index) => {
    const scaled = shifted(index, 30).map((value, axis) =>
      Math.round((1000 * value) / (axis % 2 === 0 ? width : height)),
    );
    return JSON.stringify({
      image: `${index}.png`,
      sentence: `thing ${index}`,
      response: JSON.stringify(scaled),
    });
  });
  writeFileSync(join(folder, "qwen.jsonl"), lines.join("\n"));
  const command = [
    ...["compare", "--data", "mine:test", "--results", "qwen=qwen.jsonl", "--results", "mdl=mdl.csv"],
    ...["--coordinates", "qwen=xyxy_1000", "--coordinates", "mdl=xyxy", "--json"],
  ];
  const [first, second] = [await run(command), await run(command)];
  expect(first).toMatchObject({
    code: 0,
    err: expect.stringContaining("39 of 40 expressions answered (1 missing"),
  });
  const { data, file } = JSON.parse(first.out);
  const accuracies = data[0].models.map((model: { label: string; acc_at_50: { mean: number } }) => [
    model.label,
    model.acc_at_50.mean,
  ]);
  expect(accuracies).toEqual([
    ["qwen", 0.75],
    ["mdl", 0.5],
  ]);
  expect(JSON.parse(second.out).data).toEqual(data);
  expect(readFileSync(join(folder, file), "utf8")).toContain("qwen");
  expect(readFileSync(join(folder, "runs/test-looks.jsonl"), "utf8").trim().split("\n")).toHaveLength(1);

  const wrong = await run([
    "compare",
    "--data",
    "mine:test",
    "--results",
    "q=qwen.jsonl",
    "--coordinates",
    "xyxy",
  ]);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("xyxy_1000") });
});

function run(command: string[]): Promise<CommandResult> {
  return cliprpnWithPython(command, folder, { CLIPRPN_CACHE: join(folder, "cache") });
}
