/** `npm run generate`: writes the generated files; with `--check`, reports files that are out of date instead. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureEnvironment } from "../src/environment/ensure-environment.ts";
import { packageRoot } from "../src/package-root.ts";
import { makeTerminal } from "../src/terminal/make-terminal.ts";
import { generateContract } from "./generate-contract.ts";

const onlyCheck = process.argv.includes("--check");
const { python } = await ensureEnvironment({ name: "test", terminal: makeTerminal(process) });
for (const [name, content] of await generateContract(python)) {
  const file = join(packageRoot, name);
  if (existsSync(file) && readFileSync(file, "utf8") === content) continue;
  process.stdout.write(`${name}: ${onlyCheck ? "out of date; run `npm run generate`" : "written"}\n`);
  if (onlyCheck) process.exitCode = 1;
  else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
