import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";

/** A copy of the built package, with its dependencies as a link, in a new folder. */
export function copyPackage(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "bin", "dist", "env", "python", "experiments", "src/contract"])
    cpSync(join(packageRoot, name), join(folder, name), { recursive: true });
  symlinkSync(join(packageRoot, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Variables that select a locale which is made for this test. @throws if the machine has no localedef or no such source. */
export function madeLocale(folder: string, language: string, charset: string): NodeJS.ProcessEnv {
  const name = `${language}.${charset}`;
  execFileSync("localedef", ["-i", language, "-f", charset, join(folder, name)], { stdio: "ignore" });
  return { LOCPATH: folder, LC_ALL: name, LANG: name };
}

/** Rows of a dataset with letters, numbers and signs that locales treat differently. */
export function writeRows(folder: string): string {
  const rows = ["the İstanbul iĞdır ISPARTA one", "die große Straße, 1,5 m", "雪 ☃", "left I"].map(
    (sentence, index) => ({
      image: `ü ${index % 2} İ.jpg`,
      sentence,
      box: [1.5 + index, 2.25, 30.125, 40],
      width: 640,
      height: 480,
      split: index < 3 ? "train" : "val",
    }),
  );
  const file = join(folder, "rows.jsonl");
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return file;
}
