/** Removes what `gc --old-code --yes` does from a runs folder, and kills itself at its n-th change of the disk: `gc-and-die.ts RUNS N`. */
import { collectGarbage } from "../../src/runs/collect-garbage.ts";
import { killedAt } from "./write-faults.ts";

const [runsDir = "", killAt = ""] = process.argv.slice(2);
await killedAt(
  Number(killAt),
  () =>
    collectGarbage({
      runsDir,
      cache: runsDir,
      options: {
        resumable: false,
        oldCode: true,
        unasked: false,
        lastModels: false,
        jointData: false,
        logsOlderThanDays: 30,
      },
      command: "cliprpn gc --old-code --yes",
      signal: new AbortController().signal,
    }),
  () => void process.kill(process.pid, "SIGKILL"),
);
