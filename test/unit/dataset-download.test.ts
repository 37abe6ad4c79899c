import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import { type DownloadOptions, download } from "../../src/dataset/download/download.ts";
import type { DownloadProgress } from "../../src/dataset/download/progress.ts";
import type { RemoteFile } from "../../src/dataset/download/sources.ts";
import { packageRoot } from "../../src/package-root.ts";
import {
  answers,
  type Behavior,
  drips,
  hangs,
  inTurn,
  type Mirror,
  serves,
  startMirror,
} from "../helpers/mirror.ts";
import { until } from "../helpers/processes.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** The first bytes of a zip archive and 200 KB of random data. */
const archive = Buffer.concat([Buffer.from("PK\x03\x04"), randomBytes(200_000)]);
const other = Buffer.concat([Buffer.from("PK\x03\x04"), randomBytes(200_000)]);
const etag = '"first"';

describe("a file", () => {
  test("is downloaded and verified, and leaves no temporary files", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const { folder, progress } = await fetched(mirror, {});
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(readdirSync(folder).sort()).toEqual(["a.zip", "downloads.json", "downloads.owners"]);
    expect(progress.at(-1)).toMatchObject({ file: "a.zip", done_bytes: 200_004, total_bytes: 200_004 });
  });

  test("that is already verified is neither downloaded nor read again", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const { folder } = await fetched(mirror, {});
    utimesSync(join(folder, "a.zip"), 1000, 1000);
    await fetched(mirror, { folder });
    // The same size and time, other bytes: only reading the file would detect it.
    writeFileSync(join(folder, "a.zip"), other);
    utimesSync(join(folder, "a.zip"), 1000, 1000);
    await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(other));
    expect(mirror.requests).toHaveLength(1);
  });

  test("that the user put there is used if its checksum is correct", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "a.zip"), archive);
    const mirror = await startMirror({});
    await fetched(mirror, { folder });
    expect(mirror.requests).toEqual([]);
  });

  test.each<[what: string, existing: Buffer, note: string]>([
    ["is too short", archive.subarray(0, 100), "it has 100 bytes"],
    ["has other bytes", other, "its sha256 is"],
  ])("that exists but %s is reported and replaced", async (_, existing, note) => {
    const folder = tempFolder();
    writeFileSync(join(folder, "a.zip"), existing);
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const { notes } = await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.join("\n")).toContain(`${join(folder, "a.zip")}: ${note}`);
  });

  test("of unknown size and checksum is reported and downloaded", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive, { length: null }) });
    const { folder, notes, progress } = await fetched(mirror, { file: { bytes: null, checksum: null } });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes).toEqual([expect.stringMatching(/^a\.zip: no checksum was published/)]);
    expect(progress.every(({ total_bytes, eta_s }) => total_bytes === undefined && eta_s === undefined)).toBe(
      true,
    );
  });

  test("is verified by its MD5 if that is the published checksum", async () => {
    const mirror = await startMirror({ "/a.zip": serves(other), "/b.zip": serves(archive) });
    const checksum = { algorithm: "md5", hex: createHash("md5").update(archive).digest("hex") } as const;
    const { folder, notes } = await fetched(mirror, { file: { checksum }, paths: ["/a.zip", "/b.zip"] });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.join()).toContain("its md5 is");
  });
});

