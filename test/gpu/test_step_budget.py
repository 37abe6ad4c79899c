"""A training step's launches and synchronizations stay within a budget, which only goes down."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.step import EVALUATION, READ, count
from fakecuda import FakeCuda

# Launches and synchronizations; `python -m bench.step` prints the lines that cause them. In evaluation, the host waits
# twice for NMS, and for the predictions; those with the empty sentence are made once per image, in other batches.
BUDGET = {
    "default": (192, 0),
    "default, fp32": (185, 0),
    "reference": (132, 0),
    "reference, bf16": (147, 0),
    "negatives": (248, 0),
    "views": (195, 0),
    "default, CUDA graphs": (13, 0),
    "reference, CUDA graphs": (13, 0),
    READ: (39, 1),
    EVALUATION: (164, 3),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("budget")


@pytest.mark.parametrize("kind", BUDGET)
def test_a_step_stays_within_its_budget(cuda: FakeCuda, folder: Path, kind: str) -> None:
    found = count(kind, folder, cuda)
    launches, syncs = BUDGET[kind]
    counted = f"{kind}: counted {found.launches:g} launches, {found.syncs:g} synchronizations"
    places = [*found.sync_places.most_common(), *found.launch_places.most_common(8)]
    assert found.launches <= launches and found.syncs <= syncs, f"{counted}: {places}"
    # A change that saves some lowers the budget, so that nothing is lost later.
    assert found.syncs == syncs, f"{counted}: lower the budget"
    assert found.launches >= 0.95 * launches, f"{counted}: lower the budget"
