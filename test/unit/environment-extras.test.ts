import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { diagnose } from "../../src/environment/diagnose.ts";
import { type Environment, ensureEnvironment } from "../../src/environment/ensure-environment.ts";
import { ensureExtras } from "../../src/environment/ensure-extras.ts";
import type { ExtraName } from "../../src/environment/extras.ts";
import { withoutPackagesOf } from "../../src/environment/locked-packages.ts";
import { packageRoot } from "../../src/package-root.ts";
import {
  fakeMachine,
  fakeUv,
  type Machine,
  numWaits,
  twoTerminals,
  writeInspection,
} from "../helpers/fake-tools.ts";
import { until } from "../helpers/processes.ts";
import { recordingTerminal } from "../helpers/recording-terminal.ts";

/** A machine with a built environment, without extras. */
async function readyMachine(): Promise<{ machine: Machine; environment: Environment }> {
  const machine = fakeMachine();
  const { env, lockDir } = machine;
  const environment = await ensureEnvironment({
    name: "runtime",
    terminal: recordingTerminal(),
    env,
    lockDir,
  });
  return { machine, environment };
}

function add(
  { env, lockDir }: Machine,
  environment: Environment,
  extras: ExtraName[],
  more: Partial<Parameters<typeof ensureExtras>[2]> = {},
): Promise<string[]> {
  return ensureExtras(environment, extras, { terminal: recordingTerminal(), env, lockDir, ...more });
}

function installs(machine: Machine): string[] {
  return machine.calls().filter((call) => call.includes("--target") && !call.includes("--dry-run"));
}