describe("a server that", () => {
  test("disconnects is asked for the rest, provided that the file has not changed", async () => {
    const folder = tempFolder();
    const cut = serves(archive, { etag, ...cutIn(folder) });
    const mirror = await startMirror({ "/a.zip": inTurn(cut, cut, serves(archive, { etag })) });
    await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests).toEqual([
      { path: "/a.zip", range: undefined, if_range: undefined },
      { path: "/a.zip", range: "bytes=70000-", if_range: etag },
      { path: "/a.zip", range: "bytes=140000-", if_range: etag },
    ]);
  });

  test("disconnects repeatedly is retried as long as it sends new bytes", async () => {
    const folder = tempFolder();
    const large = Buffer.concat([archive, randomBytes(9 << 20)]);
    const mirror = await startMirror({ "/a.zip": serves(large, { etag, ...cutIn(folder, 1_300_000) }) });
    await fetched(mirror, { folder, file: knownAs(large), limits: { num_tries: 2 } });
    expect(bytesOf(folder)).toBe(sha256(large));
    expect(mirror.requests.length).toBeGreaterThan(6);
  });

  test("ends a response of unknown length too early is asked for the rest", async () => {
    const early = serves(archive.subarray(0, 70_000), { length: null });
    const mirror = await startMirror({ "/a.zip": inTurn(early, serves(archive)) });
    const { folder, notes } = await fetched(mirror, {});
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes[0]).toContain("ended after 70 KB of 200 KB; retrying");
    expect(mirror.requests[1]?.range).toBe("bytes=70000-");
  });

  test("is slow is not treated as hanging", async () => {
    // The whole download takes at least 5 s, longer than a stall; a chunk comes every 0.1 s, far sooner on a busy machine, too.
    const mirror = await startMirror({ "/a.zip": drips(archive, 4000, 100) });
    const { notes } = await fetched(mirror, { limits: { stall_ms: 4500, num_tries: 1 } });
    expect(notes).toEqual([]);
  });

  test("ignores ranges and always disconnects makes the download fail", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({
      "/a.zip": serves(archive, { ignore_range: true, ...cutIn(folder, 150_000) }),
    });
    const { message } = await failed(mirror, { folder });
    expect(message).toMatch(/a\.zip: .*, after 3 tries/);
    expect(mirror.requests).toHaveLength(3);
  });

  test("ignores ranges sends the whole file again", async () => {
    const folder = tempFolder();
    const cut = serves(archive, { etag, ...cutIn(folder) });
    const mirror = await startMirror({ "/a.zip": inTurn(cut, serves(archive, { ignore_range: true })) });
    const { notes } = await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.at(-1)).toMatch(/ranges.*starting over/);
  });

  test("has a new version of the file sends all of it", async () => {
    const folder = tempFolder();
    const cut = serves(other, { etag: '"old"', ...cutIn(folder) });
    const mirror = await startMirror({ "/a.zip": inTurn(cut, serves(archive, { etag })) });
    await fetched(mirror, { folder, file: { checksum: null } });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests[1]).toMatchObject({ range: "bytes=70000-", if_range: '"old"' });
  });

  test("sends no version is asked for the rest only if there is a checksum", async () => {
    const folder = tempFolder();
    const cut = serves(archive, cutIn(folder));
    const paths = { "/a.zip": inTurn(cut, serves(archive)), "/b.zip": inTurn(cut, serves(archive)) };
    const mirror = await startMirror(paths);
    await fetched(mirror, { folder });
    rmSync(join(folder, "a.zip"));
    await fetched(mirror, { folder, file: { checksum: null }, paths: ["/b.zip"] });
    expect(mirror.requests.map(({ range }) => range)).toEqual([
      undefined,
      "bytes=70000-",
      undefined,
      undefined,
    ]);
  });

  test.each([429, 500, 503])("answers %d is retried after a wait", async (status) => {
    const busy = answers(status, { "retry-after": "0" });
    const mirror = await startMirror({ "/a.zip": inTurn(busy, busy, serves(archive)) });
    const { folder } = await fetched(mirror, {});
    expect(bytesOf(folder)).toBe(sha256(archive));
  });

  test("asks for a wait is retried after that wait", async () => {
    const mirror = await startMirror({
      "/a.zip": inTurn(answers(429, { "retry-after": "1" }), serves(archive)),
    });
    const started = performance.now();
    const { notes } = await fetched(mirror, {});
    expect(performance.now() - started).toBeGreaterThan(990);
    expect(notes[0]).toMatch(/HTTP 429 .*; retrying in 1 s/);
  });

  test("redirects is followed, and counts as the same mirror", async () => {
    const folder = tempFolder();
    const moved = answers(302, { location: "/elsewhere.zip" });
    const cut = serves(archive, { etag, ...cutIn(folder) });
    const mirror = await startMirror({
      "/a.zip": moved,
      "/elsewhere.zip": inTurn(cut, serves(archive, { etag })),
    });
    await fetched(mirror, { folder, file: { checksum: null } });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests.at(-1)).toEqual({ path: "/elsewhere.zip", range: "bytes=70000-", if_range: etag });
  });
});

