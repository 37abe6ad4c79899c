/** Variables that load other libraries or modules into any program, which may break a Python that works without them. */
const suspects = [
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
  "DYLD_LIBRARY_PATH",
  "DYLD_INSERT_LIBRARIES",
  "PYTHONPATH",
  "PYTHONUSERBASE",
];

/**
 * The variables that make something fail: it works without them.
 *
 * @param works tries it in an environment.
 * @returns one variable if it is enough to unset that one; none if the variables are not the reason.
 */
export async function blamedVariables(
  env: NodeJS.ProcessEnv,
  works: (env: NodeJS.ProcessEnv) => Promise<boolean>,
): Promise<string[]> {
  const present = suspects.filter((name) => env[name]);
  if (present.length === 0 || !(await works(without(env, present)))) return [];
  if (present.length === 1) return present;
  for (const name of present) if (await works(without(env, [name]))) return [name];
  return present;
}

/** Variables of this process stay set in its children unless they are set to undefined. */
function without(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return { ...env, ...Object.fromEntries(names.map((name) => [name, undefined])) };
}