describe("the environment that cliprpn sets up", () => {
  test("installs an extra once: only the packages that it lacks, verified by hash, into a folder on Python's path", async () => {
    const { machine, environment } = await readyMachine();
    await add(machine, environment, ["yolo"]);
    const folder = folderOf(environment);
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
    await add(machine, environment, ["yolo", "onnx"], { terminal: quiet });
    expect(machine.calls()).toHaveLength(before);
    expect(quiet.lines).toEqual([]);
  });

  test("ray is installed beside yolo, which does not contain it, from its own lock", async () => {
    const { machine, environment } = await readyMachine();
    await add(machine, environment, ["onnx", "ray", "yolo"]);
    expect(installs(machine).map((call) => /extra-([a-z]+)\.txt$/.exec(call)?.[1])).toEqual(["ray", "yolo"]);
    expect(readFileSync(join(folderOf(environment), "extra-ray.txt"), "utf8").match(/^\S+==/gm)).toEqual([
      "msgpack==",
      "ray==",
    ]);
    const before = machine.calls().length;
    await add(machine, environment, ["ray"]);
    expect(machine.calls()).toHaveLength(before);
  });

  test("without extras nothing happens", async () => {
    const { machine, environment } = await readyMachine();
    const before = machine.calls().length;
    await add(machine, environment, []);
    expect(machine.calls()).toHaveLength(before);
  });

  test("the license and the sizes are printed before the download; onnx has no license to print", async () => {
    const { machine, environment } = await readyMachine();
    const printed: string[] = [];
    const terminal = recordingTerminal();
    machine.onSync('echo "Downloading ultralytics (1.0MiB)"');
    const watchedTerminal = {
      ...terminal,
      live: (lines: string[] | (() => string[])) => {
        if (String(lines).includes("downloading")) printed.push(terminal.lines.join("\n"));
      },
    };
    await add(machine, environment, ["yolo"], { terminal: watchedTerminal });
    expect(printed[0]).toMatch(/AGPL-3\.0.*source.*\n.*ultralytics.*\n.* 164 MB .* 510 MB/);

    const other = await readyMachine();
    const terse = recordingTerminal();
    await add(other.machine, other.environment, ["onnx"], { terminal: terse });
    expect(terse.lines.join("\n")).toMatch(/ 28\.0 MB /);
    expect(terse.lines.join("\n")).not.toContain("AGPL");
  });

  test("another lock of an extra is installed into another folder, since a running process may use the first", async () => {
    const { machine, environment } = await readyMachine();
    await add(machine, environment, ["onnx"]);
    writeFileSync(
      join(machine.lockDir, "extra-onnx.txt"),
      "onnxruntime==1.33.0 \\\n    --hash=sha256:abcd\n",
    );
    await add(machine, environment, ["onnx"]);
    await add(machine, environment, ["onnx"]);
    const [first, second, ...more] = installs(machine);
    expect(more).toEqual([]);
    expect(second).not.toBe(first);
    expect(packageFolders(environment)).toHaveLength(2);
  });

  test("packages of the environment that an extra's lock contains too do not change the extra", async () => {
    const { machine, environment } = await readyMachine();
    await add(machine, environment, ["onnx"]);
    writeFileSync(
      join(machine.lockDir, "extra-onnx.txt"),
      "onnxruntime==1.32.0 \\\n    --hash=sha256:ffff\n",
    );
    await add(machine, environment, ["onnx"]);
    expect(installs(machine)).toHaveLength(1);
  });

  test("what an interrupted installation left is removed, and the next one succeeds", async () => {
    const { machine, environment } = await readyMachine();
    const stop = new AbortController();
    machine.onSync('echo half > "$6/half"; echo $$ > "$MACHINE/pid"; sleep 600');
    const first = add(machine, environment, ["yolo"], { signal: stop.signal });
    const settled = expect(first).rejects.toMatchObject({ code: "interrupted" });
    await until(() => existsSync(join(machine.folder, "pid")));
    stop.abort();
    await settled;
    const [left = ""] = packageFolders(environment);
    expect(readdirSync(join(folderOf(environment), left))).toEqual(["half"]);

    machine.onSync('echo whole > "$6/whole"');
    await add(machine, environment, ["yolo"]);
    expect(readdirSync(join(folderOf(environment), left))).toEqual(["whole"]);
  });

  test("of two processes at once, one installs; the other reports that it waits", async () => {
    const { machine, environment } = await readyMachine();
    const terminals = twoTerminals(machine);
    await Promise.all(terminals.map((terminal) => add(machine, environment, ["yolo"], { terminal })));
    expect(installs(machine)).toHaveLength(1);
    expect(terminals.map(numWaits).sort()).toEqual([0, 1]);
  });

  test.each([
    ["error: dns error", "no_network", "HTTPS_PROXY"],
    ["error: No space left on device (os error 28)", "no_space", "CLIPRPN_CACHE"],
    ["error: Hash mismatch for `ultralytics==8.4.190`", "environment_broken", "UV_FIND_LINKS"],
  ])("%s is reported, and nothing counts as installed", async (output, code, advice) => {
    const { machine, environment } = await readyMachine();
    machine.onSync(`echo '${output}' >&2; exit 2`);
    await expect(add(machine, environment, ["yolo"])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(advice),
    });
    machine.onSync("");
    await add(machine, environment, ["yolo"]);
    expect(installs(machine)).toHaveLength(2);
  });

  test("without a network it fails before the download, after printing how to install ahead of time", async () => {
    const { machine, environment } = await readyMachine();
    machine.install(
      "uv",
      `${fakeUv.replace(/"pip sync --dry-run".*/, "*--dry-run) echo 'dns error'; exit 2 ;;")}`,
    );
    const terminal = recordingTerminal();
    await expect(add(machine, environment, ["onnx"], { terminal })).rejects.toMatchObject({
      code: "no_network",
    });
    expect(terminal.lines.join("\n")).toContain("cliprpn setup --extra onnx");
    expect(installs(machine)).toEqual([]);
  });

  test("an extra that cannot be imported is reported by name and installed again next time", async () => {
    const { machine, environment } = await readyMachine();
    const why = "ImportError: libstdc++.so.6: version `GLIBCXX_3.4.30' not found";
    writeInspection(machine.folder, { onnxruntime: { version: null, error: why } });
    await expect(add(machine, environment, ["onnx"])).rejects.toMatchObject({
      code: "environment_broken",
      message: expect.stringContaining(`onnxruntime: ${why}`),
    });
    writeInspection(machine.folder, {});
    await add(machine, environment, ["onnx"]);
    expect(installs(machine)).toHaveLength(2);
  });

  test("an environment that is built again has no extras", async () => {
    const { machine, environment } = await readyMachine();
    await add(machine, environment, ["onnx"]);
    rmSync(folderOf(environment), { recursive: true });
    const { env, lockDir } = machine;
    await ensureEnvironment({ name: "runtime", terminal: recordingTerminal(), env, lockDir });
    expect(packageFolders(environment)).toEqual([]);
    await add(machine, environment, ["onnx"]);
    expect(installs(machine)).toHaveLength(2);
  });
});

