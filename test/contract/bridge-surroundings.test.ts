/** What the machine's variables and folders may not change about a worker. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Transport, type TransportOptions } from "../../src/worker/transport.ts";
import { faultsFolder, testPython } from "../helpers/python.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** Starts a worker, has it answer a call, and ends it. */
async function echo(changes: Partial<TransportOptions>): Promise<unknown> {
  const transport = await Transport.start({
    python: testPython(),
    logFile: join(tempFolder(), "worker.log"),
    module: "bridge_faults",
    extraModulePath: [faultsFolder],
    ...changes,
  });
  try {
    return JSON.parse(await transport.call("echo", JSON.stringify({ text: "İ ☃" })));
  } finally {
    await transport.kill();
  }
}

const answer = { status: "ok", value: { text: "İ ☃" } };

test("no variable that changes Python's start, modules, encoding or warnings reaches a worker", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "json.py"), "raise SystemExit(3)");
  const env = {
    PYTHONHOME: "/nowhere",
    PYTHONPATH: folder,
    PYTHONEXECUTABLE: "/nowhere/python",
    PYTHONPLATLIBDIR: "nowhere",
    PYTHONSAFEPATH: "1",
    PYTHONSTARTUP: "/nowhere/startup.py",
    PYTHONINSPECT: "1",
    PYTHONOPTIMIZE: "2",
    PYTHONWARNINGS: "error",
    PYTHONHASHSEED: "none",
    PYTHONIOENCODING: "ascii:strict",
    PYTHONUTF8: "0",
    PYTHONMALLOC: "none",
    PYTHONBREAKPOINT: "nowhere.function",
    PYTHONVERBOSE: "1",
    DEBUG: "1",
    LC_ALL: "tr_TR.ISO-8859-9",
    LANG: "",
    TZ: "Nowhere/Nothing",
  };
  expect(await echo({ env })).toEqual(answer);
});

test("the modules of a worker may lie in a folder with a colon, spaces and letters of any alphabet", async () => {
  const folder = join(tempFolder(), "a:b c;ü 雪");
  mkdirSync(folder);
  cpSync(faultsFolder, folder, { recursive: true });
  expect(await echo({ extraModulePath: [folder] })).toEqual(answer);
});

test("PYTHONPATH reaches an interpreter of the user", async () => {
  expect(
    await echo({ extraModulePath: [], keepPythonPath: true, env: { PYTHONPATH: faultsFolder } }),
  ).toEqual(answer);
});
