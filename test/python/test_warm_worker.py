"""A trial gives the same bits in a worker that has run other trials as in a new one."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from helpers import file_fusion, make_baseline, make_spec, run_python, small_dataset

from cliprpn.storage.specs import Spec

RUN_IN_WORKER = Path(__file__).with_name("run_in_worker.py")

# What a person's fusion may leave behind in the process.
UNTIDY_FUSION = """import random, numpy, torch

class Untidy(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)

    def forward(self, map, words, mask, pooled):
        torch.manual_seed(7)
        random.seed(7)
        numpy.random.seed(7)
        torch.set_num_threads(2)
        torch.set_flush_denormal(True)
        torch.use_deterministic_algorithms(False)
        torch.backends.mkldnn.fp32_precision = "bf16"
        for kind in (torch.backends.mkldnn.matmul, torch.backends.mkldnn.conv):
            kind.fp32_precision = "bf16"
        return map * self.text(pooled)[:, :, None, None]

    def __del__(self):
        torch.set_default_dtype(torch.float64)
"""
# It draws from torch's generator in every step.
DROPOUT_FUSION = """import torch

class Dropping(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)
        self.dropout = torch.nn.Dropout(0.3)

    def forward(self, map, words, mask, pooled):
        return self.dropout(map) * self.text(pooled)[:, :, None, None]
"""
TRAINING = {"num_epochs": 2, "learning_rate": 1e-2}


def run_worker(folder: Path, trials: dict[str, Spec]) -> None:
    """Runs trials, by name, in one new process."""
    calls: list[tuple[str, dict[str, Any]]] = [
        ("run_trial", {"spec": spec.model_dump(), "folder": str(folder / name), "keep_models": "all"})
        for name, spec in trials.items()
    ]
    folder.mkdir(parents=True)
    (folder / "calls.json").write_text(json.dumps(calls))
    result = run_python(str(RUN_IN_WORKER), str(folder / "calls.json"))
    assert result.returncode == 0, result.stderr


def result_of(folder: Path) -> dict[str, Any]:
    """All that a trial computed: the bytes of its models and predictions, and its metrics and losses."""
    outcome = json.loads((folder / "outcome.json").read_text())
    assert outcome["state"] == "completed", outcome
    files = {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.suffix in (".safetensors", ".parquet")
    }
    epochs = [{**epoch, "duration_ms": 0} for epoch in outcome["epochs"]]
    return {"files": files, "metrics": outcome["metrics"], "epochs": epochs}


@pytest.mark.slow
def test_a_warm_worker_computes_the_bits_of_a_cold_one(tmp_path: Path) -> None:
    """Each worker has a cache of its own, so that a cold one extracts, detects and embeds by itself."""
    root = small_dataset(tmp_path / "blocks")

    def trials(cache: Path) -> dict[str, Spec]:
        untidy = file_fusion(tmp_path / "untidy.py", UNTIDY_FUSION, "Untidy")
        dropping = file_fusion(tmp_path / "dropping.py", DROPOUT_FUSION, "Dropping")
        return {
            "untidy": make_spec(root, cache, fusion=untidy, training=TRAINING),
            "other baseline": make_baseline(root, cache, {"kind": "gt_boxes"}, ranking="blur"),
            "cliprpn": make_spec(root, cache, seed=3, fusion=dropping, training=TRAINING | {"views": 1}),
            "untidy again": make_spec(root, cache, seed=1, fusion=untidy, training=TRAINING),
            "baseline": make_baseline(root, cache, {"kind": "gt_boxes"}, category_prior=True),
        }

    def run_alone(name: str) -> None:
        spec = trials(tmp_path / "caches" / name)[name]
        run_worker(tmp_path / "cold" / name, {name: spec})

    compared = ("cliprpn", "baseline")
    trials(tmp_path / "caches" / "warm")  # The dataset is prepared before processes share it.
    with ThreadPoolExecutor(2) as pool:
        warm = pool.submit(run_worker, tmp_path / "warm", trials(tmp_path / "caches" / "warm"))
        for name in compared:
            run_alone(name)
        warm.result()
    for name in compared:
        one, other = result_of(tmp_path / "warm" / name), result_of(tmp_path / "cold" / name / name)
        assert one["files"].keys() == other["files"].keys() and len(one["files"]) >= 1
        assert one == other, name
