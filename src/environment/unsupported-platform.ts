import { CliprpnError } from "../contract/errors.ts";

/**
 * Windows itself has no process groups and no signals like those that workers are ended with.
 *
 * @throws CliprpnError unsupported_platform.
 */
export function checkPlatform(platform: NodeJS.Platform): void {
  if (platform !== "win32") return;
  throw new CliprpnError(
    "unsupported_platform",
    "cliprpn does not run on Windows itself; it does in WSL2 (`wsl --install`), where this very command works",
  );
}
