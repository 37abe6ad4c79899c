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
import { packageRoot } from "../../src/base/package-root.ts";
import { CliprpnError } from "../../src/contract/errors.ts";
import { type DownloadOptions, download } from "../../src/dataset/download/download.ts";
import type { DownloadProgress } from "../../src/dataset/download/progress.ts";
import type { SourceFile } from "../../src/dataset/download/source-file.ts";
import {
  answers,
  type Behaviour,
  drips,
  hangs,
  inTurn,
  type Mirror,
  serves,
  startMirror,
} from "../helpers/mirror.ts";
import { until } from "../helpers/processes.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** The beginning of a zip archive, and 200 KB that are nobody else's. */
const archive = Buffer.concat([Buffer.from("PK\x03\x04"), randomBytes(200_000)]);
const other = Buffer.concat([Buffer.from("PK\x03\x04"), randomBytes(200_000)]);
const etag = '"first"';

describe("a file", () => {
  test("is fetched whole, with its checksum, and nothing is left beside it", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const { folder, progress } = await fetched(mirror, {});
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(readdirSync(folder).sort()).toEqual(["a.zip", "downloads.json"]);
    expect(progress.at(-1)).toMatchObject({ file: "a.zip", done_bytes: 200_004, total_bytes: 200_004 });
  });

  test("that is there and right is not fetched again, nor read again", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const { folder } = await fetched(mirror, {});
    utimesSync(join(folder, "a.zip"), 1000, 1000);
    await fetched(mirror, { folder });
    // The same size and time, other bytes: only reading it would show.
    writeFileSync(join(folder, "a.zip"), other);
    utimesSync(join(folder, "a.zip"), 1000, 1000);
    await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(other));
    expect(mirror.requests).toHaveLength(1);
  });

  test("that a person put there is taken when its checksum is right", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "a.zip"), archive);
    const mirror = await startMirror({});
    await fetched(mirror, { folder });
    expect(mirror.requests).toEqual([]);
  });

  test.each<[what: string, there: Buffer, note: string]>([
    ["is too short", archive.subarray(0, 100), "it has 100 bytes"],
    ["has other bytes", other, "its sha256 is"],
  ])("that is there and %s is said, and replaced", async (_, there, note) => {
    const folder = tempFolder();
    writeFileSync(join(folder, "a.zip"), there);
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const { notes } = await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.join("\n")).toContain(`${join(folder, "a.zip")}: ${note}`);
  });

  test("of which nothing is known but its address is told as such, and fetched", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive, { length: null }) });
    const { folder, notes, progress } = await fetched(mirror, { file: { bytes: null, checksum: null } });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes).toEqual([
      "a.zip: nobody published its checksum; the data set's counts will show whether it is right",
    ]);
    expect(progress.every(({ total_bytes, eta_s }) => total_bytes === undefined && eta_s === undefined)).toBe(
      true,
    );
  });

  test("is told by its MD5 where that is what was published", async () => {
    const mirror = await startMirror({ "/a.zip": serves(other), "/b.zip": serves(archive) });
    const checksum = { algorithm: "md5", hex: createHash("md5").update(archive).digest("hex") } as const;
    const { folder, notes } = await fetched(mirror, { file: { checksum }, paths: ["/a.zip", "/b.zip"] });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.join()).toContain("its md5 is");
  });
});

