import { createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { makeFullShape, type Shape } from "../bench/full-shape.ts";

/** COCO's train2014.zip has 82,783 images, more than a zip archive without zip64 can have. */
export const numCocoImages = 82_783;

/**
 * Writes the two archives that RefCOCOg is downloaded as, with made images: refcocog.zip, and train2014.zip with images
 * that no expression refers to as well.
 */
export async function makeArchives(folder: string, shape: Shape[], numImages: number): Promise<void> {
  const loose = join(folder, "loose");
  await mkdir(loose, { recursive: true });
  await makeFullShape(loose, shape);
  await zip(join(folder, "refcocog.zip"), async (archive) => {
    for (const name of ["instances.json", "refs(umd).p"])
      archive.addFile(join(loose, "annotations", name), `refcocog/${name}`);
  });
  await zip(join(folder, "train2014.zip"), async (archive) => {
    const images = join(loose, "images");
    const names = await readdir(images);
    archive.addEmptyDirectory("train2014");
    for (const name of names) archive.addFile(join(images, name), `train2014/${name}`, { compress: false });
    const other = await readFile(join(images, names[0] ?? ""));
    for (let index = 0; index < numImages - names.length; index += 1) {
      const name = `COCO_train2014_${String(400_000 + index).padStart(12, "0")}.jpg`;
      archive.addBuffer(other, `train2014/${name}`, { compress: false });
    }
  });
  await rm(loose, { recursive: true });
}

/** The bytes of the files below a folder. */
export async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries)
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}

async function zip(file: string, fill: (archive: ZipFile) => Promise<void>): Promise<void> {
  const archive = new ZipFile();
  const written = pipeline(archive.outputStream, createWriteStream(file));
  await fill(archive);
  archive.end();
  await written;
}