describe("the next mirror is used when one", () => {
  test.each<[what: string, bad: Behavior, reason: string | RegExp]>([
    ["does not have the file", answers(404), "answered HTTP 404"],
    ["stays unavailable", answers(503), /HTTP 503 .*, after 3 tries/],
    ["asks for too long a wait", answers(429, { "retry-after": "3600" }), "3600 s"],
    ["hangs at once", hangs, "sent no data for 0.3 s, after 3 tries"],
    ["hangs in the middle", serves(archive, { hang_after: 50_000 }), "sent no data for 0.3 s, after 3 tries"],
    [
      "has a file of another size",
      serves(archive.subarray(0, 5000)),
      "has a file of 5000 bytes (5 KB), expected 200004",
    ],
    [
      "promises more than it sends",
      serves(archive.subarray(0, 5000), { length: 200_004 }),
      "it has 5000 bytes (5 KB), expected 200004",
    ],
    [
      "sends more than the file",
      serves(Buffer.concat([archive, other]), { length: null }),
      "sent more than the file's 200004 bytes",
    ],
    [
      "ends early",
      serves(archive.subarray(0, 5000), { length: null }),
      "it has 5000 bytes (5 KB), expected 200004",
    ],
    ["sends wrong bytes", serves(other), `its sha256 is ${sha256(other)}, expected ${sha256(archive)}`],
    [
      "sends a login page",
      answers(200, { "content-type": "text/html; charset=utf-8" }, "<html>"),
      "sent a web page",
    ],
    ["redirects in a loop", answers(302, { location: "/a.zip" }), "redirect count exceeded"],
    ["redirects to a file address", answers(302, { location: "file:///etc/passwd" }), "scheme"],
  ])("%s", async (what, bad, reason) => {
    const mirror = await startMirror({ "/a.zip": bad, "/b.zip": serves(archive) });
    const limits = /^hangs|^promises/.test(what) ? { stall_ms: 300 } : {};
    const { folder, notes } = await fetched(mirror, { paths: ["/a.zip", "/b.zip"], limits });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.find((note) => note.includes("giving up on"))).toMatch(reason);
  });

  test("sends a wrong file of the right size, and no checksum is known", async () => {
    const page = Buffer.from("<!doctype html><title>Log in</title>".padEnd(archive.length));
    const mirror = await startMirror({ "/a.zip": serves(page), "/b.zip": serves(archive) });
    const { folder, notes } = await fetched(mirror, {
      file: { checksum: null },
      paths: ["/a.zip", "/b.zip"],
    });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.join("\n")).toMatch(/zip.*"<!do"/);
  });

  test("refuses the connection", async () => {
    const mirror = await startMirror({ "/b.zip": serves(archive) });
    const closed = await closedPort();
    const { notes } = await fetched(mirror, { urls: [closed, mirror.at("/b.zip")] });
    expect(notes).toEqual([expect.stringContaining("ECONNREFUSED")]);
  });

  test("disconnects, and it resumes the download if there is a checksum", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({
      "/a.zip": inTurn(serves(archive, { etag, ...cutIn(folder) }), answers(404)),
      "/b.zip": serves(archive),
    });
    await fetched(mirror, { folder, paths: ["/a.zip", "/b.zip"] });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests.at(-1)).toEqual({ path: "/b.zip", range: "bytes=70000-", if_range: undefined });
  });

  test("left wrong bytes in the part file, and they are replaced", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({
      "/a.zip": inTurn(serves(other, { etag, ...cutIn(folder) }), answers(404)),
      "/b.zip": serves(archive),
    });
    await fetched(mirror, { folder, paths: ["/a.zip", "/b.zip"] });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests.map(({ range }) => range)).toEqual([
      undefined,
      "bytes=70000-",
      "bytes=70000-",
      undefined,
    ]);
  });
});

describe("a killed download", () => {
  test("is resumed after a SIGKILL in the middle", async () => {
    const folder = tempFolder();
    const hanging = serves(archive, { hang_after: 50_000 });
    const mirror = await startMirror({ "/a.zip": inTurn(hanging, serves(archive)) });
    const part = join(folder, "a.zip.part");
    const child = inChild(fileOf(mirror, {}), folder);
    await until(() => sizeOf(part) === 50_000);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("exit", resolve));
    expect(existsSync(join(folder, "a.zip"))).toBe(false);
    const { notes } = await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests.at(-1)?.range).toBe("bytes=50000-");
    expect(notes[0]).toContain("resuming after");
    expect(readdirSync(folder).sort()).toEqual(["a.zip", "downloads.json", "downloads.owners"]);
  });

  test.each<[what: string, part: Buffer, origin: string | undefined]>([
    ["without a note of its origin", archive.subarray(0, 5000), undefined],
    ["with a damaged note of its origin", archive.subarray(0, 5000), '{"url": "ht'],
    ["with a part file that was overwritten", other.subarray(0, 5000), "good"],
    ["with a part longer than the file", Buffer.concat([archive, other]), "good"],
    ["with a part of the right size but other bytes", other, "good"],
  ])("%s gives the correct file", async (_, part, origin) => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": serves(archive, { etag }) });
    leavePart(folder, part, origin === "good" ? originOf(mirror) : origin);
    await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
  });

  test("without a note of its origin is started over if there is no checksum", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    leavePart(folder, other, undefined);
    await fetched(mirror, { folder, file: { checksum: null } });
    expect(bytesOf(folder)).toBe(sha256(archive));
  });

  test("that has all bytes needs no server", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({});
    leavePart(folder, archive, originOf(mirror));
    await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests).toEqual([]);
  });

  test("that has all bytes of a file of unknown size sends one request", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": serves(archive, { etag }) });
    leavePart(folder, archive, originOf(mirror));
    await fetched(mirror, { folder, file: { bytes: null, checksum: null } });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests).toHaveLength(1);
  });
});

