import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { execa } from "execa";
import { packageRoot } from "../../src/package-root.ts";
import type { Row } from "./rows.ts";
import { numEpochs } from "./scenes.ts";

/** The results as markdown. */
export function page(
  rows: readonly Row[],
  { system, minutes, numScenes }: { system: string; minutes: number; numScenes: number },
): string {
  const lines = rows.map(({ what, ours, baseline, result, target, met }) => {
    const verdict = met === undefined ? target : `${target}: ${met ? "met" : "**missed**"}`;
    return `| ${what} | ${ours} | ${baseline} | ${result} | ${verdict} |`;
  });
  return `# Results of \`npm run bench\`

${system}. ${new Date().toISOString().slice(0, 10)}, ${minutes.toFixed(1)} minutes in total.

cliprpn and the baseline of each row were measured in this run: ${numScenes} training scenes and a fifth as many for val from
the demo generator, ${numEpochs} epochs, cliprpn-tiny, batch size 50, two threads. Only the row of a sweep's peak memory includes
starting Python and importing torch.

| what | cliprpn | baseline | result | target |
|---|---|---|---|---|
${lines.join("\n")}
`;
}

/** The commit, the machine and the programs that were measured. */
export async function describeMachine(python: string): Promise<string> {
  const code = "import torch, platform; print(platform.python_version(), torch.__version__)";
  const [version, torch] = (await execa(python, ["-c", code])).stdout.split(" ");
  const { stdout: commit } = await execa("git", ["rev-parse", "--short", "HEAD"], { cwd: packageRoot });
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `Commit ${commit} on ${availableParallelism()} cores of ${cpus()[0]?.model}, ${memory}, ${type()} ${release()}, Node ${process.versions.node}, Python ${version}, torch ${torch}`;
}
