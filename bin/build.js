import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
// yargs goes in: as forty files it takes 70 ms to load, half of what `--help` may take. string-width readies Unicode's
// tables, another 30 ms.
const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const external = Object.keys(dependencies).filter((name) => name !== "yargs");
rmSync(join(root, "dist"), { recursive: true, force: true });
const browsers = ["chrome111", "firefox115", "safari16.4"];
await build({
  absWorkingDir: root,
  entryPoints: {
    cli: "src/cli.ts",
    "worker-main": "src/worker/worker-main.ts",
    "decoder-main": "src/dataset/images/decoder-main.ts",
  },
  outdir: "dist",
  bundle: true,
  splitting: true,
  external,
  alias: { "string-width": "./bin/ascii-width.js" },
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "warning",
});
// What runs in the browser that shows a report: embedded in the page, so without imports.
await build({
  absWorkingDir: root,
  entryPoints: { "report-page": "src/report/html/browser/main.ts" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "iife",
  target: browsers,
  logLevel: "warning",
});
await build({
  absWorkingDir: root,
  entryPoints: { "report-page": "src/report/html/report.css" },
  outdir: "dist",
  minify: true,
  target: browsers,
  logLevel: "warning",
});
