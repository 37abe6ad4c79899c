import { join } from "node:path";
import type { Terminal } from "../../src/terminal/terminal.ts";
import { auditRows } from "./audit.ts";
import { helpMs, sweepMemory } from "./cli.ts";
import { compareRows } from "./compare.ts";
import { measureEngine } from "./engine.ts";
import { extractionRows } from "./extraction.ts";
import { faultsRows } from "./faults.ts";
import { figuresRows } from "./figures.ts";
import { fullShapeRows } from "./full-shape-rows.ts";
import { imagesMemoryRows, imagesRows } from "./images.ts";
import { manyRows } from "./many.ts";
import { parquetRows } from "./parquet.ts";
import { preflightRows } from "./preflight.ts";
import { runPython } from "./python.ts";
import { rayRows } from "./ray.ts";
import {
  type BaselineFigures,
  baselineRows,
  engineRows,
  helpRow,
  memoryRows,
  type Row,
  type RpnFigures,
  rpnRows,
  type SweepFigures,
  sweepRows,
} from "./rows.ts";
import { runnersRows } from "./runners.ts";
import { scaleRows } from "./scale.ts";
import type { Scenes } from "./scenes.ts";
import { schedulerRows } from "./scheduler.ts";
import { slotsRows } from "./slots.ts";
import { slurmRows } from "./slurm.ts";

/** What a part measures with. */
export interface Bench {
  /** A temporary folder. */
  folder: string;
  python: string;
  terminal: Terminal;
  /** Scenes of the demo generator, made on first use. */
  scenes: () => Promise<Scenes>;
}

export interface Part {
  what: string;
  measure: (bench: Bench) => Promise<Row[]>;
}

/** By name. */
export const parts: Readonly<Record<string, Part>> = {
  sweep: {
    what: "a sweep, and the same by ClipRPN (Trento)",
    measure: async ({ folder, python, scenes }) => {
      const { prepare_s, specFiles } = await scenes();
      const args = [join(folder, "ours"), String(prepare_s), ...specFiles];
      return sweepRows(await runPython<SweepFigures>(python, "sweep", args));
    },
  },
  baseline: {
    what: "a baseline, and the same by ClipRPN (Trento)",
    measure: async ({ folder, python, scenes }) => {
      const args = [(await scenes()).specFiles[0] ?? "", join(folder, "baseline")];
      return baselineRows(await runPython<[BaselineFigures, BaselineFigures]>(python, "baseline", args));
    },
  },
  engine: {
    what: "bridge and engine, and a plain loop",
    measure: async ({ python, scenes }) => engineRows(await measureEngine(await scenes(), python)),
  },
  preflight: {
    what: "a projection, and the sweep that it is of",
    measure: async ({ scenes }) => preflightRows(await scenes()),
  },
  rpn: {
    what: "region proposals, and torchvision's",
    measure: async ({ python }) => rpnRows(await runPython<RpnFigures>(python, "rpn", ["2"])),
  },
  help: { what: "the command line", measure: async () => [helpRow(await helpMs())] },
  many: { what: "many trials", measure: ({ folder }) => manyRows(folder) },
  scheduler: {
    what: "trials that do nothing",
    measure: ({ folder, python }) => schedulerRows(folder, python),
  },
  scale: { what: "a sweep on a thousand slots, simulated", measure: ({ folder }) => scaleRows(folder) },
  ...onLinux({
    runners: {
      what: "Optuna, Ray Tune and Hydra",
      measure: ({ folder, python, terminal }) => runnersRows(folder, python, terminal),
    },
    slurm: {
      what: "trials on SLURM, and submitit",
      measure: ({ folder, python, terminal }) => slurmRows(folder, python, terminal),
    },
    ray: {
      what: "trials on Ray, and Ray Tune",
      measure: ({ folder, python, terminal }) => rayRows(folder, python, terminal),
    },
  }),
  figures: {
    what: "the figures of a report on many trials",
    measure: ({ folder, python }) => figuresRows(folder, python),
  },
  audit: {
    what: "an audit of a model's use of words",
    measure: ({ folder, python }) => auditRows(folder, python),
  },
  ...onLinux({
    compare: {
      what: "comparing outside models",
      measure: ({ folder, python }) => compareRows(folder, python),
    },
    memory: {
      what: "memory",
      measure: async ({ scenes }) => memoryRows(await sweepMemory(await scenes())),
    },
  }),
  extraction: { what: "extraction, and plain loops", measure: ({ python }) => extractionRows(python) },
  images: { what: "preparing images", measure: ({ folder, python }) => imagesRows(folder, python) },
  ...onLinux({
    "images-memory": {
      what: "preparing many images",
      measure: ({ folder }) => imagesMemoryRows(folder),
    },
    parquet: {
      what: "Parquet with images inside",
      measure: ({ folder, python }) => parquetRows(folder, python),
    },
  }),
  slots: {
    what: "one-thread slots, and two threads",
    measure: ({ folder, python }) => slotsRows(folder, python),
  },
  faults: {
    what: "files with a fault in each row",
    measure: ({ folder, python }) => faultsRows(folder, python),
  },
  dataset: {
    what: "a dataset as large as RefCOCOg",
    measure: ({ folder, python }) => fullShapeRows(folder, python),
  },
};

/** Parts that read `/proc`, or that start programs of Linux. */
function onLinux(parts: Record<string, Part>): Record<string, Part> {
  return process.platform === "linux" ? parts : {};
}
