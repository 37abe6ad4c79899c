import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type DownloadProgress, ProgressMeter, progressLine } from "../../src/dataset/download/progress.ts";
import { filesFor, parseSources, readSources } from "../../src/dataset/download/sources.ts";
import { type Answer, readAnswer } from "../../src/dataset/download/transfer.ts";
import { errorOf } from "../helpers/error-of.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const good = {
  name: "mine.zip",
  datasets: ["mine"],
  bytes: null,
  sha256: null,
  urls: ["https://example.org/mine.zip"],
  license: "none",
  by_hand: "ask me",
};

describe("the built-in sources", () => {
  test.each([
    "refcocog",
    "refcoco",
    "refcoco+",
  ])("list the annotations and the images of %s", async (name) => {
    const files = filesFor(name, await readSources());
    expect(files.map((file) => file.name)).toEqual([`${name}.zip`, "train2014.zip"]);
  });

  test("list the size, the SHA-256 and several mirrors of every file", async () => {
    for (const file of await readSources()) {
      expect(file.bytes).toBeGreaterThan(40e6);
      expect(file.checksum?.algorithm).toBe("sha256");
      expect(new Set(file.urls).size).toBeGreaterThan(2);
    }
  });

  test("reject an unknown dataset and name the known ones", async () => {
    const sources = await readSources();
    const error = errorOf(() => filesFor("refclef", sources));
    expect(error.code).toBe("not_found");
    expect(error.message).toMatch(/^refclef: .*refcocog, refcoco, refcoco\+/);
  });
});

describe("the user's sources", () => {
  test("are read from a file", async () => {
    const path = join(tempFolder(), "mine.json");
    writeFileSync(path, JSON.stringify({ files: [{ ...good, md5: "0".repeat(32) }] }));
    const [file] = filesFor("mine", await readSources(path));
    expect(file?.checksum).toEqual({ algorithm: "md5", hex: "0".repeat(32) });
    expect(file?.urls).toEqual(good.urls);
  });

  test.each<[what: string, changes: object, problem: string]>([
    ["a name with a folder", { name: "../mine.zip" }, "files[0].name: "],
    ["an absolute name", { name: "/etc/mine.zip" }, "files[0].name: "],
    ["a hidden name", { name: ".mine" }, "files[0].name: "],
    ["the name of a file that the download uses", { name: "downloads.json" }, "files[0].name"],
    ["the name of a part file", { name: "mine.zip.part" }, "files[0].name"],
    ["a file address", { urls: ["file:///etc/passwd"] }, "files[0].urls[0]: expected an http"],
    ["an address with a password", { urls: ["https://a:b@example.org/"] }, "files[0].urls[0]"],
    ["no address", { urls: [] }, "files[0].urls: expected "],
    ["an invalid size", { bytes: -1 }, "files[0].bytes: expected "],
    ["an invalid checksum", { sha256: "abc" }, "files[0].sha256: expected 64"],
    ["no checksum and no null", { sha256: undefined }, "files[0].sha256: expected 64"],
    ["control characters", { by_hand: "\u001b[2J" }, "files[0].by_hand: expected "],
    ["an unknown key", { url: "https://example.org" }, "files[0].url: "],
  ])("with %s are rejected", (_, changes, problem) => {
    const error = errorOf(() => parseSources({ files: [{ ...good, ...changes }] }, "mine.json"));
    expect(error.code).toBe("bad_input");
    expect(error.message).toContain(`mine.json: ${problem}`);
  });

  test.each([null, [], "files", { files: {} }, { files: [null] }])("that are %j are rejected", (value) => {
    expect(errorOf(() => parseSources(value, "mine.json")).code).toBe("bad_input");
  });

  test("are rejected with all problems at once, duplicate names included", () => {
    const files = [good, { ...good, name: "MINE.zip", bytes: "12" }, { ...good, name: "b.zip", license: 7 }];
    const lines = errorOf(() => parseSources({ files }, "mine.json")).message.split("\n");
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toContain("files[1].name: mine.zip");
  });

  test.each<[what: string, text: string | undefined, code: string]>([
    ["do not exist", undefined, "not_found"],
    ["are not JSON", "{", "bad_input"],
  ])("that %s are rejected", async (_, text, code) => {
    const file = join(tempFolder(), "mine.json");
    if (text !== undefined) writeFileSync(file, text);
    await expect(readSources(file)).rejects.toMatchObject({ code, message: expect.stringContaining(file) });
  });
});

test.each<
  [what: string, status: number, headers: Record<string, string>, from: number, answer: Partial<Answer>]