describe("the user's interpreter", () => {
  const absent = { version: null, error: "ModuleNotFoundError: No module named 'ultralytics'" };

  function userPython(machine: Machine): Environment {
    return { kind: "user", python: join(machine.folder, "bin/python3.11") };
  }

  test("without the extra: the command that installs it and its license are printed, and nothing is installed", async () => {
    const machine = fakeMachine();
    writeInspection(machine.folder, { ultralytics: absent });
    await expect(add(machine, userPython(machine), ["yolo"])).rejects.toMatchObject({
      code: "package_missing",
      message: expect.stringMatching(
        /a YOLO detector:\n +ultralytics: ModuleNotFound.*\n.*-m pip install --upgrade "ultralytics"\n.*AGPL-3\.0/,
      ),
    });
    expect(machine.calls()).toEqual([]);
  });

  test("without the libraries of a display: opencv-python is named as the cause", async () => {
    const machine = fakeMachine();
    const error = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory";
    writeInspection(machine.folder, { ultralytics: { version: null, error } });
    await expect(add(machine, userPython(machine), ["yolo"])).rejects.toMatchObject({
      message: expect.stringContaining("opencv-python-headless"),
    });
  });

  test("with the extra: the full check runs once per set of package versions", async () => {
    const machine = fakeMachine();
    const checks = (): number => statSync(join(machine.folder, "inspections")).size;
    await add(machine, userPython(machine), ["yolo"]);
    const once = checks();
    await add(machine, userPython(machine), ["yolo", "onnx"]);
    expect(checks()).toBe(once);
    writeInspection(machine.folder, { ultralytics: { version: "8.5.0", error: null } });
    await add(machine, userPython(machine), ["yolo"]);
    expect(checks()).toBeGreaterThan(once);
  });
});

describe("doctor", () => {
  const missing = (module: string): { version: null; error: string } => ({
    version: null,
    error: `ModuleNotFoundError: No module named '${module}'`,
  });

  test("shows which extras are installed; a missing one is no problem", async () => {
    const { machine } = await readyMachine();
    writeInspection(machine.folder, {
      ultralytics: missing("ultralytics"),
      onnxruntime: { version: "1.32.0", error: null },
    });
    const { ok, rows } = await diagnose({ env: machine.env, lockDir: machine.lockDir });
    expect(ok).toBe(true);
    expect(rows.filter(({ name }) => name.startsWith("extra"))).toEqual([
      { name: "extra onnx", state: "ok", found: "onnxruntime 1.32.0", how_to_fix: "" },
      { name: "extra ray", state: "ok", found: "ray 2.14.1", how_to_fix: "" },
      {
        name: "extra yolo",
        state: "ok",
        found: expect.stringMatching(/^not installed .*first use.*YOLO/),
        how_to_fix: "",
      },
    ]);
  });

  test("shows the command that installs an extra into the user's interpreter", async () => {
    const machine = fakeMachine();
    writeInspection(machine.folder, { onnxruntime: missing("onnxruntime") });
    const python = join(machine.folder, "bin/python3.11");
    const { ok, rows } = await diagnose({ env: machine.env, python });
    expect(ok).toBe(true);
    expect(rows.find(({ name }) => name === "extra onnx")?.found).toContain(
      `${python} -m pip install --upgrade "onnxruntime"`,
    );
  });

  test("an extra that is installed and cannot be imported is broken", async () => {
    const { machine, environment } = await readyMachine();
    writeInspection(machine.folder, { ultralytics: { version: null, error: "ImportError: no cv2" } });
    const { ok, rows } = await diagnose({ env: machine.env, lockDir: machine.lockDir });
    expect(ok).toBe(false);
    expect(rows.find(({ name }) => name === "extra yolo")).toMatchObject({
      state: "broken",
      found: "ultralytics: ImportError: no cv2",
      how_to_fix: `rm -r ${folderOf(environment)}/extra-*, then cliprpn setup --extra yolo`,
    });
  });
});