describe("a download", () => {
  test("without enough disk space is not started", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const error = await failed(mirror, { free: 200_003 });
    expect(error.code).toBe("no_space");
    expect(error.message).toMatch(/expected 200 KB .*found 200 KB/);
    expect(mirror.requests).toEqual([]);
  });

  test("needs disk space only for the missing bytes", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": serves(archive, { etag }) });
    leavePart(folder, archive.subarray(0, 150_000), originOf(mirror));
    await fetched(mirror, { folder, free: 50_004 });
    expect(bytesOf(folder)).toBe(sha256(archive));
  });

  test("of unknown size stops when the server reports a size that does not fit on the disk", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const error = await failed(mirror, { file: { bytes: null }, free: 200_003 });
    expect(error.code).toBe("no_space");
  });

  test("that fails on all mirrors reports every reason and the manual steps", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({
      "/a.zip": answers(404),
      "/b.zip": serves(other),
      "/good.zip": serves(archive),
    });
    const dead = fileOf(mirror, { paths: ["/a.zip", "/b.zip"] });
    const good = { ...fileOf(mirror, { paths: ["/good.zip"] }), name: "good.zip" };
    const error = await failure(download([dead, good], folder, optionsOf({}).options));
    expect(error.code).toBe("no_network");
    expect(error.message.split("\n")).toEqual([
      expect.stringMatching(/^a\.zip: .*\(2 tried\)/),
      expect.stringContaining(`  ${mirror.at("/a.zip")}: answered HTTP 404`),
      `  ${mirror.at("/b.zip")}: its sha256 is ${sha256(other)}, expected ${sha256(archive)}`,
      expect.stringMatching(/ask a colleague$/),
      expect.stringContaining(join(folder, "a.zip")),
    ]);
    expect(readdirSync(folder).sort()).toEqual(["downloads.json", "downloads.owners", "good.zip"]);
  });

  test("that is interrupted stops with the signal's reason and keeps its part file", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": serves(archive, { hang_after: 50_000 }) });
    const stop = new AbortController();
    const reason = new CliprpnError("interrupted", "interrupted");
    const running = failure(fetched(mirror, { folder, signal: stop.signal }));
    await until(() => sizeOf(join(folder, "a.zip.part")) > 0);
    stop.abort(reason);
    expect(await running).toBe(reason);
    expect(readdirSync(folder).sort()).toEqual(["a.zip.part", "a.zip.part.json", "downloads.owners"]);
  });

  test("that meets a full disk when it is interrupted reports the disk", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const stop = new AbortController();
    const { options } = optionsOf({ signal: stop.signal });
    let num_questions = 0;
    const free = async (): Promise<number> => {
      if (num_questions++ === 0) return 1e9; // Before the download; its size is unknown until the server answers.
      stop.abort();
      return 0;
    };
    const file = { ...fileOf(mirror, { paths: ["/a.zip"] }), bytes: null };
    const error = await failure(download([file], tempFolder(), { ...options, free }));
    expect(error.code).toBe("no_space");
  });

  test("that waits for a busy server can be interrupted", async () => {
    const mirror = await startMirror({ "/a.zip": answers(429, { "retry-after": "600" }) });
    const stop = new AbortController();
    const running = failure(fetched(mirror, { signal: stop.signal, limits: { max_wait_ms: 600_000 } }));
    await until(() => mirror.requests.length > 0);
    stop.abort(new CliprpnError("interrupted", "interrupted"));
    expect((await running).code).toBe("interrupted");
    expect(mirror.requests).toHaveLength(1);
  });

  test("waits for another process in the same folder and uses its files", async () => {
    const folder = tempFolder();
    const both = [optionsOf({}), optionsOf({})];
    const notes = (): string[] => both.flatMap((run) => run.notes);
    // Answers only once the other download waits.
    const mirror = await startMirror({
      "/a.zip": async (request, response) => {
        await until(() => notes().length > 0);
        serves(archive)(request, response);
      },
    });
    await Promise.all(both.map(({ options }) => download([fileOf(mirror, {})], folder, options)));
    expect(mirror.requests).toHaveLength(1);
    expect(notes()).toEqual([expect.stringMatching(new RegExp(`^${folder}: another process`))]);
  });

  test("into a folder that cannot be created fails", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "file"), "");
    const error = await failed(await startMirror({}), { folder: join(folder, "file", "below") });
    expect(error.message).toContain("ENOTDIR");
  });

  test("fails if a folder has the name of the file", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "a.zip"));
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    expect((await failed(mirror, { folder })).message).toContain("EISDIR");
  });
});

