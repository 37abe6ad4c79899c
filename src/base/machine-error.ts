import { CliprpnError } from "../contract/errors.ts";
import { diskFullError } from "./disk-space.ts";
import { errorCode, hasCode, isUnwritable } from "./files.ts";

/**
 * What an error of the system says that lies in the machine, not in the program: a disk that is full or fails, or a path that cannot
 * be written. Undefined for any other error.
 *
 * @param fullPlace names the full disk if the error names no file.
 */
export function machineError(
  error: unknown,
  fullPlace: () => string = () => "a file",
): CliprpnError | undefined {
  const path = error instanceof Error && "path" in error ? String(error.path) : undefined;
  const where = path ?? "a file";
  if (hasCode(error, "ENOSPC", "EDQUOT")) return diskFullError(path ?? fullPlace(), error);
  if (hasCode(error, "EIO"))
    return new CliprpnError(
      "environment_broken",
      `${where}: the disk failed (EIO, an input/output error); look into the system's log (dmesg), and repair the disk or ${otherPlace}`,
      { cause: error },
    );
  if (isUnwritable(error))
    return new CliprpnError(
      "environment_broken",
      `${where}: expected a writable path, found ${errorCode(error)}; ${otherPlace}`,
      { cause: error },
    );
  return undefined;
}

const otherPlace = "choose another one (--runs-dir, or CLIPRPN_CACHE for the cache)";
