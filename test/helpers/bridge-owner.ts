/** A process that owns a busy worker; tests kill it. Arguments: log file, folder of Python modules. */
import { Transport } from "../../src/worker/transport.ts";
import { testPython } from "./python.ts";

const [logFile = "", modules = ""] = process.argv.slice(2);
const transport = await Transport.start({
  python: testPython(),
  logFile,
  module: "bridge_faults",
  extraModulePath: [modules],
});
await transport.call("spawn_and_hang", "{}", {
  onEvent: () => process.stdout.write(`${JSON.stringify(transport.pids)}\n`),
});
