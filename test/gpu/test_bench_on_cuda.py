"""`python -m bench.gpu`, small: every part runs on the device with the code of trials, and writes its figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from fakecuda import FakeCuda

# Of the parts that differ in their settings only, one.
PARTS = ["peaks", "default-bf16*", "reference-fp32", "ground", "extraction", "launches-default-bf16"]


@pytest.mark.slow
def test_every_part_has_figures(
    tmp_path: Path, run_forking_module: Callable[..., CompletedProcess[str]], simulation: FakeCuda | None
) -> None:
    args = ("--small", "--out", str(tmp_path), "--minutes", "20", "--only", *PARTS)
    done = run_forking_module("bench.gpu", *args)
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    problems = {row["part"]: row["problem"] for row in rows if row["problem"] is not None}
    if simulation is None:
        assert not problems and done.returncode == 0, done.stdout
    else:
        assert list(problems) == ["launches-default-bf16"] and done.returncode == 1, done.stdout + done.stderr
    figures = {row["what"]: row["figures"] for row in rows if row["problem"] is None}
    for what in ("default, bf16", "default, bf16, CUDA graphs", "reference, fp32"):
        ours = figures[f"cliprpn, {what}"]
        assert ours["epoch_s"] > ours["val_s"] > 0 and ours["num_steps"] == 3
        assert ours["features_on_device"] == ours["measured_share"] == 1
        assert ours["flops"] > 0 and ours["operator_bytes"] > ours["least_bytes"] > 4 * ours["num_parameters"]
        assert 0 < ours["roofline_share"] <= ours["operator_share"]
        assert ours["peak_device_bytes"] > 4 * ours["num_parameters"]
    plain = figures["a plain PyTorch loop, default, bf16"]
    assert plain["epoch_s"] > plain["val_s"] > 0 and plain["num_steps"] == 3
    faster = figures["cliprpn, default, bf16"]["times_faster"]
    assert faster == plain["epoch_s"] / figures["cliprpn, default, bf16"]["epoch_s"]
    assert figures["`ground`, default, bf16"]["p95_ms"] >= figures["`ground`, default, bf16"]["p50_ms"] > 0
    assert figures["`ground`, default, bf16, models loaded"]["p50_ms"] > 0
    for what in (
        "decoding images",
        "reading prepared images",
        "the network alone",
        "prepared images to the store",
    ):
        assert figures[what]["images_per_s"] > 0
    page = (tmp_path / "RESULTS.md").read_text()
    assert all(
        title in page for title in ("## Training", "## Extraction", "## `ground`", "## Peaks of the device")
    )