interface TestOptions {
  folder?: string;
  paths?: string[];
  urls?: string[];
  file?: Partial<RemoteFile>;
  free?: number;
  limits?: DownloadOptions["limits"];
  signal?: AbortSignal;
}

async function fetched(
  mirror: Mirror,
  options: TestOptions,
): Promise<{ folder: string; notes: string[]; progress: DownloadProgress[] }> {
  const folder = options.folder ?? tempFolder();
  const { options: downloadOptions, notes, progress } = optionsOf(options);
  await download([fileOf(mirror, options)], folder, downloadOptions);
  return { folder, notes, progress };
}

async function failed(mirror: Mirror, options: TestOptions): Promise<CliprpnError> {
  return failure(fetched(mirror, options));
}

async function failure(running: Promise<unknown>): Promise<CliprpnError> {
  const error = await running.then(
    () => undefined,
    (reason) => reason,
  );
  if (error instanceof CliprpnError) return error;
  throw new Error(`expected a CliprpnError, found ${error}`);
}

function optionsOf({ free, limits, signal }: TestOptions): {
  options: DownloadOptions;
  notes: string[];
  progress: DownloadProgress[];
} {
  const notes: string[] = [];
  const progress: DownloadProgress[] = [];
  const options: DownloadOptions = {
    onProgress: (at) => progress.push(at),
    onNote: (text) => notes.push(text),
    signal: signal ?? new AbortController().signal,
    env: {},
    limits: { stall_ms: 30_000, num_tries: 3, first_wait_ms: 2, max_wait_ms: 2000, ...limits },
    ...(free === undefined ? {} : { free: async () => free }),
  };
  return { options, notes, progress };
}

function fileOf(mirror: Mirror, { paths = ["/a.zip"], urls, file }: TestOptions): RemoteFile {
  return {
    name: "a.zip",
    datasets: ["made"],
    ...knownAs(archive),
    urls: urls ?? paths.map((path) => mirror.at(path)),
    license: "none",
    by_hand: "ask a colleague",
    ...file,
  };
}

function knownAs(body: Buffer): Pick<RemoteFile, "bytes" | "checksum"> {
  return { bytes: body.length, checksum: { algorithm: "sha256", hex: sha256(body) } };
}

function sha256(body: Buffer): string {
  return createHash("sha256").update(body).digest("hex");
}

function bytesOf(folder: string): string {
  return sha256(readFileSync(join(folder, "a.zip")));
}

/** Cuts the connection after some bytes of a response, once the part file has all of them. */
function cutIn(
  folder: string,
  cut_after = 70_000,
): { cut_after: number; cut_when: (end: number) => boolean } {
  return { cut_after, cut_when: (end) => sizeOf(join(folder, "a.zip.part")) >= end };
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

function leavePart(folder: string, part: Buffer, origin: string | undefined): void {
  writeFileSync(join(folder, "a.zip.part"), part);
  if (origin !== undefined) writeFileSync(join(folder, "a.zip.part.json"), origin);
}

function originOf(mirror: Mirror): string {
  return JSON.stringify({ url: mirror.at("/a.zip"), validator: etag });
}

/** The address of a server that was closed. */
async function closedPort(): Promise<string> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/a.zip`;
}

/** Downloads in a child process. */
function inChild(file: RemoteFile, folder: string): ReturnType<typeof spawn> {
  const module = pathToFileURL(join(packageRoot, "src/dataset/download/download.ts")).href;
  const options = "{ onProgress() {}, onNote() {}, env: {}, env: {}, signal: new AbortController().signal }";
  const code = `import { download } from ${JSON.stringify(module)};
await download(${JSON.stringify([file])}, ${JSON.stringify(folder)}, ${options});`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    cwd: packageRoot,
    stdio: "inherit",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}
