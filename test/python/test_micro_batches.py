"""Training continues with micro-batches, and evaluation with smaller batches, when the device runs out of memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from helpers import CPU, file_fusion, make_baseline, run_context
from short_trials import STEPS_PER_EPOCH, Killed, completed, run, run_to_end, spec_of
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

from cliprpn.contract.generated import ClipRpnSpec, CompletedOutcome, Epoch, FailedOutcome, ResumedFrom
from cliprpn.data.image_objects import ImageObjects
from cliprpn.features.frozen import open_data
from cliprpn.inference.build import build_model
from cliprpn.models import ClipRPN
from cliprpn.out_of_memory import compute_in_batches
from cliprpn.seeding import seed_everything
from cliprpn.trials.micro_batches import AccumulatedStep
from cliprpn.trials.splits import split_rows
from cliprpn.trials.step import TrainingStep
from cliprpn.trials.step_data import StepData, TrainingData, frame_targets, prepare_steps
from cliprpn.trials.trial import run_trial

pytestmark = pytest.mark.usefixtures("no_traces")

# What differs from the default preset in the reference preset, and changes the losses or the model.
REFERENCE: dict[str, Any] = {
    "neck_channels": None,
    "fusion": {"kind": "cross_attention"},
    "rpn": {"objectness_loss": "sampled_bce", "box_loss": "over_sampled", "batch_size_per_image": 16},
}
NEGATIVES: dict[str, Any] = {"rpn": {"negatives_loss_weight": 0.5}}
BATCH_NORM = """import torch