describe("a server that", () => {
  test("breaks off is asked for the rest, and only if the file is still the same", async () => {
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

  test("breaks off again and again is asked on, as long as it sends more and more", async () => {
    const folder = tempFolder();
    const large = Buffer.concat([archive, randomBytes(9 << 20)]);
    const mirror = await startMirror({ "/a.zip": serves(large, { etag, ...cutIn(folder, 1_300_000) }) });
    await fetched(mirror, { folder, file: knownAs(large), limits: { num_tries: 2 } });
    expect(bytesOf(folder)).toBe(sha256(large));
    expect(mirror.requests.length).toBeGreaterThan(6);
  });

  test("ends an answer of no told length too early is asked for the rest", async () => {
    const early = serves(archive.subarray(0, 70_000), { length: null });
    const mirror = await startMirror({ "/a.zip": inTurn(early, serves(archive)) });
    const { folder, notes } = await fetched(mirror, {});
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes[0]).toContain("ended after 70 KB of 200 KB; asking again");
    expect(mirror.requests[1]?.range).toBe("bytes=70000-");
  });

  test("is slow is not taken to hang", async () => {
    const mirror = await startMirror({ "/a.zip": drips(archive, 5000, 20) });
    const { notes } = await fetched(mirror, { limits: { stall_ms: 400, num_tries: 1 } });
    expect(notes).toEqual([]);
  });

  test("ignores ranges and always breaks off is given up", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({
      "/a.zip": serves(archive, { ignore_range: true, ...cutIn(folder, 150_000) }),
    });
    const { message } = await failed(mirror, { folder });
    expect(message).toMatch(/a\.zip: .*, the last of 3 tries/);
    expect(mirror.requests).toHaveLength(3);
  });

  test("ignores ranges sends the whole file once more", async () => {
    const folder = tempFolder();
    const cut = serves(archive, { etag, ...cutIn(folder) });
    const mirror = await startMirror({ "/a.zip": inTurn(cut, serves(archive, { ignore_range: true })) });
    const { notes } = await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.at(-1)).toContain("it gives no parts, or the file has changed; starting over");
  });

  test("has another version by now sends that one, whole", async () => {
    const folder = tempFolder();
    const cut = serves(other, { etag: '"old"', ...cutIn(folder) });
    const mirror = await startMirror({ "/a.zip": inTurn(cut, serves(archive, { etag })) });
    await fetched(mirror, { folder, file: { checksum: null } });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests[1]).toMatchObject({ range: "bytes=70000-", if_range: '"old"' });
  });

  test("names no version is asked for the rest only where a checksum will tell", async () => {
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

  test.each([429, 500, 503])("answers %d is asked again after a while", async (status) => {
    const busy = answers(status, { "retry-after": "0" });
    const mirror = await startMirror({ "/a.zip": inTurn(busy, busy, serves(archive)) });
    const { folder } = await fetched(mirror, {});
    expect(bytesOf(folder)).toBe(sha256(archive));
  });

  test("asks for a wait is asked again after it, not before", async () => {
    const mirror = await startMirror({
      "/a.zip": inTurn(answers(429, { "retry-after": "1" }), serves(archive)),
    });
    const started = performance.now();
    const { notes } = await fetched(mirror, {});
    expect(performance.now() - started).toBeGreaterThan(990);
    expect(notes[0]).toContain("answered HTTP 429 (too many requests); asking again in 1 s");
  });

  test("redirects is followed, and stays the same mirror", async () => {
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

describe("a mirror is given up for the next one when it", () => {
  test.each<[what: string, bad: Behaviour, reason: string]>([
    ["has not got the file", answers(404), "answered HTTP 404 (not there)"],
    ["stays out of service", answers(503), "answered HTTP 503 (out of service), the last of 3 tries"],
    ["asks for too long a wait", answers(429, { "retry-after": "3600" }), "asks to wait for 3600 s"],
    ["hangs at once", hangs, "sent nothing for 0.1 s, the last of 3 tries"],
    [
      "hangs in the middle",
      serves(archive, { hang_after: 50_000 }),
      "sent nothing for 0.1 s, the last of 3 tries",
    ],
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
      "sends a log-in page",
      answers(200, { "content-type": "text/html; charset=utf-8" }, "<html>"),
      "sent a web page",
    ],
    ["redirects in a circle", answers(302, { location: "/a.zip" }), "redirect count exceeded"],
    ["redirects out of the web", answers(302, { location: "file:///etc/passwd" }), "scheme"],
  ])("%s", async (what, bad, reason) => {
    const mirror = await startMirror({ "/a.zip": bad, "/b.zip": serves(archive) });
    const limits = /^hangs|^promises/.test(what) ? { stall_ms: 100 } : {};
    const { folder, notes } = await fetched(mirror, { paths: ["/a.zip", "/b.zip"], limits });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.find((note) => note.includes("is given up"))).toContain(reason);
  });

  test("sends something else under the file's name and no checksum is known", async () => {
    const page = Buffer.from("<!doctype html><title>Log in</title>".padEnd(archive.length));
    const mirror = await startMirror({ "/a.zip": serves(page), "/b.zip": serves(archive) });
    const { folder, notes } = await fetched(mirror, {
      file: { checksum: null },
      paths: ["/a.zip", "/b.zip"],
    });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(notes.join("\n")).toContain('it is no zip archive: it begins with "<!do"');
  });

  test("is not there at all", async () => {
    const mirror = await startMirror({ "/b.zip": serves(archive) });
    const gone = await closedPort();
    const { notes } = await fetched(mirror, { urls: [gone, mirror.at("/b.zip")] });
    expect(notes).toEqual([expect.stringContaining("refused the connection (ECONNREFUSED)")]);
  });

  test("breaks off, and the next one goes on where a checksum will tell", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({
      "/a.zip": inTurn(serves(archive, { etag, ...cutIn(folder) }), answers(404)),
      "/b.zip": serves(archive),
    });
    await fetched(mirror, { folder, paths: ["/a.zip", "/b.zip"] });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests.at(-1)).toEqual({ path: "/b.zip", range: "bytes=70000-", if_range: undefined });
  });

  test("left wrong bytes behind that the next one must not pay for", async () => {
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

describe("an earlier run that was killed", () => {
  test("with SIGKILL in the middle is gone on with", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": drips(archive, 1000, 2) });
    const part = join(folder, "a.zip.part");
    const child = inChild(fileOf(mirror, {}), folder);
    await until(() => sizeOf(part) > 20_000);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("exit", resolve));
    const { size } = statSync(part);
    expect(existsSync(join(folder, "a.zip"))).toBe(false);
    // Its lock is waited for until it is stale; that is another test's matter.
    utimesSync(join(folder, "downloads.lock"), 1000, 1000);
    const { notes } = await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests.at(-1)?.range).toBe(`bytes=${size}-`);
    expect(notes[0]).toContain("going on after");
    expect(readdirSync(folder).sort()).toEqual(["a.zip", "downloads.json"]);
  }, 20_000);

  test.each<[what: string, part: Buffer, origin: string | undefined]>([
    ["before it noted where its bytes came from", archive.subarray(0, 5000), undefined],
    ["and its note is torn", archive.subarray(0, 5000), '{"url": "ht'],
    ["and somebody wrote to its part", other.subarray(0, 5000), "good"],
    ["and its part is longer than the file", Buffer.concat([archive, other]), "good"],
    ["and its part has the file's size and other bytes", other, "good"],
  ])("%s costs no more than a fresh start", async (_, part, origin) => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": serves(archive, { etag }) });
    leavePart(folder, part, origin === "good" ? originOf(mirror) : origin);
    await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
  });

  test("before it noted where its bytes came from is not believed without a checksum", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    leavePart(folder, other, undefined);
    await fetched(mirror, { folder, file: { checksum: null } });
    expect(bytesOf(folder)).toBe(sha256(archive));
  });

  test("after the last byte needs no server", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({});
    leavePart(folder, archive, originOf(mirror));
    await fetched(mirror, { folder });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests).toEqual([]);
  });

  test("after the last byte of a file of unknown size asks once", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": serves(archive, { etag }) });
    leavePart(folder, archive, originOf(mirror));
    await fetched(mirror, { folder, file: { bytes: null, checksum: null } });
    expect(bytesOf(folder)).toBe(sha256(archive));
    expect(mirror.requests).toHaveLength(1);
  });
});

