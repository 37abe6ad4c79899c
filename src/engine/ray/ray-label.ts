/** The actor in the label of a worker, `ray:RUN.3@node`: the driver that started it, and its number there. */
export function parseRayLabel(label: string): { id: string; run: string; node: string } | undefined {
  const [, id, run, node] = /^ray:(([0-9a-f]+)\.\d+)@(.*)$/.exec(label) ?? [];
  return id === undefined || run === undefined || node === undefined ? undefined : { id, run, node };
}
