/**
 * Starts a program as on another machine: by its host and machine id, its process is none that this machine knows. Programs that follow
 * take its place, so that a signal to a job reaches the worker itself. Needs root.
 */
export const onAnotherMachine = [
  ...["unshare", "--uts", "--mount", "sh", "-c"],
  'hostname elsewhere; id=$(mktemp); echo 0123456789abcdef0123456789abcdef >"$id"; mount --bind "$id" /etc/machine-id; rm "$id"; exec "$@"',
  "sh",
];
