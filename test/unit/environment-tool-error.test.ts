import { expect, test } from "vitest";
import { toolError } from "../../src/environment/tool-error.ts";

// Real output of uv 0.13, pip 23 and Debian's Python.
test.each([
  [
    "a full disk",
    "error: Failed to download `numpy==2.4.6`\n  cause: failed to write to file `/x/.tmp/numpy/core.so`: No space left on device (os error 28)",
    "no_space",
    "CLIPRPN_CACHE",
  ],
  [
    "no DNS server",
    "error: Failed to fetch: https://pypi.org/simple/torch/\n  cause: dns error\n  cause: failed to lookup address information: Name or service not known",
    "no_network",
    "HTTPS_PROXY",
  ],
  [
    "a refused connection",
    "error: Failed to fetch: https://pypi.org/simple/absl-py/\n  cause: tcp connect error\n  cause: Connection refused (os error 111)",
    "no_network",
    "HTTPS_PROXY",
  ],
  [
    "uv in offline mode",
    "error: No solution found when resolving dependencies\n\nhint: Packages were unavailable because the network was disabled.",
    "no_network",
    "HTTPS_PROXY",
  ],
  [
    "pip without a network",
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError': Failed to establish a new connection: [Errno -2]\nERROR: No matching distribution found for uv",
    "no_network",
    "HTTPS_PROXY",
  ],
  [
    "a certificate that is not trusted",
    "error: Failed to fetch: https://pypi.org/simple/torch/\n  cause: invalid peer certificate: UnknownIssuer",
    "no_network",
    "SSL_CERT_FILE",
  ],
  [
    "Debian without python3-venv",
    "The virtual environment was not created successfully because ensurepip is not available.  On Debian/Ubuntu\nsystems, you need to install the python3-venv\npackage using the following command.\n\n    apt install python3.11-venv",
    "environment_broken",
    "apt install python3-venv",
  ],
  [
    "a platform without torch",
    "error: No solution found when resolving dependencies\n  cause: Because torch==2.14.1 has no wheels with a matching platform tag (e.g., `macosx_13_0_x86_64`)",
    "unsupported_platform",
    "--python PATH",
  ],
  [
    "a Python without torch",
    "  cause: Because torch==2.14.1 has no wheels with a matching Python ABI tag (e.g., `cp315`)",
    "python_unsuitable",
    "3.10 to 3.14",
  ],
  [
    "another build of a package than the lock's",
    "error: Failed to download `torch==2.14.1+cpu`\n  cause: Hash mismatch for `torch==2.14.1+cpu`",
    "environment_broken",
    "UV_FIND_LINKS",
  ],
  [
    "a build of a package without a hash in the lock",
    "error: Failed to download `torch==2.14.1+cpu`\n  cause: Hash-checking is enabled, but no hashes were provided or computed for: torch==2.14.1+cpu",
    "environment_broken",
    "UV_FIND_LINKS",
  ],
  [
    "a backend that uv does not know",
    "error: invalid value 'nope' for '--torch-backend <TORCH_BACKEND>'\n  [possible values: auto, cpu, cu130]",
    "bad_input",
    "torch backend",
  ],
  [
    "a cache that belongs to another user",
    "error: Permission denied (os error 13)",
    "environment_broken",
    "UV_CACHE_DIR",
  ],
  ["an unknown error", "error: something new", "environment_broken", "cliprpn doctor"],
])("%s is explained, with the tool's last line", (_what, output, code, advice) => {
  const error = toolError("uv pip sync", output);
  expect(error.code).toBe(code);
  expect(error.message.split("\n")[0]).toContain(advice);
  expect(error.message).toContain(output.split("\n").at(-1));
});
