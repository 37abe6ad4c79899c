import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commands } from "../../src/commands/table.ts";
import { packageRoot } from "../../src/package-root.ts";

const readme = read("README.md");

describe("README.md", () => {
  test("its commands exist, with all their options", () => {
    const typed = [...readme.matchAll(/npx cliprpn ([a-z]+)([^`#)\n]*)/g)];
    expect(typed.length).toBeGreaterThan(20);
    const wrong = typed.flatMap(([text, name, rest = ""]) => {
      const command = commands.find(({ usage }) => usage.split(" ")[0] === name);
      const unknown = optionsIn(rest).filter((option) => command?.options?.[option] === undefined);
      return command === undefined || unknown.length > 0 ? [text.trim()] : [];
    });
    expect(wrong).toEqual([]);
  });

  test("its other options are those of a command", () => {
    const known = new Set(commands.flatMap(({ options }) => Object.keys(options ?? {})));
    const mentioned = [...readme.matchAll(/`(--[^`]+)`/g)].flatMap(([, text = ""]) => optionsIn(text));
    expect(mentioned.length).toBeGreaterThan(10);
    expect(mentioned.filter((option) => !known.has(option))).toEqual([]);
  });

  test("its experiments exist", () => {
    const shipped = readme.split("### Shipped experiments")[1]?.split("###")[0] ?? "";
    const names = [
      ...[...shipped.matchAll(/`([\w-]+\.json)`/g)],
      ...[...readme.matchAll(/experiments\/([\w/-]+\.\w+)/g)],
    ].map(([, name = ""]) => name);
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !existsSync(join(packageRoot, "experiments", name)))).toEqual([]);
  });
});

test("the files that src/README.md names exist", () => {
  const names = [...read("src/README.md").matchAll(/`((?:[\w-]+\/)*[\w.-]+\.(?:ts|py))`/g)].map(
    ([, name = ""]) => name,
  );
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => name !== ofRuns && !isFile(name))).toEqual([]);
});

/** A file of a trial. */
const ofRuns = "fusion.py";

function read(file: string): string {
  return readFileSync(join(packageRoot, file), "utf8");
}

function optionsIn(text: string): string[] {
  return [...text.matchAll(/--([a-z][a-z-]*)/g)].map(([, name = ""]) => name);
}

/** Paths in the map start at the root, at a folder of sources, or at the package that their row is about. */
function isFile(name: string): boolean {
  const folders = [
    "",
    "src",
    "src/contract",
    "src/commands",
    "src/engine",
    "src/report",
    "src/report/charts",
    "src/sweep",
    "python/cliprpn",
    ...pythonPackages,
  ];
  return folders.some((folder) => existsSync(join(packageRoot, folder, name)));
}

const pythonPackages = ["bridge", "trials", "figures", "inference", "data"].map(
  (name) => `python/cliprpn/${name}`,
);
