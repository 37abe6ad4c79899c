import { CliprpnError } from "../contract/errors.ts";
import type { ErrorCode } from "../contract/generated/types.ts";

/** What uv, pip and Python say when they fail, and what it means; the first that matches counts. */
const meanings: { says: RegExp; code: ErrorCode; means: string }[] = [
  {
    says: /no space left|ENOSPC|disk quota/i,
    code: "no_space",
    means: "the disk is full: make room, or set CLIPRPN_CACHE (and UV_CACHE_DIR) to a folder on another disk",
  },
  {
    says: /ensurepip is not available|No module named '?(venv|ensurepip)|python3[\d.]*-venv/i,
    code: "environment_broken",
    means:
      "this Python has no venv module; on Debian and Ubuntu: apt install python3-venv, elsewhere install uv (https://docs.astral.sh/uv)",
  },
  {
    says: /no wheels with a matching platform|no wheel for the current platform|is not a supported wheel on this platform/i,
    code: "unsupported_platform",
    means:
      "torch comes for Linux x86-64 and arm64 (glibc 2.28 or newer) and for macOS 14 or newer on Apple silicon; elsewhere bring an interpreter that has it: --python PATH",
  },
  {
    says: /no wheels with a matching Python/i,
    code: "python_unsuitable",
    means: "torch has no build for this Python: put another one (3.10 to 3.14) on the PATH",
  },
  {
    says: /hash mismatch|hash-checking is enabled/i,
    code: "environment_broken",
    means:
      "a package is not the one that the lock names: an index or folder of yours (UV_INDEX, UV_FIND_LINKS, uv.toml) offers another build of it; try without",
  },
  {
    says: /certificate|UnknownIssuer/i,
    code: "no_network",
    means:
      "the package index's certificate is not trusted: set SSL_CERT_FILE to your network's certificates and run the command again",
  },
  {
    says: /dns error|error sending request|failed to fetch|failed to download|connection (refused|reset|timed out)|operation timed out|temporary failure in name|network (is unreachable|was disabled)|failed to establish a new connection|no matching distribution|could not find a version|tcp connect error/i,
    code: "no_network",
    means:
      "the packages could not be fetched: check the network or the proxy (HTTPS_PROXY) and run the command again; or bring your own interpreter: --python PATH",
  },
  {
    says: /permission denied|read-only file system/i,
    code: "environment_broken",
    means: "a cache cannot be written: set CLIPRPN_CACHE (and UV_CACHE_DIR) to a folder of yours",
  },
  {
    says: /invalid value .* for '--torch-backend/i,
    code: "bad_input",
    means: "uv does not know this torch backend",
  },
];

/** A tool's failure in our words, with its last own ones below. */
export function toolError(tool: string, output: string): CliprpnError {
  const tail = output
    .trim()
    .split("\n")
    .slice(-6)
    .map((line) => `  ${line}`)
    .join("\n");
  const meaning = meanings.find(({ says }) => says.test(output));
  return meaning === undefined
    ? new CliprpnError("environment_broken", `\`${tool}\` failed; \`cliprpn doctor\` may tell more\n${tail}`)
    : new CliprpnError(meaning.code, `${meaning.means}\n${tail}`);
}
