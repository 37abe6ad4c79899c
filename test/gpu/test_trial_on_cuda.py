"""A trial, its features and its memory on a CUDA device."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
import torch
from helpers import file_fusion, make_settings, make_spec, run_context
from torch import Tensor

from cliprpn.contract.generated import CompletedOutcome, FailedOutcome, Settings
from cliprpn.errors import CliprpnError
from cliprpn.features import frozen
from cliprpn.features.frozen import FrozenFeatures, open_data
from cliprpn.inference.build import check_fusion
from cliprpn.trials.trial import Outcome, run_trial

# Lowers the loss of 16 sentences by more than a third in 20 steps.
LEARNING = {"num_epochs": 5, "batch_size": 4, "learning_rate": 1e-2}


def run(root: Path, cache: Path, out: Path, device: torch.device, **changes: Any) -> Outcome:
    spec = make_spec(root, cache, **changes).model_copy(update={"device": str(device)})
    return run_trial(spec, out, lambda event: None, lambda: False)


def completed(outcome: Outcome) -> CompletedOutcome:
    assert isinstance(outcome, CompletedOutcome), outcome
    return outcome


def features_on(root: Path, cache: Path, device: torch.device) -> FrozenFeatures:
    spec = make_spec(root, cache)
    settings = spec.settings
    context = run_context(cache, device=device)
    return open_data(spec.dataset, spec.backbone, settings.image_size_px, settings.resize, context)[1]


@pytest.fixture(scope="module")
def learned(
    root: Path, cache: Path, device: torch.device, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, CompletedOutcome]:
    """A trial that learns, by precision."""
    return {
        precision: completed(
            run(
                root,
                cache,
                tmp_path_factory.mktemp(precision),
                device,
                training={"precision": precision, **LEARNING},
            )
        )
        for precision in ("bf16", "fp32")
    }


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_a_trial_learns_and_its_losses_are_finite(
    learned: dict[str, CompletedOutcome], device: torch.device, precision: str
) -> None:
    outcome = learned[precision]
    losses = [epoch.loss for epoch in outcome.epochs]
    assert all(map(math.isfinite, losses))
    assert losses[-1] < losses[0] * 2 / 3
    assert outcome.environment.device == str(device)
    assert outcome.peak_memory_bytes.device is not None and outcome.peak_memory_bytes.device > 0


def test_half_precision_is_used_on_request(learned: dict[str, CompletedOutcome]) -> None:
    losses = [learned[precision].epochs[0].loss for precision in ("bf16", "fp32")]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)  # bfloat16 has 8 bits of precision.


def test_a_trial_runs_without_node(
    root: Path,
    cache: Path,
    tmp_path: Path,
    device: torch.device,
    run_module: Callable[..., CompletedProcess[str]],
) -> None:
    """There, CUDA is not initialized when the trial starts."""
    spec_file, out = tmp_path / "spec.json", tmp_path / "out"
    spec_file.write_text(make_spec(root, cache).model_copy(update={"device": str(device)}).model_dump_json())
    result = run_module("cliprpn.trials", str(spec_file), str(out))
    assert result.returncode == 0, result.stderr
    outcome = CompletedOutcome.model_validate_json((out / "outcome.json").read_bytes())
    assert outcome.peak_memory_bytes.device is not None and outcome.peak_memory_bytes.device > 0


def test_fusions_are_checked_on_the_device(tmp_path: Path, device: torch.device) -> None:
    source = """import torch

class Mine(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim, on_cpu):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)
        self.on_cpu = on_cpu

    def forward(self, map, words, mask, pooled):
        fused = map * self.text(pooled)[:, :, None, None]
        return fused + torch.zeros(map.shape) if self.on_cpu else fused
"""

    def check(on_cpu: bool) -> int:
        fusion = file_fusion(tmp_path / "mine.py", source, "Mine", on_cpu=on_cpu)
        return check_fusion(Settings.model_validate(make_settings(fusion=fusion)), (512, 192, 48), device)

    assert check(on_cpu=False) > 0
    with pytest.raises(CliprpnError, match=str(device)) as caught:
        check(on_cpu=True)
    assert caught.value.code == "fusion_invalid"


def test_a_trial_with_negatives_on_letterboxed_images_learns(
    root: Path, cache: Path, tmp_path: Path, device: torch.device
) -> None:
    rpn = {"negatives_loss_weight": 1}
    outcome = completed(run(root, cache, tmp_path, device, training=LEARNING, rpn=rpn, resize="letterbox"))
    losses = [epoch.loss for epoch in outcome.epochs]
    assert all(map(math.isfinite, losses)) and losses[-1] < losses[0] * 2 / 3


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_the_same_seed_gives_the_same_bits_and_close_results_without_determinism(
    root: Path, cache: Path, tmp_path: Path, device: torch.device, precision: str
) -> None:
    first, second, other, free = (
        completed(
            run(
                root,
                cache,
                tmp_path / name,
                device,
                seed=seed,
                training={"precision": precision, "deterministic": deterministic, "num_epochs": 1},
            )
        )
        for name, seed, deterministic in (("a", 0, True), ("b", 0, True), ("c", 1, True), ("d", 0, False))
    )
    for one, two, three in zip(first.epochs, second.epochs, free.epochs, strict=True):
        assert one.loss == two.loss
        assert one.loss == pytest.approx(three.loss, rel=1e-2)
    assert first.epochs[-1].loss != other.epochs[-1].loss


EXPLODING = """
import torch

