import type { Terminal } from "../terminal/terminal.ts";
import { checkSpace } from "./disk-space.ts";
import type { Definition, Environment } from "./environment.ts";
import { seesNvidiaGpu } from "./nvidia-gpu.ts";
import { runTool, type ToolRun } from "./run-tool.ts";
import { sizes } from "./sizes.ts";

/** Says how much is to be fetched, and stops before it starts when there is no network or no room. */
export async function announce(
  { cache, torchBackend }: Definition,
  { folder }: Environment,
  uv: string,
  commands: string[][],
  run: ToolRun,
  terminal: Terminal,
): Promise<void> {
  const [pip = "", sync = "", ...rest] = commands[0] ?? [];
  const { output: plan } = await runTool(uv, [pip, sync, "--dry-run", ...rest], run);
  const { stdout: uvCache } = await runTool(uv, ["cache", "dir"], run);
  // Each line is absent when its number is 0; a chosen torch is not in this plan.
  const nothingToFetch =
    torchBackend === undefined && plan.includes("Would install") && !plan.includes("Would download");
  const size = sizes(torchBackend);
  terminal.info(`Setting up Python packages (torch, open_clip, ...) in ${folder}, once.`);
  terminal.info(
    nothingToFetch
      ? "Nothing to fetch: uv has all of them in its cache."
      : `About ${size.download_gb} GB to fetch (less what uv has in its cache), ${size.disk_gb} GB on disk.`,
  );
  if (torchBackend === undefined && process.platform === "linux" && !nothingToFetch && !seesNvidiaGpu())
    terminal.info(
      `No NVIDIA GPU is seen here: \`cliprpn setup --torch-backend cpu\` would fetch about ${sizes("cpu").download_gb} GB only.`,
    );
  await checkSpace({ cache, uvCache: uvCache.trim(), sizes: size, nothingToFetch });
}
