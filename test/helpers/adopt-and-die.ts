/** Adopts a runs folder, and kills itself at its n-th change of the disk: `adopt-and-die.ts RUNS N`. */
import { adoptOldRuns } from "../../src/store/adopt/adopt.ts";
import { killedAt } from "./write-faults.ts";

const [runs = "", killAt = ""] = process.argv.slice(2);
await killedAt(
  Number(killAt),
  () => adoptOldRuns(runs, { command: "cliprpn report" }),
  () => void process.kill(process.pid, "SIGKILL"),
);