>([
  ["the whole file", 200, { "content-length": "900" }, 0, { state: "sends", from: 0, total: 900 }],
  ["the whole file instead of the rest", 200, { "content-length": "900" }, 500, { state: "sends", from: 0 }],
  ["the rest", 206, { "content-range": "bytes 500-899/900" }, 500, { state: "sends", from: 500, total: 900 }],
  [
    "the rest, without a total size",
    206,
    { "content-range": "bytes 500-899/*" },
    500,
    { state: "sends", total: 900 },
  ],
  ["another range", 206, { "content-range": "bytes 400-899/900" }, 500, { state: "start_over" }],
  ["a range without Content-Range", 206, {}, 500, { state: "start_over" }],
  ["the rest of another file", 206, { "content-range": "bytes 500-999/1000" }, 500, { state: "refused" }],
  ["no bytes left", 416, { "content-range": "bytes */900" }, 900, { state: "nothing_left" }],
  ["a shorter file", 416, { "content-range": "bytes */400" }, 500, { state: "start_over" }],
  [
    "a compressed body",
    200,
    { "content-length": "90", "content-encoding": "gzip" },
    0,
    { state: "sends", total: 900 },
  ],
  [
    "a date to retry at",
    503,
    { "retry-after": "Thu, 01 Jan 1970 00:00:30 GMT" },
    0,
    { state: "busy", wait_ms: 20_000 },
  ],
  [
    "a retry date in the past",
    503,
    { "retry-after": "Thu, 01 Jan 1970 00:00:01 GMT" },
    0,
    { state: "busy", wait_ms: 0 },
  ],
  ["an invalid retry date", 503, { "retry-after": "later" }, 0, { state: "busy", wait_ms: undefined }],
  ["no content", 204, {}, 0, { state: "refused" }],
])("the answer of a server: %s", (_, status, headers, from, answer) => {
  const request = { name: "a.zip", from, bytes: 900 };
  expect(readAnswer(status, new Headers(headers), request, 10_000)).toMatchObject(answer);
});

test.each<[Partial<DownloadProgress>, string]>([
  [{}, "train2014.zip  3.2 of 13.5 GB  41 MB/s  4 min left"],
  [{ eta_s: 3900 }, "train2014.zip  3.2 of 13.5 GB  41 MB/s  1 h 5 min left"],
  [{ eta_s: 59.7 }, "train2014.zip  3.2 of 13.5 GB  41 MB/s  1 min left"],
  [{ eta_s: 0.2, bytes_per_s: 1.26e6 }, "train2014.zip  3.2 of 13.5 GB  1.3 MB/s  1 s left"],
  [
    { done_bytes: 3e6, total_bytes: 45_613_210, eta_s: 12 },
    "train2014.zip  3.0 of 45.6 MB  41 MB/s  12 s left",
  ],
  [{ total_bytes: undefined, eta_s: undefined }, "train2014.zip  3.2 GB  41 MB/s"],
  [{ bytes_per_s: 0, eta_s: undefined }, "train2014.zip  3.2 of 13.5 GB  0.0 MB/s"],
])("the progress line of %j", (changes, line) => {
  const progress = { file: "train2014.zip", done_bytes: 3.2e9, total_bytes: 13_510_573_713 };
  expect(progressLine({ ...progress, bytes_per_s: 41e6, eta_s: 251, ...changes })).toBe(line);
});

describe("the speed of a download", () => {
  test("ignores bytes of earlier runs", () => {
    const meter = new ProgressMeter("a.zip", 1000, 0);
    expect(meter.at(2000, 1400, 2000)).toMatchObject({ bytes_per_s: 200, eta_s: 3 });
  });

  test("is measured over the last ten seconds", () => {
    const meter = new ProgressMeter("a.zip", 0, 0);
    for (let second = 1; second <= 60; second += 1) meter.at(1000 * second, 1000 * second, 1e6);
    for (let second = 61; second <= 90; second += 1)
      meter.at(1000 * second, 60_000 + 10 * (second - 60), 1e6);
    expect(meter.at(91_000, 60_310, 1e6).bytes_per_s).toBeCloseTo(10, 6);
  });

  test("is reset when the file is started over", () => {
    const meter = new ProgressMeter("a.zip", 0, 0);
    meter.at(1000, 5000, 9000);
    expect(meter.at(2000, 100, 9000)).toMatchObject({ bytes_per_s: 0, eta_s: undefined });
    expect(meter.at(3000, 300, 9000).bytes_per_s).toBe(200);
  });
});
