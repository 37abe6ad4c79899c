import { statfs } from "node:fs/promises";
import { execa } from "execa";
import { packageRoot } from "../package-root.ts";
import { cacheDir } from "./cache-dir.ts";
import { rememberedBackend } from "./ensure-runtime.ts";
import { describeEnvironment, isReady, sizes } from "./environment.ts";
import { atLeast, findPython } from "./find-python.ts";
import { inspectPython, shortcomings } from "./own-python.ts";

/** One thing that cliprpn needs. */
export interface Finding {
  name: string;
  state: "ok" | "missing" | "broken";
  found: string;
  /** What to do; empty when there is nothing to do. */
  mend: string;
}

/** Looks at everything and changes nothing. */
export async function diagnose(env: NodeJS.ProcessEnv, ownPython: string | undefined): Promise<Finding[]> {
  const node = process.versions.node;
  const findings: Finding[] = [
    {
      name: "Node",
      state: atLeast(node, [20, 19]) ? "ok" : "broken",
      found: node,
      mend: atLeast(node, [20, 19]) ? "" : "install Node 20.19 or newer",
    },
    {
      name: "platform",
      state: process.platform === "win32" ? "broken" : "ok",
      found: `${process.platform} ${process.arch}`,
      mend: process.platform === "win32" ? "use WSL2" : "",
    },
    { name: "cliprpn", state: "ok", found: packageRoot, mend: "" },
  ];
  const own = ownPython ?? env.CLIPRPN_PYTHON;
  if (own) return [...findings, await interpreter("your Python", own, env)];
  findings.push(await systemPython(env), await uv(env), await disk(env));
  const cache = cacheDir(env);
  const environment = describeEnvironment("runtime", cache, rememberedBackend(cache));
  if (isReady(environment)) findings.push(await interpreter("Python packages", environment.python, env));
  else
    findings.push({
      name: "Python packages",
      state: "missing",
      found: `none in ${environment.folder}`,
      mend: `cliprpn setup (about ${sizes(environment.torchBackend).download_gb} GB)`,
    });
  return findings;
}

async function systemPython(env: NodeJS.ProcessEnv): Promise<Finding> {
  try {
    const { path, version } = await findPython(env);
    return { name: "Python", state: "ok", found: `${version} (${path})`, mend: "" };
  } catch (error) {
    return {
      name: "Python",
      state: "missing",
      found: "",
      mend: error instanceof Error ? error.message : String(error),
    };
  }
}

async function uv(env: NodeJS.ProcessEnv): Promise<Finding> {
  const { stdout, exitCode } = await execa("uv", ["--version"], { env, reject: false });
  const there = exitCode === 0;
  return {
    name: "uv",
    state: "ok",
    found: there ? (stdout ?? "") : "not on the PATH",
    mend: there ? "" : "nothing: cliprpn fetches its own",
  };
}

async function disk(env: NodeJS.ProcessEnv): Promise<Finding> {
  const cache = cacheDir(env);
  let folder = cache;
  for (;;) {
    try {
      const { bavail, bsize } = await statfs(folder);
      return {
        name: "cache",
        state: "ok",
        found: `${cache} (${((bavail * bsize) / 1e9).toFixed(0)} GB free)`,
        mend: "",
      };
    } catch {
      const parent = folder.replace(/\/[^/]*$/, "") || "/";
      if (parent === folder)
        return {
          name: "cache",
          state: "broken",
          found: cache,
          mend: "set CLIPRPN_CACHE to a folder of yours",
        };
      folder = parent;
    }
  }
}

async function interpreter(name: string, python: string, env: NodeJS.ProcessEnv): Promise<Finding> {
  try {
    const inspection = await inspectPython(python, env);
    const wrong = shortcomings(inspection);
    const { torch, torchvision, open_clip } = inspection.packages;
    const found = `Python ${inspection.python}, torch ${torch?.version}, torchvision ${torchvision?.version}, open_clip ${open_clip?.version}; devices ${inspection.devices.join(", ")}`;
    return wrong.length === 0
      ? { name, state: "ok", found, mend: "" }
      : { name, state: "broken", found: python, mend: wrong.join("; ") };
  } catch (error) {
    return {
      name,
      state: "broken",
      found: python,
      mend: error instanceof Error ? error.message : String(error),
    };
  }
}
