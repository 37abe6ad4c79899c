/** Everyone may write to the directory for temporary files: nothing there is trusted. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

/** Runs code with TMPDIR in a new process. @returns its output. */
function run(code: string, TMPDIR: string): { out: string; err: string; code: number | null } {
  const args = ["--import", "tsx", "--input-type=module", "--eval", code];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: packageRoot,
    encoding: "utf8",
    env: { ...process.env, TMPDIR, FONTCONFIG_FILE: undefined, TSX_DISABLE_CACHE: "1" },
  });
  return { out: stdout, err: stderr, code: status };
}

/** Draws a letter; without the font it is an empty box, whose middle is white. */
const drawsText = `
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { loadSharp } from "./src/base/sharp.ts";
const sharp = await loadSharp();
const folder = dirname(process.env.FONTCONFIG_FILE);
const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="30"><rect width="30" height="30" fill="white"/>' +
  '<text x="5" y="25" font-size="24" font-family="DejaVu Sans">I</text></svg>';
const { data } = await sharp(Buffer.from(svg)).greyscale().raw().toBuffer({ resolveWithObject: true });
const { mode, uid } = statSync(folder);
console.log(JSON.stringify({ folder, mode: mode & 0o777, uid, dark: data.filter((value) => value < 128).length }));
`;

test("fonts are configured in a new folder that only this user can read, and that is removed", () => {
  const temporary = tempFolder();
  const outside = tempFolder();
  // Another user's folder and links under names that can be predicted.
  const victim = join(outside, "victim");
  writeFileSync(victim, "precious");
  const planted = join(outside, "planted");
  mkdirSync(planted);
  symlinkSync(victim, join(planted, "fonts.conf"));
  symlinkSync(planted, join(temporary, `cliprpn-fonts-${userInfo().uid}`));
  const before = readdirSync(temporary);

  const { out, err, code } = run(drawsText, temporary);
  expect(code, err).toBe(0);
  const { folder, mode, uid, dark } = JSON.parse(out);
  expect(folder.startsWith(join(temporary, "cliprpn-"))).toBe(true);
  expect(before.some((name) => folder === join(temporary, name))).toBe(false);
  expect([mode, uid]).toEqual([0o700, userInfo().uid]);
  expect(dark).toBeGreaterThan(10);
  expect(readFileSync(victim, "utf8")).toBe("precious");
  expect(readdirSync(temporary)).toEqual(before);
});

test("images without text need no font configuration", () => {
  const code = `
import { loadSharpWithoutFonts } from "./src/base/sharp.ts";
await loadSharpWithoutFonts();
console.log(process.env.FONTCONFIG_FILE ?? "none");
`;
  const temporary = tempFolder();
  expect(run(code, temporary).out).toBe("none\n");
  expect(readdirSync(temporary)).toEqual([]);
});

test("a temporary directory that cannot be written is an error that names it and TMPDIR", () => {
  const missing = join(tempFolder(), "missing");
  const code = `
import { makeTempFolder } from "./src/base/temp-folder.ts";
try {
  makeTempFolder();
} catch ({ code, message }) {
  console.log(code, message);
}
`;
  const { out } = run(code, missing);
  expect(out).toContain(`environment_broken ${missing}: `);
  expect(out).toMatch(/found ENOENT; set TMPDIR/);
});
