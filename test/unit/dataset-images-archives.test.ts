/** The images of archives: looked up in their list of files, and extracted one by one. */
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { Header } from "tar";
import { describe, expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { WantedImage } from "../../src/contract/generated/types.ts";
import { archiveKind } from "../../src/dataset/images/archive-tree.ts";
import type { ImageSource } from "../../src/dataset/images/image-source.ts";
import { extractTarPaths, listTar } from "../../src/dataset/images/tar-archive.ts";
import { fileNameOf, type LookedUpImages, lookUpImages } from "../../src/dataset/prepare/look-up-images.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { zipOf } from "../helpers/zip.ts";

const numFuzzRuns = Number(process.env.CLIPRPN_FUZZ_RUNS ?? 200);

interface Entry {
  path: string;
  content?: string;
  type?: "File" | "SymbolicLink" | "Directory";
  linkpath?: string;
}

function tarOf(entries: Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, content = "", type = "File", linkpath = "" }) => {
    const header = Buffer.alloc(512);
    new Header({ path, size: content.length, type, linkpath, mode: 0o644 }).encode(header, 0);
    const data = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    data.write(content);
    return [header, data];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const archives: [kind: string, make: (names: string[]) => Buffer][] = [
  ["zip", (names) => zipOf(names.map((name) => ({ name, content: Buffer.from(name) })))],
  [
    "tar",
    (names) => tarOf([{ path: "./", type: "Directory" }, ...names.map((path) => ({ path, content: path }))]),
  ],
  ["tar.gz", (names) => gzipSync(tarOf(names.map((path) => ({ path: `./${path}`, content: path }))))],
];

function lookUp(
  archives: string[],
  names: string[],
  folder: string,
  previous?: LookedUpImages["names"],
): Promise<LookedUpImages> {
  const images: ImageSource = { kind: "archives", archives };
  const written = names.map(
    (file_name): WantedImage => ({ image_id: 0, file_name, width: null, height: null }),
  );
  const quiet = { onPhase: () => undefined, onProgress: () => undefined };
  return lookUpImages({ folder, images, follow_links: false, written, previous }, quiet);
}

/** Looks up and extracts. */
async function extract(
  contents: Buffer[],
  names: string[],
  folder = tempFolder(),
): Promise<LookedUpImages & { files: Record<string, string>; folder: string }> {
  const paths = contents.map((content, index) => {
    writeFileSync(join(folder, `images-${index}`), content);
    return join(folder, `images-${index}`);
  });
  const looked = await lookUp(paths, names, folder);
  const files = names
    .filter((name) => !looked.problems.has(name))
    .map((name): [string, string] => [
      fileNameOf(looked.names, name),
      readFileSync(join(folder, "images", fileNameOf(looked.names, name)), "utf8"),
    ]);
  return { ...looked, files: Object.fromEntries(files), folder };
}

describe.each(archives)("%s", (_, make) => {
  test("images get the base name of their file, as in a folder of them", async () => {
    const { names, files, notes } = await extract(
      [make(["train2014/a.jpg", "train2014/b.jpg", "c.jpg"])],
      ["a.jpg", "c.jpg"],
    );
    expect(names).toEqual({});
    expect(files).toEqual({ "a.jpg": "train2014/a.jpg", "c.jpg": "c.jpg" });
    expect(notes).toEqual([]);
  });

  test("names with folders are found", async () => {
    const { files } = await extract(
      [make(["images/a.jpg", "images/B.JPG"])],
      ["images/a.jpg", "data\\images\\b.jpg"],
    );
    expect(files).toEqual({ "images/a.jpg": "images/a.jpg", "B.JPG": "images/B.JPG" });
  });

  test("equal base names in several folders stay apart, or are ambiguous", async () => {
    const archive = make(["train/1.jpg", "val/1.jpg"]);
    const { files } = await extract([archive], ["x/train/1.jpg", "x/val/1.jpg"]);
    expect(files).toEqual({ "train/1.jpg": "train/1.jpg", "val/1.jpg": "val/1.jpg" });
    const { problems } = await extract([archive], ["1.jpg"]);
    expect(problems.get("1.jpg")).toMatch(/found 2: "train\/1\.jpg", "val\/1\.jpg"/);
  });

  test("other annotations find other files of the same base name", async () => {
    const folder = tempFolder();
    const archive = make(["p/x.jpg", "x.jpg"]);
    await extract([archive], ["home/p/x.jpg"], folder);
    const { names } = await lookUp([join(folder, "images-0")], ["x.jpg"], folder);
    expect(names).toEqual({});
    expect(readFileSync(join(folder, "images/x.jpg"), "utf8")).toBe("x.jpg");
  });

  test("names of JavaScript's own are names", async () => {
    const names = ["constructor", "__proto__", "toString"];
    const folder = tempFolder();
    const archive = join(folder, "images");
    writeFileSync(archive, make(["a/constructor", "a/__proto__"]));
    for (const previous of [undefined, {}]) {
      const { problems } = await lookUp([archive], names, join(folder, "set"), previous);
      expect([...problems.keys()]).toEqual(["toString"]);
    }
    expect(readdirSync(join(folder, "set/images")).sort()).toEqual([
      ".archive.json",
      "__proto__",
      "constructor",
    ]);
  });

  test("a second run reads nothing", async () => {
    const { folder, names } = await extract([make(["images/a.jpg"])], ["x/a.jpg"]);
    expect(names).toEqual({ "x/a.jpg": "a.jpg" });
    const archive = join(folder, "images-0");
    const { size, mtime } = statSync(archive);
    writeFileSync(archive, Buffer.alloc(size)); // It would be refused if it were read.
    utimesSync(archive, mtime, mtime);
    writeFileSync(
      join(folder, "images/.archive.json"),
      `${JSON.stringify({ bytes: size, mtime_ms: statSync(archive).mtimeMs })}\n`,
    );
    const again = await lookUp([archive], ["x/a.jpg"], folder, { "x/a.jpg": "a.jpg" });
    expect(again.names).toEqual(names);
  });

  test("several archives have the images of all", async () => {
    const { files } = await extract([make(["VG_100K/1.jpg"]), make(["VG_100K_2/2.jpg"])], ["1.jpg", "2.jpg"]);
    expect(files).toEqual({ "1.jpg": "VG_100K/1.jpg", "2.jpg": "VG_100K_2/2.jpg" });
  });
});

describe("a tar archive", () => {
  test.each(["../a.jpg", "/etc/a.jpg", "x/../../a.jpg"])("with the path %s is refused", async (path) => {
    const base = tempFolder();
    mkdirSync(join(base, "in"));
    await expect(
      extract([tarOf([{ path, content: "x" }])], ["a.jpg"], join(base, "in")),
    ).rejects.toMatchObject({
      code: "data_invalid",
      message: expect.stringContaining(JSON.stringify(path)),
    });
    expect(readdirSync(base)).toEqual(["in"]);
  });

  test("with links: they are no images", async () => {
    const content = tarOf([
      { path: "a.jpg", type: "SymbolicLink", linkpath: "/etc/hostname" },
      { path: "b.jpg" },
    ]);
    const { problems, files } = await extract([content], ["a.jpg", "b.jpg"]);
    expect(files).toEqual({ "b.jpg": "" });
    expect(problems.get("a.jpg")).toMatch(/found no file/);
  });

  test("with a path twice, or two ways to write one, is refused", async () => {
    const twice = (first: string, second: string): Buffer =>
      tarOf([first, second].map((path, index) => ({ path, content: String(index) })));
    await expect(extract([twice("x.jpg", "x.jpg")], ["x.jpg"])).rejects.toThrow(
      /expected one x\.jpg, found two/,
    );
    const names = ["a/x.jpg", "a//x.jpg"];
    await expect(extract([twice("a/x.jpg", "a//x.jpg")], names)).rejects.toThrow(
      /expected one file "a\/x\.jpg"/,
    );
  });

  test("that is cut off is refused", async () => {
    const whole = tarOf([{ path: "a.jpg", content: "x".repeat(5000) }]);
    for (const content of [whole.subarray(0, 3000), gzipSync(whole).subarray(0, -20)])
      await expect(extract([content], ["a.jpg"])).rejects.toMatchObject({ code: "data_invalid" });
  });

  test("stops when interrupted", async () => {
    const archive = join(tempFolder(), "a.tar");
    writeFileSync(archive, tarOf([{ path: "a.jpg", content: "x" }]));
    const files = new Map([["a.jpg", "a.jpg"]]);
    const options = { archive, files, folder: tempFolder(), signal: AbortSignal.abort() };
    await expect(extractTarPaths(options)).rejects.toMatchObject({ code: "interrupted" });
  });

  test("with any bytes changed gives files or an error, and writes nothing outside", async () => {
    const whole = tarOf([
      { path: "x/a.jpg", content: "a".repeat(600) },
      { path: "b.jpg", content: "b" },
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 }),
        async (changes) => {
          const content = Buffer.from(whole);
          for (const [position, value] of changes) content[position] = value;
          const base = tempFolder();
          writeFileSync(join(base, "a.tar"), content);
          const options = { archive: join(base, "a.tar"), folder: join(base, "out") };
          try {
            const paths = await listTar(options.archive);
            await extractTarPaths({
              ...options,
              files: new Map(paths.map((path, index) => [path, `${index}`])),
            });
          } catch (error) {
            expect(error).toBeInstanceOf(CliprpnError);
          }
          expect(readdirSync(base).filter((name) => !["a.tar", "out"].includes(name))).toEqual([]);
        },
      ),
      { numRuns: numFuzzRuns, seed: 7 },
    );
  }, 300_000);
});

test.each<[what: string, bytes: string]>([
  ["RAR", "Rar!\x1a\x07"],
  ["7z", "7z\xbc\xaf\x27\x1c"],
  ["bzip2", "BZh9"],
  ["JPEG", "\xff\xd8\xff\xe0"],
])("another kind of file is named: %s", (what, bytes) => {
  const file = join(tempFolder(), "images");
  writeFileSync(file, Buffer.from(bytes, "latin1"));
  expect(() => archiveKind(file)).toThrow(what);
});
