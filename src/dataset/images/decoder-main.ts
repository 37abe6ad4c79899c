/**
 * Entry of a decoder process: decodes images in order, so that the one that crashes it is known. Exits when
 * the parent process dies.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { loadSharpWithoutFonts } from "../../base/sharp.ts";
import { decode } from "./decode.ts";
import type { DecodeJob, DecoderMessage } from "./decoder-pool.ts";
import { readImage } from "./read-image.ts";

process.on("disconnect", exit);
if (!process.connected) exit();
// A terminal sends Ctrl-C to the whole process group; the parent decides what to do.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

const sharp = await loadSharpWithoutFonts();
sharp.cache(false); // Every image is read once.
// Only the loaders of permitted formats may see a file.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"].map((format) => `VipsForeignLoad${format}`),
});
let last: Promise<void> = Promise.resolve();
process.on("message", (job: DecodeJob) => {
  const { images_dir, wanted, options } = job;
  const file = readImage(images_dir, wanted.file_name, options); // Read while the previous one is decoded.
  last = last.then(async () => {
    const { image, rgb } = await decode(await file, wanted, options);
    const failure = rgb === null ? undefined : writeRow(rgb, job);
    send(failure ?? { type: "done", image });
  });
});
send({ type: "ready" });

function writeRow(rgb: Buffer, { file, offset }: DecodeJob): DecoderMessage | undefined {
  try {
    const descriptor = openSync(file, "r+");
    try {
      for (let at = 0; at < rgb.length; ) at += writeSync(descriptor, rgb, at, rgb.length - at, offset + at);
    } finally {
      closeSync(descriptor);
    }
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return { type: "not_written", code, message: String(error) };
  }
}

function send(message: DecoderMessage): void {
  if (process.connected) process.send?.(message);
}

function exit(): void {
  process.kill(process.pid, "SIGKILL");
}
