import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Environment, ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import {
  fakeMachine,
  fakeUv,
  type Machine,
  numWaits,
  twoTerminals,
  writeInspection,
} from "../helpers/fake-tools.ts";
import { isRunning, until } from "../helpers/processes.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";

function setUp(
  machine: Machine,
  more: Partial<Parameters<typeof ensureEnvironment>[0]> = {},
): Promise<Environment> {
  const { env, lockDir } = machine;
  return ensureEnvironment({ name: "runtime", terminal: recordingTerminal(), env, lockDir, ...more });
}

test("the first run builds from the lock and prints the download size; a second run starts no process", async () => {
  const machine = fakeMachine();
  machine.onSync(
    'echo "Downloading torch (500.0MiB)"; echo " Downloaded torch"; echo "Prepared 2 packages in 1s" >&2',
  );
  const terminal = recordingTerminal();
  const environment = await setUp(machine, { terminal });
  expect(environment).toMatchObject({
    kind: "managed",
    python: expect.stringMatching(/env-runtime-[0-9a-f]{16}-py3\.11\/bin\/python$/),
  });
  expect(terminal.lines.join("\n")).toMatch(/ [\d.]+ GB .* [\d.]+ GB/);
  expect(terminal.lines.at(-1)).toMatch(/\(\d+ s\)/);
  expect(terminal.liveLines.join("\n")).toContain("524.3 of 524.3 MB");

  rmSync(join(machine.folder, "bin"), { recursive: true });
  mkdirSync(join(machine.folder, "bin"));
  writeFileSync(join(machine.folder, "bin/python3.11"), "not a program"); // The file only has to exist.
  const quiet = recordingTerminal();
  expect(await setUp(machine, { terminal: quiet })).toEqual(environment);
  expect(quiet.lines).toEqual([]);
});

test("what an interrupted build left is removed, and the next build succeeds", async () => {
  const machine = fakeMachine();
  const stop = new AbortController();
  machine.onSync('echo half > "$MACHINE/cache/half"; echo $$ > "$MACHINE/pid"; sleep 600');
  const first = setUp(machine, { signal: stop.signal });
  const settled = expect(first).rejects.toMatchObject({ code: "interrupted" });
  const pidFile = join(machine.folder, "pid");
  await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8").endsWith("\n"));
  const pid = Number(readFileSync(pidFile, "utf8"));
  const leftOver = folderOf(machine);
  writeFileSync(join(leftOver, "left-over"), "");
  stop.abort();
  await settled;
  expect(isRunning(pid)).toBe(false);

  machine.onSync("");
  await setUp(machine);
  expect(existsSync(join(leftOver, "left-over"))).toBe(false);
});

test("of two processes at once, one builds; the other reports that it waits, and uses the same environment", async () => {
  const machine = fakeMachine();
  const terminals = twoTerminals(machine);
  const [one, other] = await Promise.all(terminals.map((terminal) => setUp(machine, { terminal })));
  expect(one).toEqual(other);
  expect(machine.calls().filter((call) => call.startsWith("uv venv"))).toHaveLength(1);
  expect(terminals.map(numWaits).sort()).toEqual([0, 1]);
});

test("a failed build does not count as ready", async () => {
  const machine = fakeMachine();
  machine.onSync("echo 'error: dns error' >&2; exit 2");
  await expect(setUp(machine)).rejects.toMatchObject({ code: "no_network" });
  machine.onSync("");
  await expect(setUp(machine)).resolves.toMatchObject({ kind: "managed" });
});

test("packages that cannot be imported are reported by name and built again next time", async () => {
  const machine = fakeMachine();
  writeInspection(machine.folder, {
    torchvision: { version: null, error: "RuntimeError: operator torchvision::nms does not exist" },
  });
  await expect(setUp(machine)).rejects.toMatchObject({
    code: "environment_broken",
    message: expect.stringContaining("torchvision: RuntimeError: operator torchvision::nms does not exist"),
  });
  writeInspection(machine.folder, {});
  await setUp(machine);
  expect(machine.calls().filter((call) => call.startsWith("uv venv"))).toHaveLength(2);
});

test("packages in uv's cache are not announced as a download", async () => {
  const machine = fakeMachine();
  machine.install("uv", fakeUv.replace('echo "Would download 2 packages" >&2; ', ""));
  const terminal = recordingTerminal();
  await setUp(machine, { terminal });
  expect(terminal.lines.join("\n")).toContain("Nothing to download");
});

test("another torch: all other packages are verified by hash, then torch comes from uv's index at the lock's version", async () => {
  const machine = fakeMachine();
  await setUp(machine, { torchBackend: "cpu" });
  const folder = folderOf(machine);
  const [, , sync, install, ...rest] = machine.calls();
  expect(sync).toMatch(/^uv pip sync .*--require-hashes .*\/without-torch\.txt$/);
  expect(install).toMatch(/--torch-backend cpu torch==2\.14\.1 torchvision==0\.29\.1$/);
  expect(rest).toEqual([]);
  expect(readFileSync(join(folder, "without-torch.txt"), "utf8")).toBe(
    "numpy==2.4.6 \\\n    --hash=sha256:aaaa\n",
  );
});

