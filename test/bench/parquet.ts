/** What reading a Parquet file with images inside costs. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { runPython } from "./python.ts";
import type { Row } from "./rows.ts";

interface ParquetFigures {
  num_images: number;
  seconds: number;
  file_mb: number;
  /** Peak memory above that of the process before it reads. */
  memory_mb: number;
}

const MAX_MEMORY_MB = 300;

export async function parquetRows(folder: string, python: string): Promise<Row[]> {
  const [few, many] = [
    await measure(join(folder, "parquet-few"), 1000),
    await measure(join(folder, "parquet"), 10_000),
  ];
  return [
    {
      what: `reading Parquet with 10,000 images inside (${Math.round(many.file_mb)} MB) and writing them as files: peak memory, in ${many.seconds.toFixed(0)} s; baseline: 1,000 images`,
      ours: `${many.memory_mb.toFixed(0)} MB`,
      baseline: `${few.memory_mb.toFixed(0)} MB`,
      result: `${many.memory_mb.toFixed(0)} MB`,
      target: `<= ${MAX_MEMORY_MB} MB`,
      met: many.memory_mb <= MAX_MEMORY_MB,
    },
  ];

  async function measure(path: string, num_images: number): Promise<ParquetFigures> {
    const figures = await runPython<ParquetFigures>(python, "parquet", [path, `${num_images}`]);
    rmSync(path, { recursive: true });
    return figures;
  }
}
