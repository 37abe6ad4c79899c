import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureRuntime, type Runtime } from "../../src/environment/ensure-runtime.ts";
import { fakeMachine, fakeUv, type Machine, writeInspection } from "../helpers/fake-tools.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";

function setUp(machine: Machine, more: Partial<Parameters<typeof ensureRuntime>[0]> = {}): Promise<Runtime> {
  const { env, lockDir } = machine;
  return ensureRuntime({ environment: "runtime", terminal: recordingTerminal(), env, lockDir, ...more });
}

test("a first run builds from the lock and says how much it fetches; a second starts no process at all", async () => {
  const machine = fakeMachine();
  machine.onSync(
    'echo "Downloading torch (500.0MiB)"; echo " Downloaded torch"; echo "Prepared 2 packages in 1s" >&2',
  );
  const terminal = recordingTerminal();
  const runtime = await setUp(machine, { terminal });
  expect(runtime).toMatchObject({
    kind: "managed",
    python: expect.stringMatching(/env-runtime-[0-9a-f]{16}-py3\.11\/bin\/python$/),
  });
  expect(terminal.lines.join("\n")).toMatch(/ [\d.]+ GB .* [\d.]+ GB/);
  expect(terminal.lines.at(-1)).toMatch(/set up \(\d+ s\)/);
  expect(terminal.liveLines.join("\n")).toContain("0.5 of 0.5 GB");

  rmSync(join(machine.folder, "bin"), { recursive: true });
  mkdirSync(join(machine.folder, "bin"));
  writeFileSync(join(machine.folder, "bin/python3.11"), "no program"); // Only looked at.
  const quiet = recordingTerminal();
  expect(await setUp(machine, { terminal: quiet })).toEqual(runtime);
  expect(quiet.lines).toEqual([]);
});

test("what an interrupted set-up left is cleared away, and the next one goes through", async () => {
  const machine = fakeMachine();
  const stop = new AbortController();
  machine.onSync('echo half > "$MACHINE/cache/half"; echo $$ > "$MACHINE/pid"; sleep 30');
  const first = setUp(machine, { signal: stop.signal });
  const settled = expect(first).rejects.toMatchObject({ code: "interrupted" });
  await until(() => existsSync(join(machine.folder, "pid")));
  const pid = Number(readFileSync(join(machine.folder, "pid"), "utf8"));
  const leftOver = folderOf(machine);
  writeFileSync(join(leftOver, "left-over"), "");
  stop.abort();
  await settled;
  expect(isRunning(pid)).toBe(false);

  machine.onSync("");
  await setUp(machine);
  expect(existsSync(join(leftOver, "left-over"))).toBe(false);
});

test("of two set-ups at once one builds; the other waits, says so, and uses the same", async () => {
  const machine = fakeMachine();
  machine.onSync("sleep 0.3");
  const terminals = [recordingTerminal(), recordingTerminal()];
  const [one, other] = await Promise.all(terminals.map((terminal) => setUp(machine, { terminal })));
  expect(one).toEqual(other);
  expect(machine.calls().filter((call) => call.startsWith("uv venv"))).toHaveLength(1);
  const told = terminals.map(({ lines }) => lines.filter((line) => line.includes("waiting for it")).length);
  expect(told.sort()).toEqual([0, 1]);
});

test("a failed set-up leaves nothing that counts as ready", async () => {
  const machine = fakeMachine();
  machine.onSync("echo 'error: dns error' >&2; exit 2");
  await expect(setUp(machine)).rejects.toMatchObject({ code: "no_network" });
  machine.onSync("");
  await expect(setUp(machine)).resolves.toMatchObject({ kind: "managed" });
});

test("packages that do not work on this machine are told by name and not kept as ready", async () => {
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

test("what uv has in its cache is not announced as a download", async () => {
  const machine = fakeMachine();
  machine.install("uv", fakeUv.replace('echo "Would download 2 packages" >&2; ', ""));
  const terminal = recordingTerminal();
  await setUp(machine, { terminal });
  expect(terminal.lines.join("\n")).toContain("Nothing to download");
});

test("another torch: all else against its hashes, then torch from uv's index at the lock's version", async () => {
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

test("settings of the person's own that contradict the lock do not reach uv; others do", async () => {
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
  ["not that uv", "echo 'usage: uv <dose>'; exit 1"],
])("a uv that is %s is fetched once, into the cache", async (_what, script) => {
  const machine = fakeMachine();
  machine.install("fetched-uv", fakeUv);
  rmSync(join(machine.folder, "bin/uv"));
  if (script !== undefined) machine.install("uv", script);
  const terminal = recordingTerminal();
  await setUp(machine, { terminal });
  expect(terminal.lines.join("\n")).toMatch(/^uv .*: fetching one/m);
  const again = recordingTerminal();
  await setUp(machine, { terminal: again, torchBackend: "cpu" });
  expect(again.lines.join("\n")).not.toContain("fetching one");
});

test("a Python without venv is told how to get it, when there is no uv either", async () => {
  const machine = fakeMachine();
  rmSync(join(machine.folder, "bin/uv"));
  const words = "The virtual environment was not created successfully because ensurepip is not available.";
  machine.install(
    "python3.11",
    `case "$1" in -m) echo "${words}"; exit 1 ;; *) echo "$0"; echo 3.11.7 ;; esac`,
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
])("of Pythons there is %s", async (_what, script, told) => {
  const machine = fakeMachine();
  rmSync(join(machine.folder, "bin/python3"));
  rmSync(join(machine.folder, "bin/python3.11"));
  machine.install("python3", script);
  await expect(setUp(machine)).rejects.toMatchObject({
    code: "python_unsuitable",
    message: expect.stringContaining(told),
  });
});

test("a newer Python than the lock's torch knows is passed over for a suitable one", async () => {
  const machine = fakeMachine();
  rmSync(join(machine.folder, "bin/python3"));
  machine.install("python3", "echo /usr/bin/python3; echo 3.15.0");
  await expect(setUp(machine)).resolves.toMatchObject({ python: expect.stringContaining("-py3.11/") });
});

test("a cache that cannot be made is told with the way out", async () => {
  const machine = fakeMachine();
  writeFileSync(join(machine.folder, "file"), "");
  const env = { ...machine.env, CLIPRPN_CACHE: join(machine.folder, "file/cache") };
  await expect(setUp(machine, { env })).rejects.toMatchObject({
    code: "environment_broken",
    message: expect.stringContaining("set CLIPRPN_CACHE"),
  });
});

test("Windows itself is refused, naming WSL2", async () => {
  await expect(setUp(fakeMachine(), { platform: "win32" })).rejects.toMatchObject({
    code: "unsupported_platform",
    message: expect.stringContaining("WSL2"),
  });
});

function folderOf(machine: Machine): string {
  const venv = machine.calls().find((call) => call.startsWith("uv venv"));
  return venv?.split(" ").at(-1) ?? "";
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