test("the user's settings for uv apply, except those that contradict the lock", async () => {
  const machine = fakeMachine();
  machine.onSync(
    'echo "$UV_SYSTEM_PYTHON|$UV_REQUIRE_HASHES|$UV_INDEX_URL|$UV_PYTHON_DOWNLOADS" > "$MACHINE/seen"',
  );
  const env = {
    ...machine.env,
    UV_SYSTEM_PYTHON: "1",
    UV_REQUIRE_HASHES: "1",
    UV_INDEX_URL: "https://mirror.invalid",
  };
  await setUp(machine, { env });
  expect(readFileSync(join(machine.folder, "seen"), "utf8")).toBe("||https://mirror.invalid|never\n");
});

test.each([
  ["absent", undefined],
  ["too old", "echo 'uv 0.4.30'"],
  ["another program", "echo 'usage: uv <dose>'; exit 1"],
])("a uv that is %s is downloaded once, into the cache", async (_what, script) => {
  const machine = fakeMachine();
  machine.install("fetched-uv", fakeUv);
  rmSync(join(machine.folder, "bin/uv"));
  if (script !== undefined) machine.install("uv", script);
  const terminal = recordingTerminal();
  await setUp(machine, { terminal });
  expect(terminal.lines.join("\n")).toMatch(/^uv .*: downloading it/m);
  const again = recordingTerminal();
  await setUp(machine, { terminal: again, torchBackend: "cpu" });
  expect(again.lines.join("\n")).not.toContain("downloading it");
});

test("a Python without venv, without uv: the error says how to install it", async () => {
  const machine = fakeMachine();
  rmSync(join(machine.folder, "bin/uv"));
  const output = "The virtual environment was not created successfully because ensurepip is not available.";
  machine.install(
    "python3.11",
    `case "$1" in -m) echo "${output}"; exit 1 ;; *) echo "$0"; echo 3.11.7 ;; esac`,
  );
  await expect(setUp(machine)).rejects.toMatchObject({
    code: "environment_broken",
    message: expect.stringContaining("apt install python3-venv"),
  });
});

test.each([
  ["none", "exit 127", "found none"],
  ["an old one", "echo /usr/bin/python3; echo 3.9.18", "found python3 3.9.18"],
  ["one too new for the lock's torch", "echo /usr/bin/python3; echo 3.15.0", "found python3 3.15.0"],
])("the versions of Python are named when there is %s", async (_what, script, expected) => {
  const machine = fakeMachine();
  rmSync(join(machine.folder, "bin/python3"));
  rmSync(join(machine.folder, "bin/python3.11"));
  machine.install("python3", script);
  await expect(setUp(machine)).rejects.toMatchObject({
    code: "python_unsuitable",
    message: expect.stringContaining(expected),
  });
});

test("a Python that is too new for the lock's torch is skipped", async () => {
  const machine = fakeMachine();
  rmSync(join(machine.folder, "bin/python3"));
  machine.install("python3", "echo /usr/bin/python3; echo 3.15.0");
  await expect(setUp(machine)).resolves.toMatchObject({ python: expect.stringContaining("-py3.11/") });
});

test("a cache that cannot be created is reported with what to do", async () => {
  const machine = fakeMachine();
  writeFileSync(join(machine.folder, "file"), "");
  const env = { ...machine.env, CLIPRPN_CACHE: join(machine.folder, "file/cache") };
  await expect(setUp(machine, { env })).rejects.toMatchObject({
    code: "environment_broken",
    message: expect.stringContaining("set CLIPRPN_CACHE"),
  });
});

test("native Windows is refused, naming WSL2", async () => {
  await expect(setUp(fakeMachine(), { platform: "win32" })).rejects.toMatchObject({
    code: "unsupported_platform",
    message: expect.stringContaining("WSL2"),
  });
});

function folderOf(machine: Machine): string {
  const venv = machine.calls().find((call) => call.startsWith("uv venv"));
  return venv?.split(" ").at(-1) ?? "";
}

test("uv keeps its packages in the cache when the home folder cannot be written", async () => {
  const machine = fakeMachine();
  machine.onSync('echo "$UV_CACHE_DIR" > "$MACHINE/uv-cache-dir"');
  writeFileSync(join(machine.folder, "file"), "");
  const env = { ...machine.env, HOME: join(machine.folder, "file/home") };
  await ensureEnvironment({ name: "runtime", terminal: recordingTerminal(), env, lockDir: machine.lockDir });
  expect(readFileSync(join(machine.folder, "uv-cache-dir"), "utf8").trim()).toBe(
    join(machine.cache, "uv-cache"),
  );
});
