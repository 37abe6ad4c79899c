import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";
import { CliprpnError } from "./errors.ts";
import type { CodeHashes, CodeManifest } from "./generated/types.ts";

export type TrialKind = CodeManifest["kind"];

/**
 * The code that decides the results of a kind of trial, as it was when this process first asked. Python computes the same in
 * `code_identity.py`.
 *
 * @throws CliprpnError environment_broken if a file of the package is missing.
 */
export function codeOf(kind: TrialKind): CodeManifest {
  const manifest = manifests.get(kind) ?? readManifest(kind, hashes);
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
export function codeHashes(): CodeHashes {
  current ??= { cliprpn: codeHash(codeOf("cliprpn")), baseline: codeHash(codeOf("baseline")) };
  return current;
}

let current: CodeHashes | undefined;

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

/** What was edited since this process first asked for the code. */
export function changesSinceStart(): string[] {
  const now = new Map<string, string>();
  const changes = kinds.flatMap((kind) => changedFiles(codeOf(kind), readManifest(kind, now)));
  return [...new Set(changes)];
}

const kinds: TrialKind[] = ["cliprpn", "baseline"];
const manifests = new Map<TrialKind, CodeManifest>();
/** Hashes of the files: each is read once, so that both kinds see the same content. */
const hashes = new Map<string, string>();

function readManifest(kind: TrialKind, known: Map<string, string>): CodeManifest {
  // Made by `npm run generate` from the imports.
  const list: CodeFiles = JSON.parse(readPackageFile("python/cliprpn/code_files.json").toString("utf8"));
  const { files, packages, locks } = list[kind];
  const pins = locks.map((lock) => readPackageFile(`env/${lock}.txt`).toString("utf8")).join("\n");
  for (const file of files) if (!known.has(file)) known.set(file, hashOf(file));
  return {
    schema_version: 1,
    kind,
    files: Object.fromEntries(files.map((file) => [file, known.get(file)])),
    packages: Object.fromEntries(packages.map((name) => [name, versionsOf(name, pins)])),
  };
}

type CodeFiles = Record<TrialKind, { files: string[]; packages: string[]; locks: string[] }>;

function hashOf(file: string): string {
  return createHash("sha256")
    .update(readPackageFile(`python/cliprpn/${file}`))
    .digest("hex");
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
