import { expect, test } from "vitest";
import { afterLine, describeProgress, notStarted } from "../../src/environment/install-progress.ts";

// Output of `uv pip sync` that does not go to a terminal, and the progress after each line.
const output: [line: string, progress: string][] = [
  ["Resolved 63 packages in 199ms", "querying the package index"],
  ["Downloading torch (529.6MiB)", "0.0 of 555.3 MB, 0 of 1 large packages; downloading torch"],
  [
    "Downloading nvidia-cudnn-cu13 (1.5GiB)",
    "0.0 of 2.2 GB, 0 of 2 large packages; downloading torch, nvidia-cudnn-cu13",
  ],
  [
    "Downloading wcwidth (300.0KiB)",
    "0.0 of 2.2 GB, 0 of 3 large packages; downloading torch, nvidia-cudnn-cu13, wcwidth",
  ],
  [
    "Downloading scipy (33.7MiB)",
    "0.0 of 2.2 GB, 0 of 4 large packages; downloading torch, nvidia-cudnn-cu13, wcwidth, ...",
  ],
  ["Downloaded wcwidth", "0.0 of 2.2 GB, 1 of 4 large packages; downloading torch, nvidia-cudnn-cu13, scipy"],
  ["Downloaded torch", "0.6 of 2.2 GB, 2 of 4 large packages; downloading nvidia-cudnn-cu13, scipy"],
  ["Downloaded scipy", "0.6 of 2.2 GB, 3 of 4 large packages; downloading nvidia-cudnn-cu13"],
  ["Downloaded nvidia-cudnn-cu13", "2.2 of 2.2 GB, 4 of 4 large packages"],
  ["Prepared 63 packages in 1m", "installing the packages"],
  ["Installed 63 packages in 2s", "compiling Python files"],
  [" + torch==2.14.1", "compiling Python files"],
];

test("uv's lines become progress: bytes, large packages and the current downloads", () => {
  let progress = notStarted;
  for (const [line, expected] of output) {
    progress = afterLine(progress, line);
    expect(describeProgress(progress), `after: ${line}`).toBe(expected);
  }
});
