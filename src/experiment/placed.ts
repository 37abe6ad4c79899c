import type { Path } from "./source-text.ts";

/** A problem and the value that it is about. */
export interface Placed {
  path: Path;
  message: string;
}

/** Problems of a part, as problems of what holds it. */
export function below(above: Path, problems: Placed[]): Placed[] {
  return problems.map(({ path, message }) => ({ path: [...above, ...path], message }));
}
