import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT } from "../contract/errors.ts";
import { packageRoot } from "../package-root.ts";
import type { Arguments, Context } from "./command.ts";

/** JSON schema of experiment files, for editors. */
export const schemaFile = join(packageRoot, "src/contract/generated/experiment.schema.json");

/** `cliprpn schema`: prints the path of the schema, or the schema. */
export async function schema(args: Arguments, { terminal }: Context): Promise<number> {
  terminal.result(args.flag("print") ? readFileSync(schemaFile, "utf8").trimEnd() : schemaFile);
  return EXIT.good;
}
