import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { kindOfFile } from "../../src/store/archive/open-archive.ts";
import { cliprpn } from "../helpers/cli.ts";
import {
  addAudits,
  broken,
  edited,
  film,
  makeSweep,
  own,
  partsOf,
  writeForged,
} from "../helpers/exported-runs.ts";
import { filesIn } from "../helpers/old-runs.ts";
import { sharedFolder, tempFolder } from "../helpers/temp-folder.ts";
import { type ZipPart, zipOf } from "../helpers/zip.ts";

const there = sharedFolder("malicious");
let good: ZipPart[] = [];

beforeAll(async () => {
  makeSweep(join(there, "runs"));
  await addAudits(join(there, "runs"));
  await cliprpn(["export", "fusion", "--models", "best"], there);
  good = await partsOf(join(there, "fusion.zip"));
});

const text = (content: string): Buffer => Buffer.from(content);
const filmFolder = `trials/${film.trial_id}`;
const ownFolder = `trials/${own.trial_id}`;

/** Imports the archive of a folder of its own. Whatever is in it, a refused archive writes nothing. */
async function importRefused(
  write: (file: string) => void,
  { code = 2, problem }: { code?: number; problem: RegExp },
): Promise<void> {
  const cwd = join(tempFolder(), "a", "b", "c");
  mkdirSync(cwd, { recursive: true });
  const file = join(cwd, "bad.zip");
  write(file);
  const root = dirname(dirname(dirname(cwd)));
  const before = filesIn(root);
  const result = await cliprpn(["import", file, "--trust"], cwd);
  expect(result.err).toMatch(problem);
  expect(result.err).toContain(file);
  expect(result.err).not.toMatch(/internal error|\n {4}at /);
  expect(result.code).toBe(code);
  expect(filesIn(root)).toEqual(before);
  expect(readdirSync(cwd)).toEqual(["bad.zip"]);
}

function forged(change: (parts: ZipPart[]) => ZipPart[]): (file: string) => void {
  return (file) => writeForged(file, change(good));
}

function withPart(part: ZipPart): (file: string) => void {
  return forged((parts) => [...parts, part]);
}

/** A change of the archive that its manifest does not know. */
function raw(change: (parts: ZipPart[]) => ZipPart[]): (file: string) => void {
  return (file) => writeFileSync(file, zipOf(change(good)));
}

function changed(name: string, change: Partial<ZipPart>): (parts: ZipPart[]) => ZipPart[] {
  return (parts) => parts.map((part) => (part.name === name ? { ...part, ...change } : part));
}

