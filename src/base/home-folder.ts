import { userInfo } from "node:os";

/** The user's home: HOME or, where that is empty or missing, the system's entry; undefined if there is none. */
export function homeFolder(env: NodeJS.ProcessEnv): string | undefined {
  if (env.HOME) return env.HOME;
  try {
    return userInfo().homedir || undefined; // os.homedir() returns an empty HOME as it is.
  } catch {
    return undefined; // A container's user without an entry in /etc/passwd.
  }
}
