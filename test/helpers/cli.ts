import { main } from "../../src/main.ts";

export interface Said {
  code: number;
  out: string;
  err: string;
}

/** Runs a command line in this process. */
export async function cliprpn(argv: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(argv, {
    stdout: { write: (text: string) => void out.push(text) },
    stderr: { write: (text: string) => void err.push(text) },
    cwd,
    env: { ...process.env, ...env },
    platform: process.platform,
    signal: new AbortController().signal,
  });
  return { code, out: out.join(""), err: err.join("") };
}
