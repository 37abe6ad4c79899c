import { quoteForShell } from "../base/format.ts";

/** A kind of file that is not JSON, and how to write an experiment instead. */
interface SourceKind {
  /** As in "found a YAML file". */
  name: string;
  matches(source: Source): boolean;
  advice(file: string): string;
}

interface Source {
  file: string;
  bytes: Uint8Array;
  /** The bytes read as UTF-8, without a byte order mark. */
  text: string;
  /** The first line that is neither empty nor a comment. */
  firstLine: string;
}

/**
 * Says what a file is that is not JSON, and how to write it: YAML, TOML, Python, UTF-16, an archive, ...
 *
 * @param text the bytes read as UTF-8.
 * @returns undefined for text that may be meant as JSON.
 */
export function describeOtherKind(file: string, bytes: Uint8Array, text: string): string | undefined {
  const firstLine = text.split(/\r\n|\r|\n/, 200).find((line) => /^\s*[^\s#]/.test(line)) ?? "";
  const source = { file, bytes, text, firstLine };
  const kind = kinds.find(({ matches }) => matches(source));
  return kind === undefined
    ? undefined
    : `expected an experiment as JSON ({...}), found ${kind.name}; ${kind.advice(file)}`;
}

const saveAsUtf8 = "save the file as UTF-8 (PowerShell: Set-Content -Encoding utf8)";
const jsonOnly = "give the experiment's .json file; `cliprpn init` writes one";

/** The first that matches counts. Bytes come before text. */
const kinds: SourceKind[] = [
  { name: "UTF-32 text", matches: startsWith("FF FE 00 00", "00 00 FE FF"), advice: () => saveAsUtf8 },
  {
    name: "UTF-16 text",
    matches: ({ bytes }) =>
      startsWith("FF FE", "FE FF")({ bytes }) || /^(\0[^\0]|[^\0]\0){4}/.test(latin1(bytes)),
    advice: () => saveAsUtf8,
  },
  {
    name: "a zip archive",
    matches: startsWith("50 4B 03 04"),
    advice: () => `${jsonOnly}. For an archive of \`cliprpn export\`, run \`cliprpn import\``,
  },
  {
    name: "a gzip file",
    matches: startsWith("1F 8B"),
    advice: (file) => `unpack it: gunzip ${quoteForShell(file)}`,
  },
  { name: "a Parquet file", matches: startsWith("50 41 52 31"), advice: () => jsonOnly },
  { name: "an image", matches: startsWith("89 50 4E 47", "FF D8 FF", "47 49 46 38"), advice: () => jsonOnly },
  {
    name: "a pickle, or a file of torch.save",
    matches: startsWith("80 02", "80 03", "80 04", "80 05"),
    advice: () => jsonOnly,
  },
  { name: "a binary file", matches: ({ text }) => text.includes("\0"), advice: () => jsonOnly },
  {
    name: "an empty file",
    matches: ({ text }) => text.trim() === "",
    advice: () => "`cliprpn init` writes an experiment to start from",
  },
  {
    name: "HTML or XML",
    matches: ({ firstLine }) => /^\s*<[!?\w]/.test(firstLine),
    advice: () => `if it was downloaded, take the raw file; ${jsonOnly}`,
  },
  {
    name: "Python code",
    matches: ({ file, firstLine }) =>
      file.endsWith(".py") ||
      /^(import|from|def|class|@)\b.*\w|^"""|^\w+\s*=\s*(dict\(|\{|\[)/.test(firstLine),
    advice: () =>
      'write its values as JSON, by hand or with json.dump(config, file). Only fusions are Python files: "fusion": { "file": "my_fusion.py:MyFusion" }',
  },
  {
    name: "TOML",
    matches: ({ file, firstLine }) =>
      /\.(toml|ini|cfg)$/i.test(file)
        ? !isJsonStart(firstLine)
        : /^\[+[\w."-]+\]+\s*(#.*)?$|^[\w."-]+\s*=\s*\S/.test(firstLine),
    advice: (file) =>
      convert(
        file,
        "import json, sys, tomllib; json.dump(tomllib.load(open(sys.argv[1], 'rb')), sys.stdout, indent=2)",
      ),
  },
  {
    name: "YAML",
    matches: ({ file, firstLine }) =>
      /^(---|%YAML)(\s|$)|^\s*(- |(?!\/\/)["']?[\w$./ -]+["']?\s*:(\s|$))/.test(firstLine) ||
      (/\.ya?ml$/i.test(file) && !isJsonStart(firstLine)),
    advice: (file) =>
      convert(
        file,
        "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, indent=2)",
      ),
  },
];

function startsWith(...signatures: string[]): (source: Pick<Source, "bytes">) => boolean {
  return ({ bytes }) =>
    signatures.some((signature) =>
      signature.split(" ").every((byte, index) => bytes[index] === Number.parseInt(byte, 16)),
    );
}

/** A command that converts the file, which stays. */
function convert(file: string, script: string): string {
  const target = file.replace(/\.(ya?ml|toml|ini|cfg)$/i, "");
  const json = target === file ? `${file.replace(/\.\w+$/, "")}-converted.json` : `${target}.json`;
  return `convert it: python3 -c "${script}" ${quoteForShell(file)} > ${quoteForShell(json)}`;
}

function isJsonStart(line: string): boolean {
  return /^\s*([{[]|\/[/*])/.test(line);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 32));
}
