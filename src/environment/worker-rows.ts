import { lastLines } from "../base/output-tail.ts";
import { blamedVariables } from "./blamed-variables.ts";
import { broken, type DoctorRow, ok } from "./doctor-row.ts";
import { extras, type WorkerExtra } from "./extras.ts";
import type { PythonRun } from "./inspect-python.ts";

/** Starts a worker, as every command that runs trials does. Passed in, as this module may not import the engine. */
export type StartWorker = (python: string, run: PythonRun) => Promise<StartedWorker>;

export interface StartedWorker {
  /** The device, as Python resolved it. */
  device: string;
  /** Computes something small with the packages of an extra. @throws CliprpnError. */
  checkExtra(name: WorkerExtra): Promise<void>;
  /** Ends the worker. */
  close(): Promise<void>;
}

/** Rows about a real worker with the interpreter, and about each installed extra within it. */
export async function workerRows(
  python: string,
  run: PythonRun,
  installed: readonly WorkerExtra[],
  startWorker: StartWorker,
): Promise<DoctorRow[]> {
  const started_ms = performance.now();
  let worker: StartedWorker;
  try {
    worker = await startWorker(python, run);
  } catch (error) {
    return [broken("worker", describe(error), await howToFix(run.env, (env) => starts({ ...run, env })))];
  }
  try {
    const seconds = ((performance.now() - started_ms) / 1000).toFixed(1);
    const rows = [ok("worker", `started on ${worker.device} and answered in ${seconds} s`)];
    for (const name of installed) rows.push(await extraRow(worker, name));
    return rows;
  } finally {
    await worker.close();
  }

  async function starts(changed: PythonRun): Promise<boolean> {
    try {
      await (await startWorker(python, changed)).close();
      return true;
    } catch {
      return false;
    }
  }
}

async function extraRow(worker: StartedWorker, name: WorkerExtra): Promise<DoctorRow> {
  const row = `run ${name}`;
  try {
    await worker.checkExtra(name);
    return ok(row, `${Object.keys(extras[name].packages).join(", ")}: ran a small network`);
  } catch (error) {
    return broken(row, describe(error), "the packages can be imported: see the message");
  }
}

async function howToFix(
  env: NodeJS.ProcessEnv,
  works: (env: NodeJS.ProcessEnv) => Promise<boolean>,
): Promise<string> {
  const names = await blamedVariables(env, works);
  return names.length > 0 ? unsetAdvice(names) : "the packages can be imported: see the message";
}

/** The advice to unset variables. */
export function unsetAdvice(names: readonly string[]): string {
  return `unset ${names.join(" ")}: Python works without ${names.length === 1 ? "it" : "them"}`;
}

function describe(error: unknown): string {
  return lastLines(error instanceof Error ? error.message : String(error));
}
