import { CliprpnError } from "../contract/errors.ts";
import type { ErrorCode } from "../contract/generated/types.ts";

/** The error of a tool that failed: what its output means, and the last lines of the output. */
export function toolError(tool: string, output: string): CliprpnError {
  const tail = indented(output.trim().split("\n").slice(-6));
  const failure = knownFailures.find(({ pattern }) => pattern.test(output));
  return failure === undefined
    ? new CliprpnError(
        "environment_broken",
        `\`${tool}\` failed; \`cliprpn doctor\` shows what is missing\n${tail}`,
      )
    : new CliprpnError(failure.code, `${failure.advice}\n${tail}`);
}

/** Lines of details below an error message. */
export function indented(lines: string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

/** Patterns in the error output of uv, pip and Python, and their explanations; the first match counts. */
const knownFailures: { pattern: RegExp; code: ErrorCode; advice: string }[] = [
  {
    pattern: /no space left|ENOSPC|disk quota/i,
    code: "no_space",
    advice:
      "the disk is full: free some space, or set CLIPRPN_CACHE (and UV_CACHE_DIR) to a folder on another disk",
  },
  {
    pattern: /ensurepip is not available|No module named '?(venv|ensurepip)|python3[\d.]*-venv/i,
    code: "environment_broken",
    advice:
      "this Python has no venv module: on Debian and Ubuntu, apt install python3-venv; elsewhere, install uv (https://docs.astral.sh/uv)",
  },
  {
    pattern:
      /no wheels with a matching platform|no wheel for the current platform|is not a supported wheel on this platform/i,
    code: "unsupported_platform",
    advice:
      "torch is available for Linux x86-64 and arm64 (glibc 2.28 or newer) and for macOS 14 or newer on Apple silicon; on other platforms use an interpreter that has torch: --python PATH",
  },
  {
    pattern: /no wheels with a matching Python/i,
    code: "python_unsuitable",
    advice: "torch has no build for this Python: put another version (3.10 to 3.14) on the PATH",
  },
  {
    pattern: /hash mismatch|hash-checking is enabled/i,
    code: "environment_broken",
    advice:
      "a package does not match the hash in the lock file: one of your package indexes or folders (UV_INDEX, UV_FIND_LINKS, uv.toml) provides another build of it; re-run without that setting",
  },
  {
    pattern: /certificate|UnknownIssuer/i,
    code: "no_network",
    advice:
      "the package index's certificate is not trusted: set SSL_CERT_FILE to your network's certificates and re-run the same command",
  },
  {
    pattern:
      /dns error|error sending request|failed to fetch|failed to download|connection (refused|reset|timed out)|operation timed out|temporary failure in name|network (is unreachable|was disabled)|failed to establish a new connection|no matching distribution|could not find a version|tcp connect error/i,
    code: "no_network",
    advice:
      "the packages could not be downloaded: check the network or the proxy (HTTPS_PROXY) and re-run the same command, or use your own interpreter: --python PATH",
  },
  {
    pattern: /permission denied|read-only file system/i,
    code: "environment_broken",
    advice:
      "a cache folder is not writable: set CLIPRPN_CACHE (and UV_CACHE_DIR) to a folder that you can write to",
  },
  {
    pattern: /invalid value .* for '--torch-backend/i,
    code: "bad_input",
    advice: "uv does not know this torch backend",
  },
];
