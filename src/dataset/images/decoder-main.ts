/** A decoder process: takes images one after the other, so that one that kills it is known. Ends with its owner. */
import { closeSync, openSync, writeSync } from "node:fs";
import { loadSharp } from "../../base/sharp.ts";
import { decode } from "./decode.ts";
import type { DecodeJob, FromDecoder } from "./decoder-protocol.ts";
import { readImage } from "./read-image.ts";

process.on("disconnect", end);
if (!process.connected) end();
// What a terminal sends to every process of a job at once is the owner's to answer.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

const sharp = await loadSharp();
sharp.cache(false); // Every image is seen once.
// No reader of other formats is let at a file.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"].map((format) => `VipsForeignLoad${format}`),
});
let last: Promise<void> = Promise.resolve();
process.on("message", (job: DecodeJob) => {
  const { images_dir, wanted, options } = job;
  const file = readImage(images_dir, wanted.file_name, options); // Read while another is decoded.
  last = last.then(async () => {
    const { picture, rgb } = await decode(await file, wanted, options);
    const fault = rgb === null ? undefined : write(rgb, job);
    reply(fault ?? { type: "done", picture });
  });
});
reply({ type: "ready" });

function write(rgb: Buffer, { file, offset }: DecodeJob): FromDecoder | undefined {
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

function reply(message: FromDecoder): void {
  if (process.connected) process.send?.(message);
}

function end(): void {
  process.kill(process.pid, "SIGKILL");
}
