import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import type { default as Sharp } from "sharp";

/**
 * Imports sharp with a font for text in SVGs: without one it silently draws boxes. The font configuration is
 * read once, on import.
 */
export function loadSharp(): Promise<typeof Sharp> {
  loaded ??= importSharp();
  return loaded;
}

let loaded: Promise<typeof Sharp> | undefined;

async function importSharp(): Promise<typeof Sharp> {
  process.env.FONTCONFIG_FILE ??= writeFontConfig();
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1); // Fastest in measurements with about four images at once.
  return sharp;
}

function writeFontConfig(): string {
  const fonts = join(dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json")), "ttf");
  const folder = join(tmpdir(), `cliprpn-fonts-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "fonts.conf");
  const config = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${fonts}</dir><cachedir>${folder}</cachedir></fontconfig>\n`;
  writeFileSync(file, config);
  return file;
}
