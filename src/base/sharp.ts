import { writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import type { default as Sharp } from "sharp";
import { escapeXml } from "./escape-xml.ts";
import { makeTempFolder } from "./temp-folder.ts";

/**
 * Imports sharp with a font for text in SVGs: without one it silently draws boxes. The font configuration is
 * read once, on import.
 */
export function loadSharp(): Promise<typeof Sharp> {
  loaded ??= importSharp(true);
  return loaded;
}

/** Imports sharp for images without text, and writes no font configuration. */
export function loadSharpWithoutFonts(): Promise<typeof Sharp> {
  loaded ??= importSharp(false);
  return loaded;
}

/**
 * Writes an image; the extension is its format. Sharp itself reports a full disk by an error without a code.
 *
 * @param file .png, .jpg, .jpeg or .webp.
 */
export async function writeImage(image: ReturnType<typeof Sharp>, file: string): Promise<void> {
  const format = extname(file).toLowerCase();
  const encoded = format === ".webp" ? image.webp() : format === ".png" ? image.png() : image.jpeg();
  await writeFile(file, await encoded.toBuffer());
}

let loaded: Promise<typeof Sharp> | undefined;

async function importSharp(withFonts: boolean): Promise<typeof Sharp> {
  if (withFonts) process.env.FONTCONFIG_FILE ??= writeFontConfig();
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1); // Fastest in measurements with about four images at once.
  return sharp;
}

/** In a folder of this process: listing the few fonts again takes 4 ms, and nothing is shared with other users. */
function writeFontConfig(): string {
  const fonts = join(dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json")), "ttf");
  const folder = makeTempFolder();
  const file = join(folder, "fonts.conf");
  const config = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${escapeXml(fonts)}</dir><cachedir>${escapeXml(folder)}</cachedir></fontconfig>\n`;
  writeFileSync(file, config);
  return file;
}
