import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { findSchemaErrors } from "../../src/contract/check.ts";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { PixelsManifest, PreparedImage, WantedImage } from "../../src/contract/generated/types.ts";
import { DecoderPool } from "../../src/dataset/images/decoder-pool.ts";
import { type PrepareOptions, pixelsFresh, preparePixels } from "../../src/dataset/images/prepare-pixels.ts";
import { packageRoot } from "../../src/package-root.ts";
import { markProcesses, until, untilNone } from "../helpers/processes.ts";
import { testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
const size = 16;
const row_bytes = size * size * 3;
const sharedPool = new DecoderPool(1);
afterAll(() => sharedPool.close(new CliprpnError("interrupted", "the tests have ended")));
let base: string;
let images_dir: string;
let names: string[];

beforeEach(async () => {
  vi.unstubAllEnvs();
  base = tempFolder();
  images_dir = join(base, "images");
  mkdirSync(images_dir);
  names = Array.from({ length: 10 }, (_, index) => `image-${index}.png`);
  await Promise.all(names.map((name, index) => draw(name, index)));
});

describe("shards", () => {
  test("hold each image's pixels in order, and NumPy memory-maps them", async () => {
    const manifest = await preparePixels(options());
    expect(findSchemaErrors("PixelsManifest", manifest)).toEqual([]);
    expect(manifest.shards.map(({ file, pictures: images }) => [file, images.length])).toEqual([
      ["shard-00000.npy", 4],
      ["shard-00001.npy", 4],
      ["shard-00002.npy", 2],
    ]);
    expect(JSON.parse(readFileSync(join(base, "pixels/manifest.json"), "utf8"))).toEqual(manifest);
    for (const { file, sha256 } of manifest.shards)
      expect(createHash("sha256").update(bytesOf(file)).digest("hex")).toBe(sha256);
    const reader =
      "import sys, json, numpy as np\n" +
      "maps = [np.load(file, mmap_mode='r') for file in sys.argv[1:]]\n" +
      "print(json.dumps([[str(m.dtype), m.flags['C_CONTIGUOUS'], list(m.shape), m[:, 8, 8, 0].tolist()] for m in maps]))";
    const files = manifest.shards.map(({ file }) => join(base, "pixels", file));
    expect(JSON.parse(execFileSync(testPython(), ["-c", reader, ...files], { encoding: "utf8" }))).toEqual([
      ["uint8", true, [4, size, size, 3], [0, 20, 40, 60]],
      ["uint8", true, [4, size, size, 3], [80, 100, 120, 140]],
      ["uint8", true, [2, size, size, 3], [160, 180]],
    ]);
  });

  test("no images give no shards", async () => {
    const manifest = await preparePixels({ ...options(), wanted: [] });
    expect(manifest.shards).toEqual([]);
    expect(pixelsFresh({ ...options(), wanted: [] })).toBe(true);
  });

  test("progress counts every image", async () => {
    const reported: number[] = [];
    await preparePixels({
      ...options(),
      onProgress: (done, total) => {
        expect(total).toBe(10);
        reported.push(done);
      },
    });
    expect(reported).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("the same pixels have the same id, whatever the modification times", async () => {
    const { pixels_id } = await preparePixels(options());
    for (const name of names) utimesSync(join(images_dir, name), 1000, 1000);
    expect((await preparePixels(options())).pixels_id).toBe(pixels_id);
    const other = await preparePixels({ ...options(), folder: join(base, "other") });
    expect(other.pixels_id).toBe(pixels_id);
    await draw("image-3.png", 9);
    expect((await preparePixels(options())).pixels_id).not.toBe(pixels_id);
  });
});

describe("a second run", () => {
  test("writes nothing if nothing has changed", async () => {
    const first = await preparePixels(options());
    const before = timesOf();
    expect(pixelsFresh(options())).toBe(true);
    expect(await preparePixels(options())).toEqual(first);
    expect(timesOf()).toEqual(before);
  });

  test("writes only the shard of an image that changed", async () => {
    await preparePixels(options());
    const before = timesOf();
    await draw("image-5.png", 0);
    expect(pixelsFresh(options())).toBe(false);
    const manifest = await preparePixels(options());
    const after = timesOf();
    expect(changed(before, after)).toEqual(["manifest.json", "shard-00001.json", "shard-00001.npy"]);
    expect(bytesOf("shard-00001.npy")[128 + row_bytes]).toBe(0);
    expect(problemsOf(manifest)).toEqual([]);
  });

  test.each<[what: string, change: (before: PrepareOptions) => Partial<PrepareOptions>]>([
    ["another pixel limit", () => ({ max_pixels: 5000 })],
    ["another resize mode", () => ({ resize: "letterbox" })],
    [
      "recorded sizes",
      ({ wanted }) => ({ wanted: wanted.map((image) => ({ ...image, width: 24, height: 24 })) }),
    ],
    ["another order", ({ wanted }) => ({ wanted: wanted.toReversed() })],
  ])("writes all shards again with %s", async (_, change) => {
    await preparePixels(options());
    const changedOptions = { ...options(), ...change(options()) };
    expect(pixelsFresh(changedOptions)).toBe(false);
    await preparePixels(changedOptions);
    expect(pixelsFresh(changedOptions)).toBe(true);
    expect(pixelsFresh(options())).toBe(false);
  });

  test("removes the shards of a larger dataset", async () => {
    await preparePixels(options());
    await preparePixels({ ...options(), wanted: wantedOf(names.slice(0, 4)) });
    expect(readdirSync(join(base, "pixels")).sort()).toEqual([
      "manifest.json",
      "shard-00000.json",
      "shard-00000.npy",
    ]);
  });

  test.each<[what: string, damage: (folder: string) => void]>([
    ["a sidecar was truncated", (folder) => writeFileSync(join(folder, "shard-00001.json"), '{"key": "ab')],
    ["a shard was truncated", (folder) => writeFileSync(join(folder, "shard-00001.npy"), "short")],
    ["a shard was deleted", (folder) => unlinkSync(join(folder, "shard-00001.npy"))],
    ["the manifest was damaged", (folder) => appendFileSync(join(folder, "manifest.json"), "}")],
  ])("restores the same files if %s", async (_, damage) => {
    const manifest = await preparePixels(options());
    const undamaged = contentsOf(join(base, "pixels"));
    damage(join(base, "pixels"));
    expect(pixelsFresh(options())).toBe(false);
    expect(await preparePixels(options())).toEqual(manifest);
    expect(contentsOf(join(base, "pixels"))).toEqual(undamaged);
  });
});

describe("a bad image has a problem and a black row, and the others are decoded", () => {
  test.each<[what: string, put: () => void, problem: RegExp]>([
    ["missing", () => undefined, /found none$/],
    ["a folder", () => mkdirSync(join(images_dir, "odd.png")), /found a folder$/],
    ["a named pipe", () => execFileSync("mkfifo", [join(images_dir, "odd.png")]), /found a device$/],
    ["broken", () => writeFileSync(join(images_dir, "odd.png"), "nothing"), /^expected an image \(jpeg/],
    [
      "a compressed svg",
      () => writeFileSync(join(images_dir, "odd.png"), gzipSync(svg)),
      /found a file compressed with gzip; decompress it$/,
    ],
    ["a link that leads out", () => linkTo("../outside.png"), /link .*--follow-links/],
    ["a link to itself", () => linkTo("odd.png"), /found ELOOP$/],
  ])("%s", async (_, put, problem) => {
    await draw("../outside.png", 3);
    put();
    const wanted = wantedOf(["image-9.png", "odd.png", "image-8.png"]);
    const manifest = await preparePixels({ ...options(), wanted });
    expect(problemsOf(manifest)).toEqual([{ file_name: "odd.png", problem: expect.stringMatching(problem) }]);
    const rows = bytesOf("shard-00000.npy").subarray(128);
    expect([0, 1, 2].map((index) => rows[index * row_bytes])).toEqual([180, 0, 160]);
    expect(rows.subarray(row_bytes, 2 * row_bytes).every((value) => value === 0)).toBe(true);
    expect(pixelsFresh({ ...options(), wanted })).toBe(true);
  });

  test("a missing image that appears later is decoded", async () => {
    const wanted = wantedOf(["late.png"]);
    await preparePixels({ ...options(), wanted });
    await draw("late.png", 4);
    expect(problemsOf(await preparePixels({ ...options(), wanted }))).toEqual([]);
  });

  test.each([
    "../outside.png",
    "x/../../outside.png",
    "/etc/hostname",
    "a\0.png",
    "..\\outside.png",
  ])("the name %j points outside the folder", async (name) => {
    await draw("../outside.png", 3);
    const manifest = await preparePixels({ ...options(), wanted: wantedOf([name]) });
    expect(problemsOf(manifest)).toEqual([
      { file_name: name, problem: expect.stringMatching(/points outside/) },
    ]);
  });

  test("links inside the folder, subfolders, and a folder that is a link are allowed", async () => {
    mkdirSync(join(images_dir, "sub"));
    await draw("sub/deep.png", 2);
    linkTo("image-2.png");
    symlinkSync(images_dir, join(base, "linked"));
    const wanted = wantedOf(["sub/deep.png", "odd.png"]);
    const manifest = await preparePixels({ ...options(), images_dir: join(base, "linked"), wanted });
    expect(problemsOf(manifest)).toEqual([]);
  });

  test("follow_links permits a link that leads out, but not a name that does", async () => {
    await draw("../outside.png", 3);
    linkTo("../outside.png");
    const wanted = wantedOf(["odd.png", "../outside.png"]);
    await preparePixels({ ...options(), wanted });
    const manifest = await preparePixels({ ...options(), wanted, follow_links: true });
    expect(problemsOf(manifest).map(({ file_name }) => file_name)).toEqual(["../outside.png"]);
    expect(bytesOf("shard-00000.npy")[128]).toBe(60);
  });

  test("an image with too many pixels names the option that raises the limit", async () => {
    const manifest = await preparePixels({ ...options(), max_pixels: 100 });
    expect(problemsOf(manifest)[0]?.problem).toMatch(/at most 100 pixels, found 24 x 24.*--max-pixels/);
  });
});

describe("decoders", () => {
  test("a crash or a hang loses only its image", async () => {
    vi.stubEnv("NODE_OPTIONS", `--import ${join(packageRoot, "test/helpers/decoder-faults.mjs")}`);
    for (const name of ["crash.png", "hang.png"]) await draw(name, 5);
    const wanted = wantedOf([
      "image-1.png",
      "crash.png",
      "image-2.png",
      "hang.png",
      "image-3.png",
      "image-4.png",
    ]);
    const manifest = await preparePixels({ ...options(), wanted, pool: newPool(1, 10_000) });
    expect(problemsOf(manifest)).toEqual([
      { file_name: "crash.png", problem: expect.stringMatching(/SIGSEGV: free\(\): invalid pointer/) },
      { file_name: "hang.png", problem: expect.stringMatching(/\b10 s\b/) },
    ]);
    expect(pixelsFresh({ ...options(), wanted })).toBe(true);
  });

  test("decoders that do not start are an error, not a problem of every image", async () => {
    vi.stubEnv("NODE_OPTIONS", "--import data:text/javascript,process.kill(process.pid,'SIGKILL')");
    await expect(preparePixels({ ...options(), pool: newPool(2) })).rejects.toMatchObject({
      code: "environment_broken",
    });
  });

  test("the error of decoders that do not start has the end of their output", async () => {
    const code = "throw new Error('libvips is missing')";
    vi.stubEnv("NODE_OPTIONS", `--import data:text/javascript,${encodeURIComponent(code)}`);
    await expect(preparePixels({ ...options(), pool: newPool(2) })).rejects.toThrow(
      /exit code 1: .*Error: libvips is missing\); run `cliprpn doctor`/,
    );
  });

  test("a decoder that hangs while it starts is an error that names the limit", async () => {
    const code = "console.error('loading'); setInterval(() => 0, 1000); await new Promise(() => 0)";
    vi.stubEnv("NODE_OPTIONS", `--import data:text/javascript,${encodeURIComponent(code)}`);
    const marked = markProcesses();
    for (const [name, value] of Object.entries(marked.env)) vi.stubEnv(name, value);
    const pool = newPool(2, 30_000, 2000);
    await expect(preparePixels({ ...options(), pool })).rejects.toMatchObject({
      code: "environment_broken",
      message: expect.stringMatching(/did not start.*\b2 s\b/),
    });
    await untilNone(marked);
  });

  test("an interruption ends all decoders, and the next run finishes the work", async () => {
    const marked = markProcesses();
    for (const [name, value] of Object.entries(marked.env)) vi.stubEnv(name, value);
    const controller = new AbortController();
    const onProgress = (done: number): void => {
      if (done === 5) controller.abort();
    };
    const running = preparePixels({
      ...options(),
      onProgress,
      signal: controller.signal,
      pool: newPool(2),
    });
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    await untilNone(marked);
    expect(existsSync(join(base, "pixels/manifest.json"))).toBe(false);
    expect(problemsOf(await preparePixels(options()))).toEqual([]);
  });

  test("do not start without the image folder", async () => {
    const missing = { ...options(), images_dir: join(base, "none") };
    await expect(preparePixels(missing)).rejects.toMatchObject({ code: "not_found" });
  });
});

test("after SIGKILL at any time, a second run gives the same bytes, and no decoder is left running", async () => {
  const wanted = wantedOf(Array.from({ length: 30 }, () => names).flat());
  await preparePixels({ ...options(), wanted });
  const expected = contentsOf(join(base, "pixels"));
  const folder = join(base, "killed");
  let kills = 0;
  for (let done = false; !done && kills < 6; ) {
    const marked = markProcesses();
    const parent = startParent({ ...options(), wanted, folder }, marked.env);
    const exited = new Promise<number | null>((resolve) => parent.on("exit", resolve));
    // While a shard is being written, each time after more of the 75 shards.
    await until(() => {
      const names = existsSync(folder) ? readdirSync(folder) : [];
      const numShards = names.filter((name) => name.endsWith(".npy")).length;
      return (
        (numShards >= 6 * kills && names.some((name) => name.endsWith(".new"))) || parent.exitCode !== null
      );
    });
    parent.kill("SIGKILL");
    done = (await exited) === 0;
    if (!done) kills += 1;
    await untilNone(marked);
  }
  for (const name of [".manifest.json.0123456789ab.new", "shard-00000.json.123456"]) // Of this and of an earlier version.
    writeFileSync(join(folder, name), "half");
  await preparePixels({ ...options(), wanted, folder });
  expect(kills).toBeGreaterThan(1);
  expect(contentsOf(folder)).toEqual(expected);
});

function startParent(
  { pool: _, ...prepare }: PrepareOptions,
  env: Record<string, string>,
): ReturnType<typeof spawn> {
  const script = fileURLToPath(new URL("../helpers/prepare-owner.ts", import.meta.url));
  const file = join(base, "options.json");
  writeFileSync(file, JSON.stringify(prepare));
  return spawn(process.execPath, ["--import", "tsx", script, file], {
    stdio: "ignore",
    env: { ...process.env, ...env },
  });
}

function options(): PrepareOptions {
  return {
    images_dir,
    wanted: wantedOf(names),
    folder: join(base, "pixels"),
    image_size_px: size,
    resize: "squash",
    max_pixels: 1000,
    follow_links: false,
    shard_bytes: 4 * row_bytes,
    pool: sharedPool,
  };
}

/** A pool that is closed when the test ends. */
function newPool(...args: ConstructorParameters<typeof DecoderPool>): DecoderPool {
  const pool = new DecoderPool(...args);
  onTestFinished(() => pool.close(new CliprpnError("interrupted", "the test has ended")));
  return pool;
}

function wantedOf(file_names: string[]): WantedImage[] {
  return file_names.map((file_name, image_id) => ({ image_id, file_name, width: null, height: null }));
}

/** An image in which every value is 20 times the number. */
async function draw(name: string, number: number): Promise<void> {
  const [r, g, b] = [number * 20, number * 20, number * 20];
  const file = await sharp({ create: { width: 24, height: 24, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
  writeFileSync(join(images_dir, name), file);
}

function linkTo(target: string): void {
  symlinkSync(target, join(images_dir, "odd.png"));
}

function problemsOf(manifest: PixelsManifest): Pick<PreparedImage, "file_name" | "problem">[] {
  return manifest.shards
    .flatMap(({ pictures: images }) => images)
    .filter(({ problem }) => problem !== null)
    .map(({ file_name, problem }) => ({ file_name, problem }));
}

function bytesOf(file: string): Buffer {
  return readFileSync(join(base, "pixels", file));
}

/** The SHA-256 of each file. */
function contentsOf(folder: string): Record<string, string> {
  const sha256 = (name: string): string =>
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
  return Object.fromEntries(readdirSync(folder).map((name) => [name, sha256(name)]));
}

function timesOf(): Record<string, string> {
  const folder = join(base, "pixels");
  const stamp = (name: string): string => {
    const { ino, mtimeMs } = statSync(join(folder, name));
    return `${ino} ${mtimeMs}`;
  };
  return Object.fromEntries(readdirSync(folder).map((name) => [name, stamp(name)]));
}

function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys(after)
    .filter((name) => before[name] !== after[name])
    .sort();
}
