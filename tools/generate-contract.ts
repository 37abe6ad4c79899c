import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { compile } from "json-schema-to-typescript";
import { presets } from "../src/experiment/presets.ts";
import { packageRoot } from "../src/package-root.ts";
import { bundleSchemas, extractSchema } from "./bundle-schemas.ts";
import { listCodeFiles } from "./list-code-files.ts";

const banner = "Generated from src/contract/schema by `npm run generate`. Do not edit.";
const pythonSide = [
  "BridgeMethods",
  "Envelope",
  "TrialSpec",
  "TrialOutcome",
  "PreparedDataset",
  "PixelsManifest",
  "WantedImages",
  "ImageNames",
  "Explorer",
  "CheckpointHead",
  "NodeCheck",
  "WorkerMessage",
  "WorkerRequest",
  "QueueSettings",
  "QueuedAttempt",
  "QueuedPreparation",
  "CancelRequest",
  "EndedAttempt",
  "PilotFacts",
];

/**
 * Generates types, models and bundled schemas from src/contract/schema, and the list of the code that decides results.
 * `npm run generate` writes them; `npm test` checks that they are up to date.
 *
 * @param python an interpreter with datamodel-code-generator.
 * @returns map from path relative to the package root to content.
 */
export async function generateContract(python: string): Promise<Map<string, string>> {
  const contract = bundleSchemas(join(packageRoot, "src/contract/schema"));
  const text = `${JSON.stringify(contract, null, 2)}\n`;
  const sha256 = createHash("sha256").update(text).digest("hex");
  const types = await compile(contract, "Contract", {
    bannerComment: `// ${banner}\nexport const schema_sha256 = "${sha256}";`,
    unreachableDefinitions: true,
    additionalProperties: false,
    strictIndexSignatures: true,
    ignoreMinAndMaxItems: false,
    maxItems: 4,
  });
  return new Map([
    ["src/contract/generated/contract.schema.json", text],
    [
      "src/contract/generated/experiment.schema.json",
      `${JSON.stringify({ ...extractSchema(contract, "Experiment"), $ref: "#/$defs/Experiment" }, null, 2)}\n`,
    ],
    ["src/contract/generated/types.ts", types],
    [
      "python/cliprpn/contract/generated.py",
      await pythonModels(python, JSON.stringify(extractSchema(contract, ...pythonSide)), sha256),
    ],
    // For benchmarks on machines without Node.
    ["test/bench/gpu/presets.json", `${JSON.stringify(presets, null, 2)}\n`],
    ["python/cliprpn/code_files.json", `${JSON.stringify(await listCodeFiles(python), null, 2)}\n`],
  ]);
}

async function pythonModels(python: string, contract: string, sha256: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "cliprpn-generate-"));
  try {
    const input = join(folder, "contract.json");
    const output = join(folder, "generated.py");
    writeFileSync(input, contract);
    const flags = [
      ["--input", input, "--output", output, "--input-file-type", "jsonschema", "--disable-timestamp"],
      ["--output-model-type", "pydantic_v2.BaseModel", "--target-python-version", "3.10", "--use-annotated"],
      [
        "--enum-field-as-literal",
        "all",
        "--use-title-as-name",
        "--use-union-operator",
        "--use-standard-collections",
      ],
      ["--field-constraints", "--collapse-root-models", "--formatters", "ruff-format"],
      ["--custom-file-header", `# ${banner}`],
    ].flat();
    await execa(python, ["-m", "datamodel_code_generator", ...flags]);
    return `${readFileSync(output, "utf8").trimEnd()}\n\nSCHEMA_SHA256 = "${sha256}"\n`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
