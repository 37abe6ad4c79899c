import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { forbidWriting } from "../helpers/forbid-writing.ts";
import { copyPackage, madeLocale } from "./places.ts";

/** What is given to a row: a new folder, in which the command runs. */
export interface Ground {
  folder: string;
  /** Called at the end, last first. */
  undo: (() => void)[];
}

/** How the commands are started. */
export interface Start {
  env?: NodeJS.ProcessEnv;
  /** The folder to run in; that of the ground by default. */
  cwd?: string;
  /** The root of the package to run. */
  root?: string;
}

export interface Surrounding {
  name: string;
  /** @throws if the machine does not allow it; the row is skipped then, with the reason. */
  make: (ground: Ground) => Start;
  /** The advice of `doctor`; by default it has none. */
  advice?: RegExp;
  /** The exit code and the message of `prepare`; by default it makes the same dataset as everywhere. */
  refusal?: { code: number; message: RegExp };
}

const variables = (env: NodeJS.ProcessEnv): Surrounding => ({
  name: Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .join(" "),
  make: () => ({ env }),
});

/** The surroundings in which every command has to work, or to say what to do. */
export const surroundings: Surrounding[] = [
  variables({}),
  variables({ PYTHONHOME: "/nowhere" }),
  variables({ PYTHONEXECUTABLE: "/nowhere/python" }),
  variables({ PYTHONPLATLIBDIR: "nowhere" }),
  variables({ PYTHONSAFEPATH: "1" }),
  variables({ PYTHONSTARTUP: "/nowhere", PYTHONINSPECT: "1", PYTHONOPTIMIZE: "2", PYTHONNOUSERSITE: "1" }),
  variables({ PYTHONWARNINGS: "error", PYTHONDEVMODE: "1", PYTHONHASHSEED: "none" }),
  variables({ PYTHONIOENCODING: "ascii:strict", PYTHONUTF8: "0", PYTHONCOERCECLOCALE: "0", LC_ALL: "C" }),
  variables({ VIRTUAL_ENV: "/nowhere", CONDA_PREFIX: "/nowhere", CONDA_DEFAULT_ENV: "base" }),
  variables({ MPLBACKEND: "module://nowhere", RANK: "none", LOCAL_RANK: "none", DEBUG: "*" }),
  variables({ HTTPS_PROXY: "http://127.0.0.1:9", HTTP_PROXY: "127.0.0.1:9", NO_PROXY: "*" }),
  variables({ LANG: "", LC_ALL: "", TZ: "" }),
  variables({ LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8", TZ: "Pacific/Chatham" }),
  variables({ LC_ALL: "de_DE.UTF-8", LC_NUMERIC: "de_DE.UTF-8", TZ: "Nowhere/Nothing" }),
  variables({ LD_PRELOAD: "/nowhere/lib.so" }),
  {
    name: "a Turkish locale in Latin 5",
    make: ({ folder }) => ({ env: madeLocale(folder, "tr_TR", "ISO-8859-9") }),
  },
  {
    name: "a German locale in Latin 1",
    make: ({ folder }) => ({ env: madeLocale(folder, "de_DE", "ISO-8859-1") }),
  },
  { name: "HOME does not exist", make: () => ({ env: { HOME: "/proc/nowhere" } }) },
  { name: "HOME is empty", make: () => ({ env: { HOME: "" } }) },
  {
    name: "a package in a folder with a colon",
    make: ({ folder }) => ({ root: copyPackage(join(folder, "a:b ü")) }),
  },
  {
    name: "a current folder with a colon",
    make: ({ folder }) => {
      const cwd = join(folder, "a:b c;ü 雪");
      mkdirSync(cwd);
      return { cwd };
    },
  },
  {
    name: "a foreign library in LD_LIBRARY_PATH",
    make: ({ folder }) => {
      // Python's ctypes loads it, Node does not.
      for (const version of [6, 7, 8]) writeFileSync(join(folder, `libffi.so.${version}`), "");
      return { env: { LD_LIBRARY_PATH: folder } };
    },
    advice: /^unset LD_LIBRARY_PATH/,
    refusal: { code: 4, message: /libffi/ },
  },
  {
    name: "a foreign module in PYTHONPATH of one's own Python",
    make: ({ folder }) => {
      writeFileSync(join(folder, "torch.py"), "raise ImportError('a foreign torch')");
      return { env: { PYTHONPATH: folder } };
    },
    advice: /^unset PYTHONPATH/,
    refusal: { code: 4, message: /foreign torch/ },
  },
  {
    name: "a read-only current folder",
    make: ({ folder, undo }) => {
      const cwd = join(folder, "read-only");
      mkdirSync(cwd);
      undo.push(forbidWriting(cwd));
      return { cwd };
    },
    refusal: { code: 4, message: /read-only.*expected a writable path/s },
  },
  {
    name: "a filled read-only cache, and an own one above it",
    make: ({ folder, undo }) => {
      const shared = join(folder, "shared");
      mkdirSync(join(shared, "features"), { recursive: true });
      undo.push(forbidWriting(shared));
      return { env: { CLIPRPN_CACHE: shared, XDG_CACHE_HOME: join(folder, "own") } };
    },
  },
  {
    name: "a filled read-only cache, and nothing that can be written",
    make: ({ folder, undo }) => {
      const shared = join(folder, "shared");
      mkdirSync(join(shared, "features"), { recursive: true });
      undo.push(forbidWriting(shared));
      return { env: { CLIPRPN_CACHE: shared, XDG_CACHE_HOME: shared } };
    },
    advice: /^set CLIPRPN_CACHE/,
  },
  {
    name: "an empty read-only cache",
    make: ({ folder, undo }) => {
      const cache = join(folder, "cache");
      mkdirSync(cache);
      undo.push(forbidWriting(cache));
      return { env: { CLIPRPN_CACHE: cache } };
    },
    advice: /^set CLIPRPN_CACHE/,
    refusal: { code: 4, message: /not writable|writable path/ },
  },
  {
    name: "no folder for temporary files",
    make: ({ folder }) => {
      rmSync(join(folder, "none"), { force: true });
      return { env: { TMPDIR: join(folder, "none") } };
    },
    advice: /TMPDIR/,
  },
];
