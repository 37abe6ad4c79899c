import { expect, test } from "vitest";
import { follow, notStarted, tell } from "../../src/environment/download-progress.ts";

// The lines of `uv pip sync` where it is not on a terminal.
const story: [line: string, told: string][] = [
  ["Resolved 63 packages in 199ms", "asking the package index"],
  ["Downloading torch (529.6MiB)", "0.0 of 0.6 GB, 0 of 1 large packages; fetching torch"],
  [
    "Downloading nvidia-cudnn-cu13 (1.5GiB)",
    "0.0 of 2.2 GB, 0 of 2 large packages; fetching torch, nvidia-cudnn-cu13",
  ],
  [
    "Downloading wcwidth (300.0KiB)",
    "0.0 of 2.2 GB, 0 of 3 large packages; fetching torch, nvidia-cudnn-cu13, wcwidth",
  ],
  [
    "Downloading scipy (33.7MiB)",
    "0.0 of 2.2 GB, 0 of 4 large packages; fetching torch, nvidia-cudnn-cu13, wcwidth, ...",
  ],
  ["Downloaded wcwidth", "0.0 of 2.2 GB, 1 of 4 large packages; fetching torch, nvidia-cudnn-cu13, scipy"],
  ["Downloaded torch", "0.6 of 2.2 GB, 2 of 4 large packages; fetching nvidia-cudnn-cu13, scipy"],
  ["Downloaded scipy", "0.6 of 2.2 GB, 3 of 4 large packages; fetching nvidia-cudnn-cu13"],
  ["Downloaded nvidia-cudnn-cu13", "2.2 of 2.2 GB, 4 of 4 large packages"],
  ["Prepared 63 packages in 1m", "putting the packages in place"],
  ["Installed 63 packages in 2s", "compiling Python files"],
  [" + torch==2.14.1", "compiling Python files"],
];

test("uv's lines become progress in GB", () => {
  let progress = notStarted;
  for (const [line, told] of story) {
    progress = follow(progress, line);
    expect(tell(progress), `after: ${line}`).toBe(told);
  }
});
