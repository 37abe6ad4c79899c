import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../src/base/package-root.ts";
import { diagnose } from "../../src/environment/diagnose.ts";
import { ensureRuntime, type Runtime } from "../../src/environment/ensure-runtime.ts";
import { type ExtraName, ensureExtras } from "../../src/environment/extras.ts";
import { withoutPackagesOf } from "../../src/environment/lock-blocks.ts";
import { fakeMachine, fakeUv, type Machine, writeInspection } from "../helpers/fake-tools.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";

/** A machine whose environment is ready, without extras. */
async function readyMachine(): Promise<{ machine: Machine; runtime: Runtime }> {
  const machine = fakeMachine();
  const { env, lockDir } = machine;
  const runtime = await ensureRuntime({
    environment: "runtime",
    terminal: recordingTerminal(),
    env,
    lockDir,
  });
  return { machine, runtime };
}

function add(
  { env, lockDir }: Machine,
  runtime: Runtime,
  extras: ExtraName[],
  more: Partial<Parameters<typeof ensureExtras>[2]> = {},
): Promise<void> {
  return ensureExtras(runtime, extras, { terminal: recordingTerminal(), env, lockDir, ...more });
}

function installs(machine: Machine): string[] {
  return machine.calls().filter((call) => call.includes("--target") && !call.includes("--dry-run"));
}

