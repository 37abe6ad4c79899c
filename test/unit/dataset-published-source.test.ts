import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { publishedSource } from "../../src/dataset/prepare/published-source.ts";
import { describeSplit } from "../../src/dataset/prepare/summary-lines.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

describe("the published dataset of --match", () => {
  const cwd = sharedFolder("published");
  mkdirSync(join(cwd, "refcoco"));
  for (const file of ["refs(umd).p", "refs(unc).p", "refcoco/refs(unc).p", "other.p"])
    writeFileSync(join(cwd, file), "");
  const of = (text: string) => publishedSource(text, { cwd, data: join(cwd, "data") });

  it.each([
    ["refs(umd).p", "refcocog-umd"],
    ["refcoco/refs(unc).p", "refcoco-unc"],
  ])("%s is of %s by its name and folder", (file, name) => {
    expect(of(file)).toEqual({ name, file: join(cwd, file) });
  });

  it("NAME=FILE names a file that does not tell", () => {
    expect(of("refcoco+-unc=other.p")).toEqual({ name: "refcoco+-unc", file: join(cwd, "other.p") });
  });

  it.each([
    ["refs(unc).p", "bad_input", "refcoco+-unc"],
    ["other.p", "bad_input", "NAME=FILE"],
    ["refcocogg", "bad_input", "Did you mean refcocog"],
    ["refcocog", "not_found", "cliprpn prepare refcocog --split-by umd"],
    ["refcoco+", "not_found", "cliprpn prepare refcoco+ --split-by unc"],
    ["refcocog-google=none.p", "not_found", "none.p"],
  ])("%s is refused: %s", (text, code, message) => {
    expect(() => of(text)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe("what a report calls a split", () => {
  const part = { published: "refcocog-umd", split: "val", num_published: 4896, num_matched: 4885 } as const;

  it("is its name only in a published dataset, or with the published expressions that it has", () => {
    expect(describeSplit({ split_by: "umd" }, "val")).toBe("val");
    expect(describeSplit({ split_by: "own", matched: [part] }, "val")).toContain(
      "refcocog-umd val: 4,885 of 4,896 expressions",
    );
    expect(describeSplit({ split_by: "own", matched: [part] }, "test")).toContain("own");
    expect(describeSplit({ split_by: "own" }, "val")).toContain("own");
  });
});