class Normalized(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(map_channels)

    def forward(self, map, words, mask, pooled):
        return self.norm(map)
"""


def one_step(
    spec: ClipRpnSpec, cache: Path, view: int, micro_batch_size: int | None
) -> tuple[TrainingStep, StepData, TrainingData]:
    """A step on the first 9 training sentences, without dropout."""
    settings = spec.settings
    index, features = open_data(
        spec.dataset, spec.backbone, settings.image_size_px, settings.resize, run_context(cache), 1
    )
    rows = split_rows(index, "train", None)
    data = TrainingData(index, features, rows, rows)
    seed_everything(0, 1)
    model = build_model(settings, features.map_channels, features.pooled_dim, features.word_dim)
    for module in model.modules():
        if isinstance(module, (nn.Dropout, nn.MultiheadAttention)):
            module.eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0)
    step = TrainingStep(
        model, optimizer, settings.training, torch.Generator().manual_seed(0), skip_not_finite=False
    )
    objects = ImageObjects(index) if settings.rpn.negatives_loss_weight > 0 else None
    boxes = frame_targets(model, index, features, rows, view)
    (step_data,) = prepare_steps(model, data, objects, boxes, [np.arange(9)], view, 1, CPU, micro_batch_size)
    return step, step_data, data


def gradients_of(
    spec: ClipRpnSpec, cache: Path, view: int, micro_batch_size: int | None
) -> tuple[list[Tensor], Tensor]:
    """The gradients of one step, and its losses, [3]."""
    step, step_data, data = one_step(spec, cache, view, micro_batch_size)
    losses: list[Tensor] = []
    if micro_batch_size is None:
        (part,) = step_data.micro_batches
        step(step_data.inputs(part, data.features, step), 0.0, losses.append)
    else:
        AccumulatedStep(step, data.features)(step_data, 0.0, losses.append)
    (found,) = losses
    return [weight.grad for weight in step.model.parameters() if weight.grad is not None], found


def assert_close(found: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    assert len(found) == len(expected) > 5
    scale = max(gradient.abs().max() for gradient in expected)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=float(tolerance * scale))


@pytest.mark.parametrize("view", [0, 1])
@pytest.mark.parametrize("size", [1, 2, 4, 8])
@pytest.mark.parametrize("changes", [{}, NEGATIVES, REFERENCE], ids=["default", "negatives", "reference"])
def test_gradients_of_micro_batches_add_up_to_those_of_the_batch(
    root: Path, cache: Path, changes: dict[str, Any], size: int, view: int
) -> None:
    spec = spec_of(root, cache, **changes, training={"views": 1, "precision": "fp32", "grad_clip_norm": None})
    expected, losses = gradients_of(spec, cache, view, None)
    gradients, accumulated = gradients_of(spec, cache, view, size)
    # Float32 has 7 digits; some sums have thousands of terms.
    assert_close(gradients, expected, 1e-4)
    torch.testing.assert_close(accumulated, losses, rtol=1e-5, atol=0)


@pytest.mark.parametrize("changes", [NEGATIVES, REFERENCE], ids=["negatives", "reference"])
def test_without_the_totals_of_the_batch_they_would_not(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    """Averages of the parts are another loss: the parts have different numbers of anchors and negatives."""
    spec = spec_of(root, cache, **changes, training={"views": 1, "precision": "fp32", "grad_clip_norm": None})
    _, losses = gradients_of(spec, cache, 0, None)
    forward = TrainingStep.forward
    monkeypatch.setattr(TrainingStep, "forward", lambda self, inputs, totals: forward(self, inputs))
    _, parts = gradients_of(spec, cache, 0, 4)
    assert not torch.allclose(parts / 3, losses, rtol=1e-4)


def test_gradients_in_bfloat16_add_up_in_float32(root: Path, cache: Path) -> None:
    spec = spec_of(root, cache, training={"views": 1, "precision": "bf16", "grad_clip_norm": None})
    expected, _ = gradients_of(spec, cache, 0, None)
    gradients, _ = gradients_of(spec, cache, 0, 2)
    assert all(gradient.dtype == torch.float32 for gradient in gradients)
    assert_close(gradients, expected, 3e-2)  # bfloat16 has 2 to 3 digits.


class Memory:
    """Makes a model run out of memory with more than so many sentences at once.

    Args:
        training, evaluation: the most sentences; None for any number.
        from_step: training steps before that fit, counted from 1.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        training: int | None = None,
        evaluation: int | None = None,
        from_step: int = 1,
    ) -> None:
        self.rates: list[float] = []
        self.sizes: list[int] = []
        forward, apply = ClipRPN.forward, TrainingStep.apply

        def forward_if_it_fits(model: ClipRPN, maps: Tensor, words: Tensor, *rest: Any) -> Any:
            limit = training if model.training else evaluation
            if model.training:
                self.sizes.append(len(words))
            if limit is not None and len(words) > limit and len(self.rates) + 1 >= from_step:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB.")
            return forward(model, maps, words, *rest)

        def apply_and_log(step: TrainingStep) -> None:
            apply(step)
            self.rates.append(step.optimizer.param_groups[0]["lr"])

        monkeypatch.setattr(ClipRPN, "forward", forward_if_it_fits)
        monkeypatch.setattr(TrainingStep, "apply", apply_and_log)


def losses_of(outcome: CompletedOutcome) -> list[float]:
    return [epoch.loss for epoch in outcome.epochs]