class Exploding(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.power = torch.nn.Parameter(torch.zeros(1, 1))

    def forward(self, map, words, mask, pooled):
        return map * (0.1 + 1000 * self.power).cosh()
"""


def test_a_loss_that_is_not_finite_names_the_step_and_the_line_as_on_the_cpu(
    root: Path, cache: Path, tmp_path: Path, device: torch.device
) -> None:
    """The losses of an epoch are read at its end; the weights are still those that made the first NaN."""
    fusion = file_fusion(tmp_path / "exploding.py", EXPLODING, "Exploding")
    training = {
        "learning_rate": 10,
        "warmup_fraction": 0,
        "num_epochs": 4,
        "batch_size": 2,
        "precision": "fp32",
    }
    errors = []
    for place in (device, torch.device("cpu")):
        outcome = run(root, cache, tmp_path / place.type, place, fusion=fusion, training=training)
        assert isinstance(outcome, FailedOutcome)
        assert outcome.error.code == "loss_not_finite", outcome.error.message
        errors.append(outcome.error.message)
    assert "exploding.py:10, in forward" in errors[0] and "epoch 1, step 2:" in errors[0]
    assert errors[0] == errors[1]


def test_features_are_kept_on_the_device_if_they_fit(
    root: Path, cache: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = features_on(root, cache, device)
    assert isinstance(kept.maps, Tensor) and kept.maps.device == device and kept.maps.dtype == torch.float16
    assert isinstance(kept.text.words, Tensor) and isinstance(kept.text.pooled, Tensor)
    batch = [part.cpu() for part in kept.batch(np.arange(5), device)]

    frozen._opened.clear()
    total = torch.cuda.mem_get_info(device)[1]
    free = 2 * kept.text.num_bytes + 1  # Half of it is enough for the text, not for the maps.
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, total))
    on_disk = features_on(root, cache, device)
    assert isinstance(on_disk.maps, np.ndarray)
    assert isinstance(on_disk.text.words, Tensor) and on_disk.text.words.device == device
    for one, two in zip(batch, on_disk.batch(np.arange(5), device), strict=True):
        assert torch.equal(one, two.cpu())


def test_running_out_of_device_memory_fails_the_trial_and_the_next_one_runs(
    root: Path, cache: Path, tmp_path: Path, device: torch.device
) -> None:
    features_on(root, cache, device)
    frozen._opened.clear()
    torch.cuda.empty_cache()
    total = torch.cuda.mem_get_info(device)[1]
    torch.cuda.set_per_process_memory_fraction(64 * 2**20 / total, device)
    try:
        # With 2048 channels, the 3x3 convolution of the head alone takes 150 MB.
        outcome = run(root, cache, tmp_path / "full", device, neck_channels=2048)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    assert isinstance(outcome, FailedOutcome)
    assert outcome.error.code == "out_of_memory", outcome.error.message
    assert "training.batch_size" in outcome.error.message
    completed(run(root, cache, tmp_path / "next", device, training={"num_epochs": 1}))


def test_a_trial_continues_with_micro_batches_and_the_memory_of_the_first_try_is_free(
    root: Path, cache: Path, tmp_path: Path, device: torch.device
) -> None:
    def train(name: str, **training: Any) -> Outcome:
        settings = {"num_epochs": 2, "batch_size": 16, "precision": "fp32", **training}
        return run(
            root, cache, tmp_path / name, device, neck_channels=32, image_size_px=256, training=settings
        )

    train("features", num_epochs=1)  # Extraction needs more memory.
    expected, smaller = completed(train("whole")), completed(train("half", batch_size=8))
    peaks = [outcome.peak_memory_bytes.device or 0 for outcome in (expected, smaller)]
    assert peaks[0] > 1.1 * peaks[1]
    torch.cuda.empty_cache()
    before, total = torch.cuda.memory_allocated(device), torch.cuda.mem_get_info(device)[1]
    torch.cuda.set_per_process_memory_fraction(sum(peaks) / 2 / total, device)
    try:
        outcome = completed(train("full"))
        gc.collect()
        assert torch.cuda.memory_allocated(device) == before
        graphed = train("graphed", cuda_graphs=True)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    assert outcome.micro_batch_size == 8
    assert (outcome.peak_memory_bytes.device or 0) < peaks[0]
    for one, two in zip(outcome.epochs, expected.epochs, strict=True):
        assert one.loss == pytest.approx(two.loss, rel=1e-3)
        assert one.learning_rate == two.learning_rate
    assert isinstance(graphed, FailedOutcome) and graphed.error.code == "out_of_memory"
    assert "training.cuda_graphs" in graphed.error.message
