/** `npm run generate`: writes what is generated from the schemas; with `--check`, only says what is not as it would be written. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageRoot } from "../src/base/package-root.ts";
import { ensureEnvironment } from "../src/environment/ensure-environment.ts";
import { makeTerminal } from "../src/terminal/make-terminal.ts";
import { generate } from "./generate-contract.ts";

const onlyCheck = process.argv.includes("--check");
const { python } = await ensureEnvironment({ name: "test", terminal: makeTerminal(process) });
for (const [name, content] of await generate(python)) {
  const file = join(packageRoot, name);
  if (existsSync(file) && readFileSync(file, "utf8") === content) continue;
  process.stdout.write(
    `${name}: ${onlyCheck ? "not what the schemas give; run `npm run generate`" : "written"}\n`,
  );
  if (onlyCheck) process.exitCode = 1;
  else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