describe("an archive is refused, before anything is written, with", () => {
  test.each([
    "../evil.py",
    "../../../evil.py",
    "/tmp/cliprpn-evil.py",
    "C:/evil.py",
    "trials/../../evil.py",
    `${filmFolder}/../../../evil.py`,
    `${filmFolder}\\..\\..\\evil.py`,
    "evil.py",
    "trials/",
    `${filmFolder}/evil.pth`,
    `${filmFolder}/fusion.py.untrusted`,
    `${filmFolder}/claim/1`,
    `${filmFolder}/attempts/1/fusion.py`,
    `${filmFolder}/attempts/1/best.pt`,
    `${filmFolder}/attempts/1/imported.json`,
    `${filmFolder}/attempts/1/__pycache__/fusion.cpython-311.pyc`,
    `${filmFolder}/attempts/1/events/../../../../evil`,
    "sweeps/fusion/places.json",
    "sweeps/fusion/lock/1",
    "sweeps/fusion/report/val/page.html",
    "sweeps/other/experiment.json",
    "trials/0123456789abcdef/spec.json",
    "audits/film-val/AUDIT.html",
    "audits/film-val/audit/../../../evil.svg",
    "audits/../evil/audit.json",
    "audits/other-val/AUDIT.md",
  ])("the file %s", (name) =>
    importRefused(withPart({ name, content: text("{}") }), { problem: /expected/ }));

  test.each<[string, Partial<ZipPart>, RegExp]>([
    ["a link", { mode: 0o120777 }, /found a link/],
    ["a device", { mode: 0o020666 }, /another kind/],
    ["a folder", { mode: 0o040755 }, /another kind/],
    ["an encrypted file", { flags: 0x801 }, /encrypted/],
    ["an unknown compression", { method: 99 }, /compression method 99/],
    ["more bytes than declared", { size: 10 }, /expected/],
    ["fewer bytes than declared", { size: 100_000 }, /expected/],
    [
      "other content of the same size",
      { content: text("#".repeat(42)) },
      /expected the content|expected .* bytes/,
    ],
  ])("%s", (_, change, problem) =>
    importRefused(raw(changed(`${ownFolder}/fusion.py`, change)), { problem }));

  test("files that share bytes, as in a zip bomb", () =>
    importRefused(
      raw((parts) => parts.map((part, index) => (index === 5 ? { ...part, bytesOf: 4 } : part))),
      {
        problem: /overlap/,
      },
    ));

  test("a file that would fill the memory", () =>
    importRefused(forged(changed(`${filmFolder}/spec.json`, { content: Buffer.alloc(5 * 2 ** 20) })), {
      problem: /spec\.json: expected at most 4,194,304 bytes/,
    }));

  test("the same file twice, also with other case", async () => {
    const again = good.find(({ name }) => name.endsWith("on-other/predictions-val.parquet"));
    if (again === undefined) throw new Error("expected answers on another dataset");
    await importRefused(withPart(again), { problem: /twice/ });
    await importRefused(withPart({ ...again, name: again.name.replace("on-other", "on-Other") }), {
      problem: /twice/,
    });
  });

  test.each([
    ["the experiment", "sweeps/fusion/experiment.json"],
    ["the trials", "sweeps/fusion/trials.jsonl"],
    ["a spec", `${filmFolder}/spec.json`],
    ["an outcome", `${filmFolder}/attempts/1/outcome.json`],
    ["weights", `${filmFolder}/attempts/1/best.safetensors`],
  ])("%s missing", async (_, name) => {
    const without = (parts: ZipPart[]): ZipPart[] => parts.filter((part) => part.name !== name);
    await importRefused(raw(without), { problem: new RegExp(`${name}.* found none`) });
    await importRefused(forged(without), { problem: /expected/ });
  });

  test("a file that its manifest does not name", () =>
    importRefused(
      raw((parts) => [...parts, { name: "test-looks.jsonl.2", content: text("") }]),
      {
        problem: /test-looks/,
      },
    ));

  const outcome = new RegExp(`${film.trial_id}/attempts/1/outcome`);
  const facts = new RegExp(`${film.trial_id}/attempts/1/best.json`);
  test.each<[string, RegExp, (content: string) => string, RegExp]>([
    [
      "a spec that its id does not follow from",
      new RegExp(`${film.trial_id}/spec`),
      seed(0, 7),
      /expected the id/,
    ],
    ["a row that its id does not follow from", /trials\.jsonl/, seed(0, 7), /expected the id/],
    [
      "a spec of another trial",
      new RegExp(`${film.trial_id}/spec`),
      () => partText(`${ownFolder}/spec.json`),
      new RegExp(own.trial_id),
    ],
    [
      "an outcome of another trial",
      outcome,
      (content) => content.replace(film.trial_id, broken.trial_id),
      /outcome of its trial/,
    ],
    [
      "an outcome of other code",
      outcome,
      (content) => content.replace(/"sources_sha256": ?"../, '"sources_sha256":"00'),
      /code of the outcome/,
    ],
    ["an outcome that is no JSON", outcome, (content) => content.slice(0, -9), /outcome\.json/],
    [
      "an acceptance of another attempt",
      new RegExp(`${film.trial_id}/accepted`),
      (content) => content.replace(/"attempt": ?1/, '"attempt":2'),
      /attempt 2 alone/,
    ],
    ["a fusion that is not that of the spec", /fusion\.py/, (content) => `${content}\nevil()`, /SHA-256/],
    [
      "a model of another trial",
      facts,
      (content) => content.replace(film.trial_id, own.trial_id),
      /model of its trial/,
    ],
    [
      "a model with a fusion that its trial does not have",
      facts,
      (content) => content.replace(/"kind": ?"switched"/, '"kind": "file", "file": "/tmp/evil.py:Evil"'),
      /fusion of its trial/,
    ],
    [
      "a model with another class of its fusion",
      new RegExp(`${own.trial_id}/attempts/1/best.json`),
      (content) => content.replace(":Mine", ":Evil"),
      /fusion of its trial/,
    ],
    [
      "code that does not have its hash",
      /^code\//,
      (content) => content.replace(/"kind": ?"cliprpn"/, '"kind": "baseline"'),
      /hash/,
    ],
    [
      "an experiment of another name",
      /experiment\.json/,
      (content) => content.replace(/"name": ?"fusion"/, '"name":"../x"'),
      /sweep fusion/,
    ],
    [
      "a dataset whose name is a path",
      /experiment\.json/,
      (content) => content.replace(/"name": ?"mine"/, '"name":"../../mine"'),
      /name of a dataset/,
    ],
    [
      "trials on another dataset than the sweep's",
      /experiment\.json/,
      (content) => content.replace(/"id": ?"made"/, '"id":"other"'),
      /trials on other/,
    ],
    ["a journal that is no JSON", /trials\.jsonl/, (content) => `${content}{`, /JSON/],
    [
      "an audit of trials of another sweep",
      /audit\.json/,
      (content) => content.replaceAll(film.trial_id, "0".repeat(16)),
      /expected the audit film-val of trials of its sweep/,
    ],
    [
      "an audit of an outside model",
      /audit\.json/,
      (content) => content.replace(/"trial_ids": \[[^\]]*\]/, '"trial_ids": []'),
      /expected the audit film-val of trials of its sweep/,
    ],
    ["an audit that is no JSON", /audit\.json/, (content) => content.slice(1), /audit\.json/],
    [
      "an outcome of a newer version",
      outcome,
      (content) => content.replace(/"schema_version": ?1/, '"schema_version":2'),
      /newer cliprpn/,
    ],
  ])("%s", (_, name, edit, problem) =>
    importRefused(
      forged((parts) => edited(parts, name, edit)),
      { problem },
    ));

  test("the source of a fusion for a trial with one of cliprpn's", () =>
    importRefused(withPart({ name: `${filmFolder}/fusion.py`, content: text("evil()") }), {
      problem: /one of cliprpn/,
    }));

  test("a second attempt", () =>
    importRefused(withPart({ name: `${filmFolder}/attempts/2/outcome.json`, content: text("{}") }), {
      problem: /attempt 1 alone/,
    }));

  test("a manifest of a newer version", () =>
    importRefused(
      raw((parts) =>
        edited(parts, /cliprpn-export/, (content) =>
          content.replace(/"schema_version": ?1/, '"schema_version": 2'),
        ),
      ),
      { problem: /expected version 1 .* found 2; a newer cliprpn/ },
    ));
});

