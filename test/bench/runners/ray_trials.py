"""Runs trials with Ray Tune: `python ray_trials.py NUM_TRIALS NUM_WORKERS none|torch FOLDER`.

A class with `reset_config`, so that `reuse_actors` keeps its processes, and the loggers that Tune adds by default.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from typing import Any

import ray
from ray import tune
from trial import run_trial


class Trial(tune.Trainable):
    """One step."""

    def setup(self, config: dict[str, Any]) -> None:
        """Keeps what the trial needs."""
        self.arguments = config

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """The actor runs another trial."""
        self.arguments = new_config
        return True

    def step(self) -> dict[str, Any]:
        """The trial ends after it."""
        score = run_trial(self.arguments["folder"], with_torch=self.arguments["with_torch"])
        return {"score": score, "done": True}


def main(num_trials: int, num_workers: int, with_torch: bool, folder: str) -> None:
    """Starts a Ray of its own, with one CPU for each worker."""
    session = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # The paths of its sockets must be short.
    ray.init(num_cpus=num_workers, include_dashboard=False, log_to_driver=False, _temp_dir=session)
    try:
        seeds = tune.grid_search(list(range(num_trials)))
        tuner = tune.Tuner(
            Trial,
            param_space={"seed": seeds, "folder": folder, "with_torch": with_torch},
            tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=num_workers),
            run_config=tune.RunConfig(
                storage_path=folder,
                name="sweep",
                verbose=0,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # There is no model.
            ),
        )
        results = tuner.fit()
        assert [result.metrics["score"] for result in results] == [0.5] * num_trials
    finally:
        ray.shutdown()
        shutil.rmtree(session, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "torch", sys.argv[4])