describe("the environment that cliprpn sets up", () => {
  test("is given an extra once: what the runtime lacks, by hash, into a folder that Python then finds", async () => {
    const { machine, runtime } = await readyMachine();
    await add(machine, runtime, ["yolo"]);
    const folder = folderOf(runtime);
    const [install = "", ...more] = installs(machine);
    expect(more).toEqual([]);
    expect(install).toMatch(
      /^uv pip install --python \S+ --target (\S+\/extra-yolo-[0-9a-f]{16}) --no-deps --require-hashes --compile-bytecode -r \S+\/extra-yolo\.txt$/,
    );
    expect(readFileSync(join(folder, "extra-yolo.txt"), "utf8").match(/^\S+==/gm)).toEqual([
      "nvidia-ml-py==",
      "onnxruntime==",
      "ultralytics==",
    ]);
    const site = join(folder, "lib/python3.11/site-packages");
    const line = readFileSync(join(site, "cliprpn-extra-yolo.pth"), "utf8").trim();
    expect(install).toContain(`--target ${join(site, line)} `);

    const quiet = recordingTerminal();
    const before = machine.calls().length;
    await add(machine, runtime, ["yolo", "onnx"], { terminal: quiet });
    expect(machine.calls()).toHaveLength(before);
    expect(quiet.lines).toEqual([]);
  });

  test("none is asked for: nothing happens", async () => {
    const { machine, runtime } = await readyMachine();
    const before = machine.calls().length;
    await add(machine, runtime, []);
    expect(machine.calls()).toHaveLength(before);
  });

  test("the licence and the sizes are told before anything is fetched; onnx has none to tell", async () => {
    const { machine, runtime } = await readyMachine();
    const fetching: string[] = [];
    const terminal = recordingTerminal();
    machine.onSync('echo "Downloading ultralytics (1.0MiB)"');
    const watched = {
      ...terminal,
      live: (lines: string[]) => {
        if (lines.join().includes("fetching")) fetching.push(terminal.lines.join("\n"));
      },
    };
    await add(machine, runtime, ["yolo"], { terminal: watched });
    expect(fetching[0]).toMatch(/AGPL-3\.0.*source.*\n.*ultralytics.*\n.* 164\.0 MB .* 510\.0 MB/);

    const other = await readyMachine();
    const terse = recordingTerminal();
    await add(other.machine, other.runtime, ["onnx"], { terminal: terse });
    expect(terse.lines.join("\n")).toMatch(/ 28\.0 MB /);
    expect(terse.lines.join("\n")).not.toContain("AGPL");
  });

  test("another lock of an extra is installed again, beside the one that a running process may use", async () => {
    const { machine, runtime } = await readyMachine();
    await add(machine, runtime, ["onnx"]);
    writeFileSync(
      join(machine.lockDir, "extra-onnx.txt"),
      "onnxruntime==1.33.0 \\\n    --hash=sha256:abcd\n",
    );
    await add(machine, runtime, ["onnx"]);
    await add(machine, runtime, ["onnx"]);
    const [first, second, ...more] = installs(machine);
    expect(more).toEqual([]);
    expect(second).not.toBe(first);
    expect(packageFolders(runtime)).toHaveLength(2);
  });

  test("the runtime's packages that an extra's lock names as well do not make another extra of it", async () => {
    const { machine, runtime } = await readyMachine();
    await add(machine, runtime, ["onnx"]);
    writeFileSync(
      join(machine.lockDir, "extra-onnx.txt"),
      "onnxruntime==1.32.0 \\\n    --hash=sha256:ffff\n",
    );
    await add(machine, runtime, ["onnx"]);
    expect(installs(machine)).toHaveLength(1);
  });

  test("what an interrupted installation left is cleared away, and the next one goes through", async () => {
    const { machine, runtime } = await readyMachine();
    const stop = new AbortController();
    machine.onSync('echo half > "$6/half"; echo $$ > "$MACHINE/pid"; sleep 30');
    const first = add(machine, runtime, ["yolo"], { signal: stop.signal });
    const settled = expect(first).rejects.toMatchObject({ code: "interrupted" });
    await until(() => existsSync(join(machine.folder, "pid")));
    stop.abort();
    await settled;
    const [left = ""] = packageFolders(runtime);
    expect(readdirSync(join(folderOf(runtime), left))).toEqual(["half"]);

    machine.onSync('echo whole > "$6/whole"');
    await add(machine, runtime, ["yolo"]);
    expect(readdirSync(join(folderOf(runtime), left))).toEqual(["whole"]);
  });

  test("of two at once one installs; the other waits and says so", async () => {
    const { machine, runtime } = await readyMachine();
    machine.onSync("sleep 0.3");
    const terminals = [recordingTerminal(), recordingTerminal()];
    await Promise.all(terminals.map((terminal) => add(machine, runtime, ["yolo"], { terminal })));
    expect(installs(machine)).toHaveLength(1);
    const told = terminals.map(({ lines }) => lines.filter((line) => line.includes("waiting for it")).length);
    expect(told.sort()).toEqual([0, 1]);
  });

  test.each([
    ["error: dns error", "no_network", "HTTPS_PROXY"],
    ["error: No space left on device (os error 28)", "no_space", "CLIPRPN_CACHE"],
    ["error: Hash mismatch for `ultralytics==8.4.190`", "environment_broken", "UV_FIND_LINKS"],
  ])("%s: told as such, and nothing counts as installed", async (said, code, told) => {
    const { machine, runtime } = await readyMachine();
    machine.onSync(`echo '${said}' >&2; exit 2`);
    await expect(add(machine, runtime, ["yolo"])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(told),
    });
    machine.onSync("");
    await add(machine, runtime, ["yolo"]);
    expect(installs(machine)).toHaveLength(2);
  });

  test("without a network it stops at uv's plan, having said how to fetch ahead of time", async () => {
    const { machine, runtime } = await readyMachine();
    machine.install(
      "uv",
      `${fakeUv.replace(/"pip sync --dry-run".*/, "*--dry-run) echo 'dns error'; exit 2 ;;")}`,
    );
    const terminal = recordingTerminal();
    await expect(add(machine, runtime, ["onnx"], { terminal })).rejects.toMatchObject({ code: "no_network" });
    expect(terminal.lines.join("\n")).toContain("cliprpn setup --extra onnx");
    expect(installs(machine)).toEqual([]);
  });

  test("an extra that does not import here is told by name and not kept", async () => {
    const { machine, runtime } = await readyMachine();
    const why = "ImportError: libstdc++.so.6: version `GLIBCXX_3.4.30' not found";
    writeInspection(machine.folder, { onnxruntime: { version: null, error: why } });
    await expect(add(machine, runtime, ["onnx"])).rejects.toMatchObject({
      code: "environment_broken",
      message: expect.stringContaining(`onnxruntime: ${why}`),
    });
    writeInspection(machine.folder, {});
    await add(machine, runtime, ["onnx"]);
    expect(installs(machine)).toHaveLength(2);
  });

  test("an environment that is built again is so without extras of the former one", async () => {
    const { machine, runtime } = await readyMachine();
    await add(machine, runtime, ["onnx"]);
    rmSync(folderOf(runtime), { recursive: true });
    const { env, lockDir } = machine;
    await ensureRuntime({ environment: "runtime", terminal: recordingTerminal(), env, lockDir });
    expect(packageFolders(runtime)).toEqual([]);
    await add(machine, runtime, ["onnx"]);
    expect(installs(machine)).toHaveLength(2);
  });
});

describe("an interpreter of one's own", () => {
  const absent = { version: null, error: "ModuleNotFoundError: No module named 'ultralytics'" };

  function own(machine: Machine): Runtime {
    return { kind: "own", python: join(machine.folder, "bin/python3.11"), key: "" };
  }

  test("lacks the extra: the command that brings it and its licence are told, nothing is installed", async () => {
    const machine = fakeMachine();
    writeInspection(machine.folder, { ultralytics: absent });
    await expect(add(machine, own(machine), ["yolo"])).rejects.toMatchObject({
      code: "package_missing",
      message: expect.stringMatching(
        /lacks what a YOLO detector needs:\n +ultralytics: ModuleNotFound.*\n.*-m pip install --upgrade "ultralytics"\n.*AGPL-3\.0/,
      ),
    });
    expect(machine.calls()).toEqual([]);
  });

  test("without a screen's libraries: opencv-python is named as the cause", async () => {
    const machine = fakeMachine();
    const error = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory";
    writeInspection(machine.folder, { ultralytics: { version: null, error } });
    await expect(add(machine, own(machine), ["yolo"])).rejects.toMatchObject({
      message: expect.stringContaining("opencv-python-headless"),
    });
  });

  test("has it: looked at once for a set of versions, and again for another", async () => {
    const machine = fakeMachine();
    const checks = (): number => statSync(join(machine.folder, "inspections")).size;
    await add(machine, own(machine), ["yolo"]);
    const once = checks();
    await add(machine, own(machine), ["yolo", "onnx"]);
    expect(checks()).toBe(once);
    writeInspection(machine.folder, { ultralytics: { version: "8.5.0", error: null } });
    await add(machine, own(machine), ["yolo"]);
    expect(checks()).toBeGreaterThan(once);
  });
});

