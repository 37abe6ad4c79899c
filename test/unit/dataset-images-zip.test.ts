import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import { type ExtractOptions, extractImages } from "../../src/dataset/images/extract-zip.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { type ZipPart, zipOf } from "../helpers/zip.ts";

const one = Buffer.from("the first image's bytes, ".repeat(50));
const two = Buffer.from("the second's");
const numFuzzRuns = Number(process.env.CLIPRPN_FUZZ_RUNS ?? 200);

describe("what is taken out", () => {
  test("files by the last part of their path, and nothing else", async () => {
    const { folder, taken } = await extracted(
      [
        { name: "train2014/", content: Buffer.alloc(0), mode: 0o40755 },
        { name: "train2014/a.jpg", content: one },
        { name: "train2014/b.jpg", content: two, stored: true },
        { name: "train2014/c.jpg", content: two },
      ],
      ["a.jpg", "b.jpg", "d.jpg"],
    );
    expect(taken).toEqual({ num_extracted: 2, num_kept: 0, missing: ["d.jpg"], refused: [] });
    expect(readdirSync(folder).sort()).toEqual(["a.jpg", "b.jpg"]);
    expect(readFileSync(join(folder, "a.jpg"))).toEqual(one);
    expect(readFileSync(join(folder, "b.jpg"))).toEqual(two);
  });

  test("of an archive with the fields of large ones (zip64)", async () => {
    const { folder } = await extracted([{ name: "a.jpg", content: one, zip64: true }], ["a.jpg"]);
    expect(readFileSync(join(folder, "a.jpg"))).toEqual(one);
  });

  test("a second time, only what is not there in its right size", async () => {
    const parts = ["a.jpg", "b.jpg", "c.jpg"].map((name) => ({ name, content: one }));
    const { archive, folder } = await extracted(parts, ["a.jpg"]);
    writeFileSync(join(folder, "b.jpg"), "cut sho");
    writeFileSync(join(folder, ".extracting-0"), "left by one that was killed");
    const seen: number[][] = [];
    const again = await extractImages({
      archive,
      folder,
      wanted: ["a.jpg", "b.jpg", "c.jpg"],
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(again).toMatchObject({ num_kept: 1, num_extracted: 2 });
    expect(readFileSync(join(folder, "b.jpg"))).toEqual(one);
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(readdirSync(folder).sort()).toEqual(["a.jpg", "b.jpg", "c.jpg"]);
  });

  test("nothing once it was interrupted", async () => {
    const signal = AbortSignal.abort();
    await expect(extracted([{ name: "a.jpg", content: one }], ["a.jpg"], { signal })).rejects.toMatchObject({
      code: "interrupted",
    });
  });
});

const part = (more: Partial<ZipPart>): ZipPart[] => [{ name: "x/a.jpg", content: one, ...more }];

describe("a file is refused by name, and the others come", () => {
  test.each<[what: string, Partial<ZipPart>, problem: RegExp]>([
    ["another checksum", { crc: 1 }, /checksum/],
    ["a link", { mode: 0o120777 }, /found a link/],
    ["a device", { mode: 0o020666 }, /another kind/],
    ["an encrypted one", { flags: 0x801 }, /encrypted/],
    ["a foreign compression", { method: 14 }, /compression method 14/],
    ["more than the limit", { size: 200_000_001 }, /at most 200,000,000 bytes, found 200,000,001/],
    ["more bytes than it says", { size: 10 }, /whole entry a\.jpg/],
    ["fewer bytes than it says", { size: 100_000 }, /whole entry a\.jpg/],
  ])("%s", async (_, more, problem) => {
    const parts = [...part(more), { name: "b.jpg", content: two }];
    const { folder, taken } = await extracted(parts, ["a.jpg", "b.jpg"]);
    expect(taken.num_extracted).toBe(1);
    expect(taken.refused).toEqual([{ file_name: "a.jpg", problem: expect.stringMatching(problem) }]);
    expect(readdirSync(folder)).toEqual(["b.jpg"]);
  });
});

describe("an archive is refused", () => {
  test.each<[what: string, ZipPart[], message: RegExp]>([
    ["a name that climbs", part({ name: "../a.jpg" }), /\.\.\/a\.jpg/],
    ["a name that climbs later", part({ name: "x/../../a.jpg" }), /x\/\.\.\/\.\.\/a\.jpg/],
    ["an absolute name", part({ name: "/etc/a.jpg" }), /\/etc\/a\.jpg/],
    ["a drive's name", part({ name: "C:\\a.jpg" }), /C:/],
    ["one name twice", [...part({}), ...part({ name: "y/a.jpg" })], /two: "x\/a\.jpg" and "y\/a\.jpg"/],
    [
      "shared bytes",
      [...part({}), { name: "b.jpg", content: one, bytesOf: 0 }],
      /a\.jpg and b\.jpg to share/,
    ],
  ])("%s", async (_, parts, message) => {
    await expect(extracted(parts, ["a.jpg", "b.jpg"])).rejects.toMatchObject({
      code: "data_invalid",
      message: expect.stringMatching(message),
    });
  });

  test("one that was cut, with what to do", async () => {
    const folder = tempFolder();
    const archive = join(folder, "cut.zip");
    writeFileSync(archive, zipOf(part({})).subarray(0, -30));
    const wanted = { archive, wanted: ["a.jpg"], folder: join(folder, "out") };
    await expect(extractImages(wanted)).rejects.toThrow(
      /cut\.zip: expected a whole zip archive.*fetch it again/,
    );
    await expect(extractImages({ ...wanted, archive: join(folder, "none.zip") })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("a wanted name that is a path", async () => {
    await expect(extracted(part({}), ["../a.jpg"])).rejects.toMatchObject({ code: "bad_input" });
  });
});

test(
  "whatever bytes of an archive change: an answer or an error for people, and nothing outside of the folder",
  async () => {
    const base = tempFolder();
    const whole = zipOf([
      { name: "x/a.jpg", content: one },
      { name: "x/b.jpg", content: two, stored: true, zip64: true },
    ]);
    const archive = join(base, "a.zip");
    const mutation = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(mutation, async (changes) => {
        const mutated = Buffer.from(whole);
        for (const [at, value] of changes) mutated[at] = value;
        writeFileSync(archive, mutated);
        const wanted = {
          archive,
          wanted: ["a.jpg", "b.jpg"],
          folder: join(base, "out"),
          max_file_bytes: 10_000,
        };
        await extractImages(wanted).catch((error) => expect(error).toBeInstanceOf(CliprpnError));
        expect(readdirSync(base).filter((name) => !["a.zip", "out"].includes(name))).toEqual([]);
      }),
      { numRuns: numFuzzRuns, seed: 7 },
    );
  },
  20_000 + 50 * numFuzzRuns,
);

async function extracted(
  parts: ZipPart[],
  wanted: string[],
  more: Pick<ExtractOptions, "signal"> = {},
): Promise<{ archive: string; folder: string; taken: Awaited<ReturnType<typeof extractImages>> }> {
  const base = tempFolder();
  const archive = join(base, "pictures.zip");
  const folder = join(base, "out");
  writeFileSync(archive, zipOf(parts));
  const taken = await extractImages({ archive, wanted, folder, ...more });
  expect(existsSync(join(base, "a.jpg"))).toBe(false);
  return { archive, folder, taken };
}
