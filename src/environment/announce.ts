import type { Terminal } from "../terminal/terminal.ts";
import { checkSpace } from "./disk-space.ts";
import { runTool, type ToolRun } from "./run-tool.ts";
import { inWords, type Sizes } from "./sizes.ts";

/** What uv is about to install. */
export interface Installation {
  /** For a person. */
  what: string;
  folder: string;
  cache: string;
  sizes: Sizes;
  /** uv's first command. */
  command: string[];
  /** Further commands install what the first one's plan does not show. */
  moreFollows: boolean;
  /** Said when there is something to fetch. */
  advice?: string | undefined;
}

/** Says how much is to be fetched, and stops before it starts when there is no network or no room. */
export async function announce(
  { what, folder, cache, sizes, command, moreFollows, advice }: Installation,
  uv: string,
  run: ToolRun,
  terminal: Terminal,
): Promise<void> {
  const [pip = "", verb = "", ...rest] = command;
  terminal.info(`Setting up Python packages (${what}) in ${folder}, once.`);
  const { output: plan } = await runTool(uv, [pip, verb, "--dry-run", ...rest], run);
  const { stdout: uvCache } = await runTool(uv, ["cache", "dir"], run);
  // Each line is absent when its number is 0.
  const nothingToFetch = !moreFollows && plan.includes("Would install") && !plan.includes("Would download");
  terminal.info(
    nothingToFetch
      ? "Nothing to fetch: uv has all of them in its cache."
      : `About ${inWords(sizes.download_gb)} to fetch (less what uv has in its cache), ${inWords(sizes.disk_gb)} on disk.`,
  );
  if (advice !== undefined && !nothingToFetch) terminal.info(advice);
  await checkSpace({ cache, uvCache: uvCache.trim(), sizes, nothingToFetch });
}
