import { homeFolder } from "./home-folder.ts";

/**
 * The environment to start a Python in, so that it finds its own files and behaves the same on every machine: without the
 * variables that change Python's home, module path, encoding or warnings, and without those that other programs leave for
 * the libraries (a notebook's plot backend, the ranks of a distributed job).
 *
 * @param keepPath keeps PYTHONPATH, for an interpreter of the user: cluster modules put packages there.
 */
export function pythonEnv(env: NodeJS.ProcessEnv, { keepPath = false } = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !changesPython(name) || harmless.has(name) || (keepPath && name === "PYTHONPATH"),
  );
  const home = homeFolder(env);
  return {
    ...Object.fromEntries(kept),
    ...(home === undefined ? {} : { HOME: home }),
    // The machine's locale decides how Python reads file names and files otherwise.
    PYTHONUTF8: "1",
  };
}

/** The environment without the variables that change Python, for a program that sets those that it needs. */
export function withoutPython(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("PYTHON") || harmless.has(name));
  return Object.fromEntries(kept);
}

function changesPython(name: string): boolean {
  return name.startsWith("PYTHON") || leftovers.has(name);
}

/** They change where Python writes and finds the user's packages, and break nothing. */
const harmless = new Set([
  "PYTHONDONTWRITEBYTECODE",
  "PYTHONPYCACHEPREFIX",
  "PYTHONNOUSERSITE",
  "PYTHONUSERBASE",
]);

/** Set by macOS's framework builds, Jupyter, torchrun, and activated environments; `DEBUG` makes pythonia print every message. */
const leftovers = new Set([
  "__PYVENV_LAUNCHER__",
  "MPLBACKEND",
  "RANK",
  "LOCAL_RANK",
  "WORLD_SIZE",
  "VIRTUAL_ENV",
  "CONDA_PREFIX",
  "DEBUG",
]);