describe("doctor", () => {
  const missing = (module: string): { version: null; error: string } => ({
    version: null,
    error: `ModuleNotFoundError: No module named '${module}'`,
  });

  test("tells what is installed, and that what is not will be fetched; neither is a fault", async () => {
    const { machine } = await readyMachine();
    writeInspection(machine.folder, {
      ultralytics: missing("ultralytics"),
      onnxruntime: { version: "1.32.0", error: null },
    });
    const { ok, rows } = await diagnose({ env: machine.env, lockDir: machine.lockDir });
    expect(ok).toBe(true);
    expect(rows.filter(({ name }) => name.startsWith("extra"))).toEqual([
      { name: "extra onnx", state: "ok", found: "onnxruntime 1.32.0", how_to_mend: "" },
      {
        name: "extra yolo",
        state: "ok",
        found: "not installed (fetched on first use of a YOLO detector)",
        how_to_mend: "",
      },
    ]);
  });

  test("tells the command that brings it to an interpreter of one's own", async () => {
    const machine = fakeMachine();
    writeInspection(machine.folder, { onnxruntime: missing("onnxruntime") });
    const python = join(machine.folder, "bin/python3.11");
    const { ok, rows } = await diagnose({ env: machine.env, python });
    expect(ok).toBe(true);
    expect(rows.find(({ name }) => name === "extra onnx")?.found).toBe(
      `not installed (for an ONNX detector: ${python} -m pip install --upgrade "onnxruntime")`,
    );
  });

  test("one that is there and does not import is a fault", async () => {
    const { machine, runtime } = await readyMachine();
    writeInspection(machine.folder, { ultralytics: { version: null, error: "ImportError: no cv2" } });
    const { ok, rows } = await diagnose({ env: machine.env, lockDir: machine.lockDir });
    expect(ok).toBe(false);
    expect(rows.find(({ name }) => name === "extra yolo")).toMatchObject({
      state: "broken",
      found: "ultralytics: ImportError: no cv2",
      how_to_mend: `rm -r ${folderOf(runtime)}/extra-*, then cliprpn setup --extra yolo`,
    });
  });
});

describe("the shipped locks", () => {
  const lock = (name: string): string => readFileSync(join(packageRoot, "env", `${name}.txt`), "utf8");
  const pins = (text: string): Map<string, string[]> => {
    const found = new Map<string, string[]>();
    for (const [, name = "", version = ""] of text.matchAll(/^([a-z0-9.-]+)==([^\s;]+)/gm))
      found.set(name, [...(found.get(name) ?? []), version]);
    return found;
  };
  const runtime = pins(lock("runtime"));

  test.each(["extra-onnx", "extra-yolo"])("%s fits the runtime: what both name has one version", (name) => {
    const shared = [...pins(lock(name))].filter(([pack]) => runtime.has(pack));
    expect(shared.length).toBeGreaterThan(1);
    for (const [pack, versions] of shared)
      expect(runtime.get(pack), pack).toEqual(expect.arrayContaining(versions));
  });

  test("yolo brings no torch and no CUDA, and OpenCV without a screen's libraries", () => {
    const text = withoutPackagesOf(lock("runtime"), lock("extra-yolo"));
    expect(text).not.toMatch(/^(torch|torchvision|triton|cuda-.*|nvidia-(?!ml-py).*|numpy)==/m);
    for (const pack of ["ultralytics", "onnxruntime", "opencv-python-headless", "nvidia-ml-py"])
      expect(text).toMatch(new RegExp(`^${pack}==.*\\n +--hash=sha256:`, "m"));
    expect(text.match(/^opencv-python==.*/gm)).toEqual([expect.stringContaining("sys_platform == 'never'")]);
  });

  test("yolo holds all of onnx", () => {
    const [onnx, yolo] = ["extra-onnx", "extra-yolo"].map((name) =>
      pins(withoutPackagesOf(lock("runtime"), lock(name))),
    );
    expect([...(onnx ?? [])]).toEqual([...(yolo ?? [])].filter(([pack]) => onnx?.has(pack)));
    expect(onnx?.has("onnxruntime")).toBe(true);
  });
});

function folderOf({ python }: Runtime): string {
  return dirname(dirname(python));
}

/** The folders that extras' packages lie in. */
function packageFolders(runtime: Runtime): string[] {
  return readdirSync(folderOf(runtime)).filter((name) => /^extra-[a-z]+-[0-9a-f]{16}$/.test(name));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
