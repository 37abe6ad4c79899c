"""The process that computes figures: it starts without torch, and refuses what needs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cliprpn.box_arrays import area, paired_intersection, paired_iou
from cliprpn.boxes import box_area, box_intersection_paired, box_iou_paired
from cliprpn.bridge.figure_methods import FIGURE_METHODS
from cliprpn.bridge.methods import METHODS
from cliprpn.contract.generated import SCHEMA_SHA256, BridgeMethods

# Each of these takes longer to import than the figures of a comparison.
SLOW = ("torch", "torchvision", "scipy.stats", "scipy.optimize", "PIL.Image")


def in_new_process(*calls: tuple[str, dict[str, Any]]) -> tuple[list[Any], list[str]]:
    """The replies of a new process, and the slow modules that it has imported."""
    program = (
        "import json, sys\n"
        "from cliprpn.bridge import runtime\n"
        "replies = [json.loads(runtime.handle(*call)) for call in json.loads(sys.argv[1])]\n"
        f"print(json.dumps([replies, [name for name in {SLOW!r} if name in sys.modules]]))\n"
    )
    texts = json.dumps([[method, json.dumps(params)] for method, params in calls])
    done = subprocess.run(
        [sys.executable, "-c", program, texts],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "python")},
    )
    replies, modules = json.loads(done.stdout)
    return replies, modules


def test_a_process_without_a_device_imports_no_torch_and_runs_no_trial() -> None:
    hello = {"schema_sha256": SCHEMA_SHA256, "device": None, "num_threads": None}
    missing = {"file": "/no/such/file.csv", "reading": READING, "targets": [TARGET]}
    questions = {"root": "/no/such/folder", "out_file": "/no/such/file.jsonl", "split": "test", "only": None}
    questions |= {"prompt": "{}", "coordinates": "xyxy", "image_paths": "absolute"}
    (greeting, answers, exported, golden), modules = in_new_process(
        ("hello", hello),
        ("read_answers", missing),
        ("export_questions", questions),
        ("golden", {"files": []}),
    )
    assert greeting["status"] == "ok"
    assert greeting["value"]["environment"] is None
    assert set(greeting["value"]["sources_sha256"]) == {"cliprpn", "baseline"}
    assert answers["error"]["code"] == "not_found"
    assert exported["error"]["code"] == "data_invalid"
    assert golden["error"]["code"] == "contract_violation"
    assert "read_answers" in golden["error"]["message"]
    assert modules == []


READING = {"format": None, "columns": None, "coordinates": None, "force_coordinates": False}
TARGET = {
    "dataset": {"id": "a", "name": "a", "root": "/no/such/folder", "split_by": "own"},
    "split": "test",
    "out_dir": "/no/such/folder",
}


def test_every_method_is_in_one_of_the_two_lists() -> None:
    assert set(METHODS) & set(FIGURE_METHODS) == set()
    assert {*METHODS, *FIGURE_METHODS, "hello"} == set(BridgeMethods.model_fields)


@pytest.mark.parametrize("seed", range(3))
def test_boxes_as_arrays_and_as_tensors_have_the_same_iou(seed: int) -> None:
    """Bit by bit, as an IoU of 0.5 is a hit. Some are empty, inverted, equal or apart."""
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(-2, 6, (500, 4)).astype(np.float64) for _ in range(2))
    b[:50] = a[:50]
    a[-1], b[-1] = (0, 0, 3, 2), (0, 0, 3, 1)
    tensors = torch.from_numpy(a), torch.from_numpy(b)
    assert paired_iou(a, b).tolist() == box_iou_paired(*tensors).tolist()
    assert paired_intersection(a, b).tolist() == box_intersection_paired(*tensors).tolist()
    assert area(a).tolist() == box_area(tensors[0]).tolist()
    assert paired_iou(a, b)[-1] == 0.5
