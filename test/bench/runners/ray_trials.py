"""Runs trials with Ray Tune: `python ray_trials.py NUM_TRIALS NUM_WORKERS none|torch|killed FOLDER [ADDRESS]`.

A class with `reset_config`, so that `reuse_actors` keeps its processes, and the loggers that Tune adds by default.
Without the address of a cluster, it starts a Ray of its own.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import ray
from ray import tune
from trial import run_trial, wait_for_kill


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
        """The trial ends after it. Of those of the kind `killed`, only the first one waits."""
        folder, kind = self.arguments["folder"], self.arguments["kind"]
        if kind == "killed" and self.arguments["seed"] == 0:
            score = wait_for_kill(folder)
        else:
            score = run_trial(folder, with_torch=kind == "torch")
        return {"score": score, "done": True}


def main(num_trials: int, num_workers: int, kind: str, folder: str, address: str | None) -> None:
    """Each worker has one CPU."""
    with _cluster(num_workers, address):
        seeds = tune.grid_search(list(range(num_trials)))
        tuner = tune.Tuner(
            Trial,
            param_space={"seed": seeds, "folder": folder, "kind": kind},
            tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=num_workers),
            run_config=tune.RunConfig(
                storage_path=folder,
                name="sweep",
                verbose=0,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # There is no model.
                failure_config=tune.FailureConfig(max_failures=1 if kind == "killed" else 0),
            ),
        )
        results = tuner.fit()
        assert [result.metrics["score"] for result in results] == [0.5] * num_trials


@contextlib.contextmanager
def _cluster(num_workers: int, address: str | None) -> Iterator[None]:
    """Connects to the cluster at this address, or to one that ends afterwards."""
    with contextlib.ExitStack() as stack:
        if address is None:
            session = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # The paths of its sockets must be short.
            stack.callback(shutil.rmtree, session, ignore_errors=True)
            options = {"num_cpus": num_workers, "include_dashboard": False, "_temp_dir": session}
        else:
            options = {"address": address}
        stack.callback(ray.shutdown)
        ray.init(log_to_driver=False, **options)
        yield


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:5], sys.argv[5] if len(sys.argv) > 5 else None)
