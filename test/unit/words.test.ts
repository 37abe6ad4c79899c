import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";

/** Words that are unclear to readers, and what to write instead. */
const avoided: [pattern: RegExp, instead: string][] = [
  [/\bmend(s|ed|ing)?\b/i, "fix"],
  [/\breckon\w*/i, "compute"],
  [/\b(held|hold|holds|holding) \w* ?against\b/i, "compare with, check against"],
  [/\b(told|tells|tell) of\b/i, "report, list"],
  [/\bcomes? to nothing\b/i, "fails, has no effect"],
  [/\bgoes on with\b/i, "resumes, continues"],
  [/\b(nobody|nothing) tells\b/i, "is unknown"],
  [/\bunderstands nothing\b|\bwithout understanding\b/i, "ignores the expression"],
  [/\bshall\b|\bwhereof\b/i, "must, of which"],
  [/\b(farness|unfit|tamed|doubtful|toldOf|bury)\b/i, "a name that says what it is"],
  [/\bpictures?\b/i, "image"],
  [/\bdata sets?\b/i, "dataset"],
  [/\bcolour|\bnormalis|\bcentre[ds]?\b|\bgrey\b|\blicence|\bneighbour|\bbehaviour/i, "American spelling"],
  [/\bmake room\b/i, "free some space"],
  [/\bonce more\b|\banew\b/i, "again"],
];

/** Stored or typed values that keep their spelling, and keys of stored files. */
const exempt =
  /pictures_sha256|pictures\.json|"pictures?"|--pictures-of|\bpictures[:=]|\.pictures\b|"The demo data set of cliprpn"/g;

const folders = ["src", "python/cliprpn", "tools", "experiments", "test"];

/** Word lists, texts for CLIP and names of input files are data. */
const data =
  /views\/vocabulary\.py|audit\/words\.py|test_audit_changes\.py|test_views_wording\.py|tiny\/captions\.py|demo\/(sentences|phrase)\.ts|words\.test\.ts|cases\/(cases\.ts|before\.json)/;

test("what people read is in the field's words", () => {
  const files = readable();
  for (const folder of [...folders, "README.md", "CHANGELOG.md"])
    expect(
      files.filter(([file, text]) => file.startsWith(folder) && text !== "").length,
      folder,
    ).toBeGreaterThan(0);
  const hits = files.flatMap(([file, text]) =>
    text
      .split("\n")
      .flatMap((line, index) =>
        avoided
          .filter(([pattern]) => pattern.test(line.replaceAll(exempt, "")))
          .map(([, instead]) => `${file}:${index + 1} (write: ${instead}) ${line.trim().slice(0, 100)}`),
      ),
  );
  expect(hits).toEqual([]);
});

test("the list can fail", () => {
  expect(avoided.filter(([pattern]) => pattern.test("how to mend it")).length).toBe(1);
});

/** Sources, schemas, experiments, tests and documents, with their text. */
function readable(): [file: string, text: string][] {
  const files = folders.flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|py|json|md|mjs)$/.test(name) && !name.includes("generated"))
      .map((name) => `${folder}/${name}`),
  );
  return ["README.md", "CHANGELOG.md", ...files]
    .filter((file) => !data.test(file))
    .map((file) => [file, readFileSync(join(packageRoot, file), "utf8")]);
}