describe("a file is refused that is", () => {
  test.each([0.2, 0.5, 0.9, 0.999])("an archive without its end: %d of it", (part) =>
    importRefused(
      (file) => {
        const whole = zipOf(good);
        writeFileSync(file, whole.subarray(0, whole.length * part));
      },
      { problem: /expected a complete archive/ },
    ));

  test("another zip archive", () =>
    importRefused((file) => writeFileSync(file, zipOf([{ name: "photo.jpg", content: text("x") }])), {
      problem: /found another zip archive/,
    }));

  test("a folder, or not there", async () => {
    const cwd = tempFolder();
    for (const name of [".", "no.zip"])
      expect(await cliprpn(["import", name], cwd)).toMatchObject({
        code: 2,
        err: expect.stringContaining("found no readable file"),
      });
  });
});

test("the content of a file decides whether it is an archive or a checkpoint", async () => {
  const folder = tempFolder();
  const kind = (name: string, content: Buffer): Promise<string> => {
    writeFileSync(join(folder, name), content);
    return kindOfFile(join(folder, name));
  };
  const [manifest, ...others] = good;
  if (manifest === undefined) throw new Error("expected a manifest");
  expect(await kind("named.pth", zipOf(good))).toBe("archive");
  expect(await kind("zipped-again.zip", zipOf([...others, manifest]))).toBe("archive");
  // As torch writes them, today and before 1.6.
  expect(await kind("model.zip", zipOf([{ name: "model/data.pkl", content: text("x") }]))).toBe("checkpoint");
  expect(await kind("old.pth", text("\x80\x02\x8a\x0a"))).toBe("checkpoint");
  expect(await kind("empty.pth", text(""))).toBe("checkpoint");
  expect(await kind("other.zip", zipOf([{ name: "data.pkl", content: text("x") }]))).toBe("other");
});

test("any damaged byte is found, or changes nothing", async () => {
  const whole = readFileSync(join(there, "fusion.zip"));
  const cwd = tempFolder();
  const file = join(cwd, "damaged.zip");
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ by;
      writeFileSync(file, damaged);
      // Flags and times in a zip's headers may differ, and the start decides whether it is an archive at all.
      const { code, err } = await cliprpn(["import", file, "--python", "/no/python"], cwd);
      expect(err).not.toContain("internal error");
      expect([0, 2, 4]).toContain(code);
    }),
    { numRuns: 150 },
  );
});

function seed(from: number, to: number): (content: string) => string {
  return (content) => content.replace(new RegExp(`"seed": ?${from}(?=,|\\n)(?!.*"asked")`), `"seed":${to}`);
}

function partText(name: string): string {
  return good.find((part) => part.name === name)?.content.toString() ?? "";
}
