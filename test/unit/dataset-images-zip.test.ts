import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import { type ExtractOptions, extractFiles, MAX_IMAGE_BYTES } from "../../src/dataset/images/extract-zip.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { type ZipPart, zipOf } from "../helpers/zip.ts";

const one = Buffer.from("the first image's bytes, ".repeat(50));
const two = Buffer.from("the second's");
const numFuzzRuns = Number(process.env.CLIPRPN_FUZZ_RUNS ?? 200);

describe("extraction", () => {
  test("extracts the wanted files by the last part of their path, and nothing else", async () => {
    const { folder, result } = await extract(
      [
        { name: "train2014/", content: Buffer.alloc(0), mode: 0o40755 },
        { name: "train2014/a.jpg", content: one },
        { name: "train2014/b.jpg", content: two, stored: true },
        { name: "train2014/c.jpg", content: two },
      ],
      ["a.jpg", "b.jpg", "d.jpg"],
    );
    expect(result).toEqual({ num_extracted: 2, num_kept: 0, missing: ["d.jpg"], refused: [] });
    expect(readdirSync(folder).sort()).toEqual(["a.jpg", "b.jpg"]);
    expect(readFileSync(join(folder, "a.jpg"))).toEqual(one);
    expect(readFileSync(join(folder, "b.jpg"))).toEqual(two);
  });

  test("reads a zip64 archive", async () => {
    const { folder } = await extract([{ name: "a.jpg", content: one, zip64: true }], ["a.jpg"]);
    expect(readFileSync(join(folder, "a.jpg"))).toEqual(one);
  });

  test("a second run extracts only files that are missing or have the wrong size", async () => {
    const parts = ["a.jpg", "b.jpg", "c.jpg"].map((name) => ({ name, content: one }));
    const { archive, folder } = await extract(parts, ["a.jpg"]);
    writeFileSync(join(folder, "b.jpg"), "cut sho");
    writeFileSync(join(folder, ".extracting-0"), "left by a run that was killed");
    const reported: number[][] = [];
    const again = await extractFiles({
      archive,
      folder,
      wanted: ["a.jpg", "b.jpg", "c.jpg"],
      max_file_bytes: MAX_IMAGE_BYTES,
      onProgress: (done, total) => reported.push([done, total]),
    });
    expect(again).toMatchObject({ num_kept: 1, num_extracted: 2 });
    expect(readFileSync(join(folder, "b.jpg"))).toEqual(one);
    expect(reported).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(readdirSync(folder).sort()).toEqual(["a.jpg", "b.jpg", "c.jpg"]);
  });

  test("stops when interrupted", async () => {
    const signal = AbortSignal.abort();
    await expect(extract([{ name: "a.jpg", content: one }], ["a.jpg"], { signal })).rejects.toMatchObject({
      code: "interrupted",
    });
  });
});

const firstImage = (more: Partial<ZipPart>): ZipPart[] => [{ name: "x/a.jpg", content: one, ...more }];

describe("a bad entry is refused by name, and the others are extracted", () => {
  test.each<[what: string, Partial<ZipPart>, problem: RegExp]>([
    ["a wrong checksum", { crc: 1 }, /checksum/],
    ["a link", { mode: 0o120777 }, /found a link/],
    ["a device", { mode: 0o020666 }, /another kind/],
    ["an encrypted file", { flags: 0x801 }, /encrypted/],
    ["an unknown compression method", { method: 14 }, /compression method 14/],
    ["more than the limit", { size: 200_000_001 }, /at most 200,000,000 bytes, found 200,000,001/],
    ["more bytes than declared", { size: 10 }, /entry a\.jpg.*bytes/],
    ["fewer bytes than declared", { size: 100_000 }, /entry a\.jpg.*bytes/],
  ])("%s", async (_, more, problem) => {
    const parts = [...firstImage(more), { name: "b.jpg", content: two }];
    const { folder, result } = await extract(parts, ["a.jpg", "b.jpg"]);
    expect(result.num_extracted).toBe(1);
    expect(result.refused).toEqual([{ file_name: "a.jpg", problem: expect.stringMatching(problem) }]);
    expect(readdirSync(folder)).toEqual(["b.jpg"]);
  });
});

