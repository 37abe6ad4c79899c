import { Session } from "node:inspector/promises";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../src/package-root.ts";

/**
 * The number of blocks of `src/` that a function executes, each as often as it runs: the work of its loops and callbacks, exact on
 * a busy machine too. Loops inside a built-in function without a callback, such as `includes`, are not counted: see `countReads`.
 */
export async function countBlocks(work: () => unknown): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    await work();
    const { result } = await session.post("Profiler.takePreciseCoverage");
    const isOurs = ({ url }: { url: string }): boolean => sources.some((start) => url.startsWith(start));
    const ranges = result.filter(isOurs).flatMap(({ functions }) => functions.flatMap((each) => each.ranges));
    return ranges.reduce((sum, { count }) => sum + count, 0);
  } finally {
    session.disconnect();
  }
}

const sources = [`${packageRoot}/src/`, pathToFileURL(`${packageRoot}/src/`).href];