@pytest.mark.parametrize(("fits", "size"), [(3, 2), (2, 2), (1, 1)])
def test_a_trial_is_trained_with_the_micro_batches_that_fit(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: int, size: int
) -> None:
    spec = spec_of(root, cache, **NEGATIVES)
    with monkeypatch.context() as patch:
        plain = Memory(patch)
        expected = run_to_end(spec, tmp_path / "plain")
    assert expected.micro_batch_size is None and expected.evaluation_batch_size is None
    memory, warnings = Memory(monkeypatch, training=fits), []
    outcome = run_to_end(spec, tmp_path / "full", warnings=warnings)
    assert outcome.micro_batch_size == size
    assert max(memory.sizes[-STEPS_PER_EPOCH:]) == size
    assert memory.rates == plain.rates and len(plain.rates) == 3 * STEPS_PER_EPOCH
    assert losses_of(outcome) == pytest.approx(losses_of(expected), rel=1e-3)
    assert len(warnings) == (4 // size).bit_length() - 1 and "epoch 1" in warnings[0]
    # It is another computation, but a reproducible one.
    again = run_to_end(spec, tmp_path / "again")
    assert losses_of(again) == losses_of(outcome) and again.metrics == outcome.metrics


def test_training_continues_at_the_last_checkpoint_and_a_killed_one_with_its_micro_batches(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(root, cache)
    with monkeypatch.context() as patch:
        Memory(patch)
        plain = run_to_end(spec, tmp_path / "plain")
    with monkeypatch.context() as patch:
        memory, warnings = Memory(patch, training=2, from_step=STEPS_PER_EPOCH + 3), []
        outcome = run_to_end(spec, tmp_path / "full", warnings=warnings)
    assert outcome.micro_batch_size == 2 and outcome.resumed_from is None
    assert losses_of(outcome)[0] == losses_of(plain)[0] and losses_of(outcome)[1:] != losses_of(plain)[1:]
    assert len(memory.rates) == 3 * STEPS_PER_EPOCH + 2  # Two steps of epoch 2 were made again.
    assert ["epoch 2" in warning for warning in warnings] == [True]
    events = EventAccumulator(str(tmp_path / "full" / "events"))
    events.Reload()
    assert [each.step for each in events.Scalars("loss")] == [1, 2, 3]

    def die(step: TrainingStep) -> None:
        if len(memory.rates) == 2 * STEPS_PER_EPOCH + 2 + 1:
            raise Killed
        apply(step)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        memory = Memory(patch, training=2, from_step=STEPS_PER_EPOCH + 3)
        apply = TrainingStep.apply
        patch.setattr(TrainingStep, "apply", die)
        run(spec, tmp_path / "1")
    resumed = completed(run(spec, tmp_path / "2", tmp_path / "1"))  # Where everything would fit.
    assert resumed.resumed_from == ResumedFrom(attempt=1, epoch=3, step=0)
    assert resumed.micro_batch_size == 2
    assert losses_of(resumed) == losses_of(outcome) and resumed.metrics == outcome.metrics


@pytest.mark.parametrize("fusion", ["switched", "file"])
def test_the_events_say_which_epochs_count_after_training_went_back(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fusion: str
) -> None:
    """To the last checkpoint, or to the start, where a custom fusion has state that cannot be saved."""
    source = BATCH_NORM.replace(
        "self.norm = torch.nn.BatchNorm2d(map_channels)", "self.draws = iter([0.0] * 999)"
    )
    source = source.replace("return self.norm(map)", "return map + next(self.draws)")
    changes = {} if fusion == "switched" else {"fusion": file_fusion(tmp_path / "f.py", source, "Normalized")}
    counted: list[Epoch] = []
    told: list[int] = []

    def emit(event: Any) -> None:
        if event.type == "restart":
            told.append(0 if event.epoch is None else event.epoch.epoch)
            del counted[told[-1] :]
            assert counted[-1:] == ([] if event.epoch is None else [event.epoch])
        elif event.type == "epoch":
            counted.append(event.epoch)

    Memory(monkeypatch, training=2, from_step=2 * STEPS_PER_EPOCH + 1)
    outcome = completed(run_trial(spec_of(root, cache, **changes), tmp_path / "1", emit, lambda: False))
    assert told == [2 if fusion == "switched" else 0]
    assert counted == outcome.epochs and [epoch.epoch for epoch in counted] == [1, 2, 3]


def test_a_resumed_trial_that_runs_out_of_memory_keeps_where_it_was_resumed(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, done = spec_of(root, cache), []

    def should_stop() -> bool:
        return len(done) > STEPS_PER_EPOCH + 1

    with monkeypatch.context() as patch, pytest.raises(Exception, match="stopped"):
        done = Memory(patch).rates
        run_trial(spec, tmp_path / "1", lambda event: None, should_stop)
    Memory(monkeypatch, training=1)
    outcome = run_to_end(spec, tmp_path / "2", tmp_path / "1")
    assert outcome.resumed_from == ResumedFrom(attempt=1, epoch=2, step=2)
    assert outcome.micro_batch_size == 1
    durations = outcome.durations_ms
    assert durations.total >= durations.training >= sum(epoch.duration_ms for epoch in outcome.epochs)


def test_a_trial_fails_if_one_sentence_does_not_fit(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(monkeypatch, training=0)
    outcome = run(spec_of(root, cache), tmp_path / "1")
    assert isinstance(outcome, FailedOutcome) and outcome.error.code == "out_of_memory"
    assert memory.sizes == [4, 2, 1] and memory.rates == []
    assert "epoch 1" in outcome.error.message and "training.batch_size (now 4)" in outcome.error.message


def test_a_batch_that_is_normalized_is_not_cut(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(monkeypatch, training=2)
    fusion = file_fusion(tmp_path / "f.py", BATCH_NORM, "Normalized")
    outcome = run(spec_of(root, cache, fusion=fusion), tmp_path / "1")
    assert isinstance(outcome, FailedOutcome) and outcome.error.code == "out_of_memory"
    assert memory.sizes == [4]
    for part in ("fusion_module.norm", "BatchNorm2d", "training.batch_size (now 4)"):
        assert part in outcome.error.message


@pytest.mark.parametrize("fusion", ["switched", "file"])
def test_evaluation_continues_with_batches_that_fit(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fusion: str
) -> None:
    """Also with outputs that were kept from training, which a custom fusion has none of."""
    source = BATCH_NORM.replace("BatchNorm2d(map_channels)", "Identity()")
    changes = {} if fusion == "switched" else {"fusion": file_fusion(tmp_path / "f.py", source, "Normalized")}
    spec = spec_of(root, cache, **changes)
    expected = run_to_end(spec, tmp_path / "plain")
    Memory(monkeypatch, evaluation=1)
    warnings: list[str] = []
    outcome = run_to_end(spec, tmp_path / "full", warnings=warnings)
    assert outcome.evaluation_batch_size == 1 and outcome.micro_batch_size is None
    assert outcome.metrics.num_sentences == expected.metrics.num_sentences == 4
    assert len(warnings) == 2  # 4, 2, 1: once each, not in every epoch.
    tables = [pq.read_table(tmp_path / name / "predictions-val.parquet") for name in ("plain", "full")]
    for name in ("objectness", "iou", "iou_blank"):
        one, other = (table[name].to_numpy() for table in tables)
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_trained_model_that_proposes_with_smaller_batches_is_marked(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(spec_of(root, cache, training={"num_epochs": 1}), tmp_path / "model")
    spec = make_baseline(root, cache, {"kind": "rpn", "file": str(tmp_path / "model" / "best.safetensors")})
    assert run_to_end(spec, tmp_path / "plain").evaluation_batch_size is None
    Memory(monkeypatch, evaluation=2)
    assert run_to_end(spec, tmp_path / "full").evaluation_batch_size == 2
    # It is no limit of the next trial in this process.
    monkeypatch.undo()
    assert run_to_end(spec, tmp_path / "next").evaluation_batch_size is None


def fail_above(limit: int, error: Exception) -> Callable[[np.ndarray, int], int]:
    def compute(batch: np.ndarray, start: int) -> int:
        if len(batch) > limit:
            raise error
        return start

    return compute


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried"
        ),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_every_row_is_computed_once_whatever_the_device_says(tmp_path: Path, error: Exception) -> None:
    rows = np.arange(10) + 100
    context = run_context(tmp_path)
    batches = [*compute_in_batches(rows, 8, fail_above(3, error), context)]
    assert np.concatenate([batch for batch, _ in batches]).tolist() == rows.tolist()
    assert [batch[0] - 100 for batch, _ in batches] == [start for _, start in batches] == [0, 2, 4, 6, 8]
    assert context.batch_limit.rows == 2
    with pytest.raises(type(error)):
        [*compute_in_batches(rows, 8, fail_above(0, error), context)]
    with pytest.raises(RuntimeError, match="shape"):
        [*compute_in_batches(rows, 8, fail_above(3, RuntimeError("shape")), run_context(tmp_path))]
