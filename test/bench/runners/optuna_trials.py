"""Runs trials with Optuna: `python optuna_trials.py NUM_TRIALS NUM_WORKERS none|torch FOLDER`.

As its documentation shows for several processes: each loads the study from a journal file and optimizes it. The
random sampler is the fastest one; log lines are off.
"""

from __future__ import annotations

import multiprocessing
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from trial import run_trial


def main(num_trials: int, num_workers: int, with_torch: bool, folder: str) -> None:
    """Splits the trials evenly among processes; one worker is this process."""
    optuna.create_study(study_name="bench", storage=storage_in(folder))
    if num_workers == 1:
        optimize(num_trials, with_torch, folder)
    else:
        spawn = multiprocessing.get_context("spawn")
        arguments = (num_trials // num_workers, with_torch, folder)
        workers = [spawn.Process(target=optimize, args=arguments) for _ in range(num_workers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    trials = optuna.load_study(study_name="bench", storage=storage_in(folder)).trials
    assert [trial.value for trial in trials] == [0.5] * num_trials


def optimize(num_trials: int, with_torch: bool, folder: str) -> None:
    """Runs some trials of the study in this process."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(study_name="bench", storage=storage_in(folder), sampler=sampler)

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_int("seed", 0, 1_000_000)
        return run_trial(folder, with_torch=with_torch)

    study.optimize(objective, n_trials=num_trials)


def storage_in(folder: str) -> JournalStorage:
    """The journal of the study."""
    return JournalStorage(JournalFileBackend(f"{folder}/journal.log"))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "torch", sys.argv[4])