describe("the shipped locks", () => {
  const lock = (name: string): string => readFileSync(join(packageRoot, "env", `${name}.txt`), "utf8");
  const pins = (text: string): Map<string, string[]> => {
    const versions = new Map<string, string[]>();
    for (const [, name = "", version = ""] of text.matchAll(/^([a-z0-9.-]+)==([^\s;]+)/gm))
      versions.set(name, [...(versions.get(name) ?? []), version]);
    return versions;
  };
  const runtime = pins(lock("runtime"));

  test.each([
    "extra-onnx",
    "extra-ray",
    "extra-yolo",
  ])("%s has the runtime's versions of the packages that both contain", (name) => {
    const shared = [...pins(lock(name))].filter(([pack]) => runtime.has(pack));
    expect(shared.length).toBeGreaterThan(1);
    for (const [pack, versions] of shared)
      expect(runtime.get(pack), pack).toEqual(expect.arrayContaining(versions));
  });

  test("yolo adds no torch and no CUDA, and an OpenCV that needs no display", () => {
    const text = withoutPackagesOf(lock("runtime"), lock("extra-yolo"));
    expect(text).not.toMatch(/^(torch|torchvision|triton|cuda-.*|nvidia-(?!ml-py).*|numpy)==/m);
    for (const pack of ["ultralytics", "onnxruntime", "opencv-python-headless", "nvidia-ml-py"])
      expect(text).toMatch(new RegExp(`^${pack}==.*\\n +--hash=sha256:`, "m"));
    expect(text.match(/^opencv-python==.*/gm)).toEqual([expect.stringContaining("sys_platform == 'never'")]);
  });

  test("yolo contains all of onnx", () => {
    const [onnx, yolo] = ["extra-onnx", "extra-yolo"].map((name) =>
      pins(withoutPackagesOf(lock("runtime"), lock(name))),
    );
    expect([...(onnx ?? [])]).toEqual([...(yolo ?? [])].filter(([pack]) => onnx?.has(pack)));
    expect(onnx?.has("onnxruntime")).toBe(true);
  });

  test("ray adds its core alone, with yolo's versions of the packages that both add", () => {
    const [ray, yolo] = ["extra-ray", "extra-yolo"].map((name) =>
      pins(withoutPackagesOf(lock("runtime"), lock(name))),
    );
    expect(ray?.has("ray")).toBe(true);
    expect(ray?.size).toBe(11);
    const shared = [...(ray ?? [])].filter(([pack]) => yolo?.has(pack));
    expect(shared.length).toBeGreaterThan(1);
    for (const [pack, versions] of shared) expect(versions, pack).toEqual(yolo?.get(pack));
  });
});

function folderOf({ python }: Environment): string {
  return dirname(dirname(python));
}

/** The folders with the packages of extras. */
function packageFolders(environment: Environment): string[] {
  return readdirSync(folderOf(environment)).filter((name) => /^extra-[a-z]+-[0-9a-f]{16}$/.test(name));
}
