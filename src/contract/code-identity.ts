import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";
import { CliprpnError } from "./errors.ts";
import type { CodeManifest } from "./generated/types.ts";

export type TrialKind = CodeManifest["kind"];

/**
 * The code that decides the results of a kind of trial, as it was when this process first asked. Python computes the same in
 * `code_identity.py`.
 *
 * @throws CliprpnError environment_broken if a file of the package is missing.
 */
export function codeOf(kind: TrialKind): CodeManifest {
  const known = manifests.get(kind);
  if (known !== undefined) return known;
  const { files, packages, locks } = listed()[kind];
  const pins = locks.map((lock) => readPackageFile(`env/${lock}.txt`).toString("utf8")).join("\n");
  const manifest: CodeManifest = {
    schema_version: 1,
    kind,
    files: Object.fromEntries(files.map((file) => [file, hashOf(file)])),
    packages: Object.fromEntries(packages.map((name) => [name, versionsOf(name, pins)])),
  };
  manifests.set(kind, manifest);
  return manifest;
}

/** The hash of a manifest: a trial's `sources_sha256`. */
export function codeHash({ kind, files, packages }: CodeManifest): string {
  const lines = [
    `kind ${kind}`,
    ...Object.keys(files)
      .sort()
      .map((file) => `file ${file} ${files[file]}`),
    ...Object.keys(packages)
      .sort()
      .map((name) => `package ${name} ${packages[name]}`),
  ];
  return createHash("sha256")
    .update(lines.map((line) => `${line}\n`).join(""))
    .digest("hex");
}

/** The hash of the current code for each kind of trial. */
export function codeHashes(): Record<TrialKind, string> {
  return { cliprpn: codeHash(codeOf("cliprpn")), baseline: codeHash(codeOf("baseline")) };
}

/** What differs between two manifests, one text for each file and package, for a person. */
export function changedFiles(old: CodeManifest, current: CodeManifest): string[] {
  const files = namesOf(old.files, current.files).flatMap((file) => {
    if (old.files[file] === current.files[file]) return [];
    if (old.files[file] === undefined) return [`${file} (added)`];
    return [current.files[file] === undefined ? `${file} (removed)` : file];
  });
  const packages = namesOf(old.packages, current.packages).flatMap((name) => {
    const [before = "none", now = "none"] = [old.packages[name], current.packages[name]];
    return before === now ? [] : [`${name} ${before} -> ${now}`];
  });
  return [...files, ...packages];
}

const manifests = new Map<TrialKind, CodeManifest>();
const hashes = new Map<string, string>();
let list: Record<TrialKind, { files: string[]; packages: string[]; locks: string[] }> | undefined;

/** `code_files.json`, which `npm run generate` makes from the imports. */
function listed(): NonNullable<typeof list> {
  list ??= JSON.parse(readPackageFile("python/cliprpn/code_files.json").toString("utf8"));
  return list as NonNullable<typeof list>;
}

/** Each file is read once, so that both kinds see the same content. */
function hashOf(file: string): string {
  const known = hashes.get(file);
  if (known !== undefined) return known;
  const hash = createHash("sha256")
    .update(readPackageFile(`python/cliprpn/${file}`))
    .digest("hex");
  hashes.set(file, hash);
  return hash;
}

/** All versions of a package that the lock files name, in their order: they depend on the version of Python. */
function versionsOf(name: string, pins: string): string {
  const versions = [...pins.matchAll(/^(\S+?)==(\S+)/gm)].flatMap(([, pinned, version = ""]) =>
    pinned === name ? [version] : [],
  );
  if (versions.length > 0) return [...new Set(versions)].join(", ");
  throw new CliprpnError(
    "environment_broken",
    `${join(packageRoot, "env")}: expected a version of ${name} in the lock files, found none; reinstall cliprpn`,
  );
}

function readPackageFile(name: string): Buffer {
  const file = join(packageRoot, name);
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CliprpnError(
      "environment_broken",
      `${file}: expected a file of cliprpn, found none that can be read; reinstall cliprpn`,
      { cause: error },
    );
  }
}

function namesOf(old: object, current: object): string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(current)])].sort();
}