describe("a download", () => {
  test("for which there is no room is not begun", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const error = await failed(mirror, { free: 200_003 });
    expect(error.code).toBe("no_space");
    expect(error.message).toMatch(/200 KB.* 200 KB/);
    expect(mirror.requests).toEqual([]);
  });

  test("needs room only for what is missing", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": serves(archive, { etag }) });
    leavePart(folder, archive.subarray(0, 150_000), originOf(mirror));
    await fetched(mirror, { folder, free: 50_004 });
    expect(bytesOf(folder)).toBe(sha256(archive));
  });

  test("of unknown size for which there is no room stops when the server tells it", async () => {
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    const error = await failed(mirror, { file: { bytes: null }, free: 200_003 });
    expect(error.code).toBe("no_space");
  });

  test("that no mirror serves tells each one's reason, what to do by hand and where to put it", async () => {
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
      "a.zip: none of its 2 mirrors gave it:",
      `  ${mirror.at("/a.zip")}: answered HTTP 404 (not there)`,
      `  ${mirror.at("/b.zip")}: its sha256 is ${sha256(other)}, expected ${sha256(archive)}`,
      "  by hand: ask a colleague",
      `  then put it here and run the same command again: ${join(folder, "a.zip")}`,
    ]);
    expect(readdirSync(folder).sort()).toEqual(["downloads.json", "good.zip"]);
  });

  test("that is interrupted ends at once with the signal's reason, and keeps its part", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": drips(archive, 1000, 2) });
    const stop = new AbortController();
    const reason = new CliprpnError("interrupted", "interrupted");
    const running = failure(fetched(mirror, { folder, signal: stop.signal }));
    await until(() => sizeOf(join(folder, "a.zip.part")) > 0);
    stop.abort(reason);
    expect(await running).toBe(reason);
    expect(readdirSync(folder).sort()).toEqual(["a.zip.part", "a.zip.part.json"]);
  });

  test("that waits for a busy server is interrupted as well", async () => {
    const mirror = await startMirror({ "/a.zip": answers(429, { "retry-after": "1" }) });
    const stop = new AbortController();
    const running = failure(fetched(mirror, { signal: stop.signal }));
    await until(() => mirror.requests.length > 0);
    stop.abort(new CliprpnError("interrupted", "interrupted"));
    expect((await running).code).toBe("interrupted");
    expect(mirror.requests).toHaveLength(1);
  });

  test("waits for another one into the same folder, and finds its files there", async () => {
    const folder = tempFolder();
    const mirror = await startMirror({ "/a.zip": drips(archive, 10_000, 5) });
    const both = await Promise.all([fetched(mirror, { folder }), fetched(mirror, { folder })]);
    expect(mirror.requests).toHaveLength(1);
    expect(both.flatMap(({ notes }) => notes)).toEqual([
      `${folder}: another process fetches into it; waiting until it is done`,
    ]);
  });

  test("into a folder that cannot be made says so", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "file"), "");
    const error = await failed(await startMirror({}), { folder: join(folder, "file", "below") });
    expect(error.message).toContain("cannot be written (ENOTDIR)");
  });

  test("is not misled by a folder of the file's name", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "a.zip"));
    const mirror = await startMirror({ "/a.zip": serves(archive) });
    expect((await failed(mirror, { folder })).message).toContain("cannot be written (EISDIR)");
  });
});

