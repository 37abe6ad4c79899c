import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { checkCanOpen, openPage } from "../../src/commands/open-report.ts";
import { CliprpnError, EXIT } from "../../src/contract/errors.ts";
import { cliprpn } from "../helpers/cli.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

afterEach(() => vi.unstubAllEnvs());

/** Openers of this test end at once; the limit only ends one that hangs. */
const longMs = 100_000;

test("without a desktop, --open fails before any work and says what to do", async () => {
  const folder = tempFolder();
  const env = { DISPLAY: "", WAYLAND_DISPLAY: "", WSL_DISTRO_NAME: "" };
  for (const argv of [
    ["report", "--open"],
    ["sweep", "a.json", "--open"],
    ["retry", "a", "--failed", "--open"],
  ]) {
    const { code, err } = await cliprpn(argv, folder, env);
    expect(code).toBe(EXIT.environment);
    for (const part of ["--open", "DISPLAY", "REPORT.html"]) expect(err).toContain(part);
  }
});

test("a desktop is X11, Wayland, WSL, or a system that always has one", () => {
  for (const name of ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"])
    checkCanOpen({ [name]: ":0" }, "linux");
  checkCanOpen({}, "darwin");
  expect(() => checkCanOpen({ DISPLAY: "" }, "linux")).toThrow("--open");
});

test.runIf(process.platform === "linux")("the page opens in the user's browser", async () => {
  const folder = tempFolder();
  const opened = join(folder, "opened");
  openerThat(folder, `printf %s "$1" > '${opened}'`);
  const page = join(folder, "REPORT.html");
  writeFileSync(page, "");
  await openPage(page, longMs);
  expect(readFileSync(opened, "utf8")).toContain("REPORT.html");
});

test.runIf(process.platform === "linux")(
  "without a program that opens it, the error names the page",
  async () => {
    const folder = tempFolder();
    openerThat(folder, "exit 1");
    const page = join(folder, "REPORT.html");
    writeFileSync(page, "");
    const error = await openPage(page, longMs).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CliprpnError);
    expect(error).toMatchObject({ code: "environment_broken", message: expect.stringContaining(page) });
  },
);

/** Makes a script the program that opens files, on a desktop of KDE. */
function openerThat(folder: string, script: string): void {
  const file = join(folder, "kde-open5");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  const desktop = { DISPLAY: ":0", XDG_CURRENT_DESKTOP: "KDE", KDE_SESSION_VERSION: "5" };
  for (const [name, value] of Object.entries(desktop)) vi.stubEnv(name, value);
  vi.stubEnv("PATH", [folder, process.env.PATH].join(delimiter));
}
