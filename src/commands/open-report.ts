import { setTimeout } from "node:timers/promises";
import { CliprpnError } from "../contract/errors.ts";

/**
 * Checks that this machine can open a page, before hours of work end in a page that nobody sees.
 *
 * @throws CliprpnError environment_broken without a graphical desktop.
 */
export function checkCanOpen(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): void {
  if (platform !== "linux" || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].some((name) => env[name]))
    return;
  throw new CliprpnError(
    "environment_broken",
    "--open: expected a graphical desktop (DISPLAY or WAYLAND_DISPLAY), found none; leave out --open, copy REPORT.html to a machine with a browser, and open it there",
  );
}

/**
 * Opens a page in the user's browser.
 *
 * @param file its absolute path.
 * @param waitMs how long the opener may take to fail: one that still runs then may be the browser itself.
 * @throws CliprpnError environment_broken if no program opens it.
 */
export async function openPage(file: string, waitMs = 2000): Promise<void> {
  const { default: open } = await import("open");
  const failed = (found: string, cause?: unknown): CliprpnError =>
    new CliprpnError(
      "environment_broken",
      `${file}: expected a program that opens HTML files, found ${found}; the report is complete: open the file in a browser`,
      { cause },
    );
  const opener = await open(file).catch((error: unknown) => {
    throw failed("none", error);
  });
  const ended = new Promise<number>((resolve) => opener.once("close", (code) => resolve(code ?? 0)));
  const waiting = new AbortController();
  const still = setTimeout(waitMs, 0, { signal: waiting.signal }).catch(() => 0);
  const code = opener.exitCode ?? (await Promise.race([ended, still]));
  waiting.abort();
  if (code !== 0) throw failed(`none that works (the opener ended with code ${code})`);
}