interface Asked {
  folder?: string;
  paths?: string[];
  urls?: string[];
  file?: Partial<SourceFile>;
  free?: number;
  limits?: DownloadOptions["limits"];
  signal?: AbortSignal;
}

async function fetched(
  mirror: Mirror,
  asked: Asked,
): Promise<{ folder: string; notes: string[]; progress: DownloadProgress[] }> {
  const folder = asked.folder ?? tempFolder();
  const { options, notes, progress } = optionsOf(asked);
  await download([fileOf(mirror, asked)], folder, options);
  return { folder, notes, progress };
}

async function failed(mirror: Mirror, asked: Asked): Promise<CliprpnError> {
  return failure(fetched(mirror, asked));
}

async function failure(running: Promise<unknown>): Promise<CliprpnError> {
  const error = await running.then(
    () => undefined,
    (reason) => reason,
  );
  if (error instanceof CliprpnError) return error;
  throw new Error(`expected a failure that is told, found ${error}`);
}

function optionsOf({ free, limits, signal }: Asked): {
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
    limits: { stall_ms: 5000, num_tries: 3, first_wait_ms: 2, max_wait_ms: 2000, ...limits },
    ...(free === undefined ? {} : { free: async () => free }),
  };
  return { options, notes, progress };
}

function fileOf(mirror: Mirror, { paths = ["/a.zip"], urls, file }: Asked): SourceFile {
  return {
    name: "a.zip",
    datasets: ["made"],
    ...knownAs(archive),
    urls: urls ?? paths.map((path) => mirror.at(path)),
    licence: "none",
    by_hand: "ask a colleague",
    ...file,
  };
}

function knownAs(body: Buffer): Pick<SourceFile, "bytes" | "checksum"> {
  return { bytes: body.length, checksum: { algorithm: "sha256", hex: sha256(body) } };
}

function sha256(body: Buffer): string {
  return createHash("sha256").update(body).digest("hex");
}

function bytesOf(folder: string): string {
  return sha256(readFileSync(join(folder, "a.zip")));
}

/** Cuts the connection after so many bytes of an answer, once all of them are in the part. */
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

/** An address that nobody listens at: of a server that has ended. */
async function closedPort(): Promise<string> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/a.zip`;
}

/** The same download in a process of its own. */
function inChild(file: SourceFile, folder: string): ReturnType<typeof spawn> {
  const module = pathToFileURL(join(packageRoot, "src/dataset/download/download.ts")).href;
  const options = "{ onProgress() {}, onNote() {}, signal: new AbortController().signal }";
  const code = `import { download } from ${JSON.stringify(module)};
await download(${JSON.stringify([file])}, ${JSON.stringify(folder)}, ${options});`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    cwd: packageRoot,
    stdio: "inherit",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}
