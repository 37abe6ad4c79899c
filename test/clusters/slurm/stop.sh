#!/usr/bin/env bash
# stop.sh FOLDER: ends the jobs and the processes of a SLURM that start.sh started in FOLDER, by their process ids.
set -uo pipefail
folder=$1
export SLURM_CONF=$folder/slurm.conf
pids=()
for name in slurmctld slurmd-n1 slurmd-n2 munge/; do
  file=$folder/${name%/}.pid
  [ "$name" = munge/ ] && file=$folder/munge/pid
  [ -s "$file" ] && pids+=("$(cat "$file")")
done
# Steps of jobs outlive slurmd.
ids=$(timeout 10 squeue -h -o %A 2>/dev/null)
if [ -n "$ids" ]; then
  timeout 10 scancel --signal=KILL --batch $ids 2>/dev/null
  timeout 10 scancel $ids 2>/dev/null
  for _ in $(seq 100); do
    [ -z "$(timeout 10 squeue -h -o %A 2>/dev/null)" ] && break
    sleep 0.1
  done
fi
[ ${#pids[@]} = 0 ] && exit 0
kill "${pids[@]}" 2>/dev/null
for _ in $(seq 100); do
  kill -0 "${pids[@]}" 2>/dev/null || exit 0
  sleep 0.1
done
kill -KILL "${pids[@]}" 2>/dev/null
exit 0
