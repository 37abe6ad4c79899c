"""Recorded outputs of ClipRPN (Trento), compared through the importer of its checkpoints."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cliprpn.inference.golden import check_golden, main

FIXTURES = Path(__file__).parents[1] / "fixtures" / "golden"
FILES = sorted(FIXTURES.glob("*.npz"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_output_equals_the_recorded_one(file: Path) -> None:
    rows = check_golden([file], torch.device("cpu"))
    assert {row.output for row in rows} >= {"fused", "anchors_xyxy", "top1_xyxy", "loss_rpn_box_reg"}
    assert [row for row in rows if not row.ok] == []


def test_a_changed_weight_is_detected(tmp_path: Path) -> None:
    with np.load(FILES[0]) as arrays:
        changed = {key: arrays[key] for key in arrays.files}
    changed["state.rpn_wrapper.head.conv.0.bias"] = changed["state.rpn_wrapper.head.conv.0.bias"] + 0.1
    np.savez(tmp_path / "changed.npz", **changed)
    assert main([str(tmp_path / "changed.npz")]) == 1


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    assert main([str(tmp_path / "none.npz")]) == 2