describe("an archive is refused", () => {
  test.each<[what: string, ZipPart[], message: RegExp]>([
    ["a path that leads out", firstImage({ name: "../a.jpg" }), /\.\.\/a\.jpg/],
    ["a path that leads out further down", firstImage({ name: "x/../../a.jpg" }), /x\/\.\.\/\.\.\/a\.jpg/],
    ["an absolute path", firstImage({ name: "/etc/a.jpg" }), /\/etc\/a\.jpg/],
    ["a drive letter", firstImage({ name: "C:\\a.jpg" }), /C:/],
    [
      "one name twice",
      [...firstImage({}), ...firstImage({ name: "y/a.jpg" })],
      /two: "x\/a\.jpg" and "y\/a\.jpg"/,
    ],
    [
      "overlapping entries",
      [...firstImage({}), { name: "b.jpg", content: one, bytesOf: 0 }],
      /a\.jpg and b\.jpg/,
    ],
  ])("%s", async (_, parts, message) => {
    await expect(extract(parts, ["a.jpg", "b.jpg"])).rejects.toMatchObject({
      code: "data_invalid",
      message: expect.stringMatching(message),
    });
  });

  test("a truncated or missing file, with advice", async () => {
    const folder = tempFolder();
    const archive = join(folder, "cut.zip");
    writeFileSync(archive, zipOf(firstImage({})).subarray(0, -30));
    const wanted = {
      archive,
      wanted: ["a.jpg"],
      folder: join(folder, "out"),
      max_file_bytes: MAX_IMAGE_BYTES,
    };
    await expect(extractFiles(wanted)).rejects.toThrow(
      /cut\.zip: expected .* zip archive.*download it again/,
    );
    await expect(extractFiles({ ...wanted, archive: join(folder, "none.zip") })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("if a wanted name is a path", async () => {
    await expect(extract(firstImage({}), ["../a.jpg"])).rejects.toMatchObject({ code: "bad_input" });
  });
});

test(
  "a mutated archive gives a result or a CliprpnError, and never writes outside the folder",
  async () => {
    const base = tempFolder();
    const valid = zipOf([
      { name: "x/a.jpg", content: one },
      { name: "x/b.jpg", content: two, stored: true, zip64: true },
    ]);
    const archive = join(base, "a.zip");
    const mutation = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(mutation, async (changes) => {
        const mutated = Buffer.from(valid);
        for (const [at, value] of changes) mutated[at] = value;
        writeFileSync(archive, mutated);
        const wanted = {
          archive,
          wanted: ["a.jpg", "b.jpg"],
          folder: join(base, "out"),
          max_file_bytes: 10_000,
        };
        await extractFiles(wanted).catch((error) => expect(error).toBeInstanceOf(CliprpnError));
        expect(readdirSync(base).filter((name) => !["a.zip", "out"].includes(name))).toEqual([]);
      }),
      { numRuns: numFuzzRuns, seed: 7 },
    );
  },
  300_000 + 50 * numFuzzRuns,
);

async function extract(
  parts: ZipPart[],
  wanted: string[],
  more: Pick<ExtractOptions, "signal"> = {},
): Promise<{ archive: string; folder: string; result: Awaited<ReturnType<typeof extractFiles>> }> {
  const base = tempFolder();
  const archive = join(base, "images.zip");
  const folder = join(base, "out");
  writeFileSync(archive, zipOf(parts));
  const result = await extractFiles({ archive, wanted, folder, max_file_bytes: MAX_IMAGE_BYTES, ...more });
  expect(existsSync(join(base, "a.jpg"))).toBe(false);
  return { archive, folder, result };
}
