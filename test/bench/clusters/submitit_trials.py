"""Runs trials with submitit on SLURM: `python submitit_trials.py NUM_TRIALS NUM_WORKERS none|torch|killed FOLDER`.

One array of jobs, as Hydra's launcher for submitit makes it, of which NUM_WORKERS run at the same time.
PYTHONPATH has bench/runners, also for the jobs.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import submitit
from trial import run_trial, wait_for_kill


def main(num_trials: int, num_workers: int, kind: str, folder: str) -> None:
    """Submits the trials and waits for their results."""
    executor = submitit.AutoExecutor(folder=Path(folder, "jobs"), cluster="slurm")
    executor.update_parameters(
        timeout_min=30, cpus_per_task=1, slurm_array_parallelism=num_workers, slurm_partition="low"
    )
    if kind == "killed":
        print(executor.submit(wait_for_kill, folder).job_id, flush=True)
        return
    jobs = executor.map_array(_run, [folder] * num_trials, [kind == "torch"] * num_trials)
    # Its own wait asks for accounting, which this SLURM has not.
    while not all(job.paths.result_pickle.exists() for job in jobs):
        time.sleep(0.1)
    assert [job.result() for job in jobs] == [0.5] * num_trials


def _run(folder: str, with_torch: bool) -> float:
    return run_trial(folder, with_torch=with_torch)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
