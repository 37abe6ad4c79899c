#!/bin/sh
":" /* # The shell runs the lines up to `exec`, and Node, to which they are a comment, those below.
# Node restores the default action of signals that are ignored when it starts, as nohup ignores SIGHUP. A shell cannot set a
# trap for such a signal, so that it can tell.
CLIPRPN_SIGHUP=ignored
trap 'CLIPRPN_SIGHUP=stops' HUP
kill -HUP $$
trap - HUP
export CLIPRPN_SIGHUP
exec node "$0" "$@"
*/

if (hasFolder()) await import("../dist/cli.js");
else {
  process.stderr.write("the current folder does not exist any more; change to another one with cd\n");
  process.exitCode = 4;
}

/** Before anything is imported: yargs asks for the current folder, and Node then throws if it was removed. */
function hasFolder() {
  try {
    process.cwd();
    return true;
  } catch {
    return false;
  }
}
