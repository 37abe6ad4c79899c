#!/usr/bin/env bash
# start.sh FOLDER: starts a SLURM of two nodes with all its files in an empty FOLDER, and waits until jobs can run. Needs root, and the
# packages slurm-wlm and munge. Everything has its own sockets and ports, so that several can run beside each other.
# Then: export SLURM_CONF=FOLDER/slurm.conf
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mkdir -p "$1" && cd "$1" && pwd)
# FOLDER may be private; the socket of munge must not be.
mkdir -p "$folder"/{munge,state,spool-n1,spool-n2,dev}
chmod 755 "$folder" "$folder/munge"
export PATH=$PATH:/usr/sbin:/sbin

free_ports() {
  local base
  for _ in $(seq 50); do
    base=$((20000 + RANDOM % 10000))
    for port in "$base" $((base + 1)) $((base + 2)); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue 2; fi
    done
    echo "$base"
    return
  done
  echo "start.sh: found no free ports" >&2
  return 1
}

port=$(free_ports)
sed -e "s#{folder}#$folder#g" -e "s#{host}#$(hostname -s)#g" -e "s#{port}#$port#g" \
  -e "s#{port1}#$((port + 1))#g" -e "s#{port2}#$((port + 2))#g" "$here/slurm.conf" >"$folder/slurm.conf"
# Copies of /dev/null stand for the devices of GPUs: SLURM sets CUDA_VISIBLE_DEVICES for character devices only.
for gpu in 0 1; do mknod "$folder/dev/gpu$gpu" c 1 3; done
printf 'NodeName=%s Name=gpu File=%s/dev/gpu[0-1]\n' n1 "$folder" n2 "$folder" >"$folder/gres.conf"

head -c 128 /dev/urandom >"$folder/munge/key"
chmod 600 "$folder/munge/key"
munged --socket="$folder/munge/socket" --key-file="$folder/munge/key" --log-file="$folder/munge/log" \
  --pid-file="$folder/munge/pid" --seed-file="$folder/munge/seed" --force 2>>"$folder/munge/log"

export SLURM_CONF=$folder/slurm.conf
slurmctld -c
slurmd -N n1
slurmd -N n2
for _ in $(seq 300); do
  # Nodes are `idle*` until they answer.
  if [ "$(sinfo -h -N -p low -o %t 2>/dev/null | grep -cx idle)" = 2 ]; then exit 0; fi
  sleep 0.1
done
echo "start.sh: the nodes are not idle after 30 s; see $folder/*.log" >&2
exit 1
