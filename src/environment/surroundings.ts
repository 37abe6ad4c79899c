import type { Terminal } from "../terminal/terminal.ts";
import type { ToolRun } from "./run-tool.ts";

/** Where something is set up from. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  terminal: Terminal;
  signal?: AbortSignal | undefined;
}

/** How set-up tools run: in the cache, so that a uv.toml or pyproject.toml where the person happens to be has no say. */
export function toolRun(env: NodeJS.ProcessEnv, cache: string): ToolRun {
  return { env: toolEnv(env), cwd: cache };
}

/** The person's settings for uv and pip count, but for those that would contradict the lock. */
function toolEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { UV_TORCH_BACKEND, UV_REQUIRE_HASHES, UV_SYSTEM_PYTHON, VIRTUAL_ENV, PYTHONHOME, ...rest } = env;
  return { ...rest, UV_PYTHON_DOWNLOADS: "never" };
}

/** What is said when another process has the lock. */
export function sayWaiting(terminal: Terminal): () => void {
  return () =>
    terminal.info(
      "Another cliprpn is setting up Python packages (or was, until a moment ago); waiting for it.",
    );
}
