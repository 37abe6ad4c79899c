"""A trial that was killed continues from its checkpoint, with the bits of a trial that was not."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from helpers import file_fusion, make_baseline
from short_trials import STEPS_PER_EPOCH, Killed, spec_of
from short_trials import run_to_end as run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cliprpn.code_identity import code_hashes
from cliprpn.contract.generated import CompletedOutcome, ResumedFrom
from cliprpn.errors import CliprpnError
from cliprpn.storage.specs import Spec
from cliprpn.storage.training_state import read_training_state
from cliprpn.trials import checkpoint, cliprpn, train_in_memory
from cliprpn.trials.checkpoint import RESUME_FILE, KeepModels, ResumeOptions
from cliprpn.trials.step import TrainingStep
from cliprpn.trials.trial import run_trial

pytestmark = pytest.mark.usefixtures("no_traces")

# It draws from every generator, and keeps state in a buffer, a plain number and a plain tensor.
RANDOM_FUSION = """import random
import numpy, torch

class Random(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)
        self.dropout = torch.nn.Dropout(0.2)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("unsaved", torch.zeros(()), persistent=False)
        self.calls, self.last = 0, torch.zeros(())

    def forward(self, map, words, mask, pooled):
        scale = 1 + 0.1 * (random.random() + numpy.random.rand() + self.last + self.unsaved) + 0.01 * self.calls
        if self.training:
            self.calls += 1
            self.mean += 0.1 * (map.detach().mean() - self.mean)
            self.unsaved += 0.01
            self.last = self.mean * 0.5
        return self.dropout(map) * (self.text(pooled)[:, :, None, None] + self.mean) * scale
"""


def kill_in_step(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Makes training end before the update of a step, counted from 1 over all epochs."""
    numbers, update = itertools.count(1), TrainingStep.update

    def update_or_die(self: TrainingStep, loss: torch.Tensor) -> None:
        if next(numbers) == number:
            raise Killed
        update(self, loss)

    monkeypatch.setattr(TrainingStep, "update", update_or_die)


def run_killed(
    monkeypatch: pytest.MonkeyPatch, number: int, spec: Spec, folder: Path, *resume_from: Path, **options: Any
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_in_step(patch, number)
        run(spec, folder, *resume_from, **options)
    assert not (folder / "outcome.json").exists()


def assert_same(outcome: CompletedOutcome, expected: CompletedOutcome, folder: Path, whole: Path) -> None:
    """All bits are the same, except those of times."""
    timeless = [
        [epoch.model_copy(update={"duration_ms": 0}) for epoch in each.epochs] for each in (outcome, expected)
    ]
    assert timeless[0] == timeless[1]
    assert (outcome.metrics, outcome.best_epoch) == (expected.metrics, expected.best_epoch)
    assert outcome.notes == expected.notes
    names = {path.name for path in whole.iterdir()}
    assert {path.name for path in folder.iterdir()} == names
    for name in names - {"events", "outcome.json", "predictions-val.parquet"}:
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    predictions = [pq.read_table(each / "predictions-val.parquet") for each in (folder, whole)]
    assert predictions[0].equals(predictions[1])
    assert curves(folder) == curves(whole)


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(folder / "events"))
    events.Reload()
    return {
        name: [(each.step, each.value) for each in events.Scalars(name)] for name in events.Tags()["scalars"]
    }


@pytest.mark.parametrize("fusion", ["switched", "file"])
@pytest.mark.parametrize(
    ("step", "minutes", "resumed"),
    [
        (STEPS_PER_EPOCH + 1, 0, (2, 0)),  # In the first step of epoch 2.
        (STEPS_PER_EPOCH + 3, 0, (2, 0)),  # In the middle, with a checkpoint before it only.
        (STEPS_PER_EPOCH + 3, 1e-9, (2, 2)),  # With checkpoints within the epoch.
        (3, 1e-9, (1, 2)),
        (3 * STEPS_PER_EPOCH, 0, (3, 0)),
    ],
)
def test_a_killed_trial_continues_to_the_same_bits(
    root: Path,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    minutes: float,
    resumed: tuple[int, int],
    fusion: str,
) -> None:
    changes = (
        {} if fusion == "switched" else {"fusion": file_fusion(tmp_path / "f.py", RANDOM_FUSION, "Random")}
    )
    spec = spec_of(root, cache, **changes)
    expected = run(spec, tmp_path / "whole")
    assert expected.resumed_from is None
    run_killed(monkeypatch, step, spec, tmp_path / "1", minutes=minutes)
    before = (tmp_path / "1" / RESUME_FILE).read_bytes()
    outcome = run(spec, tmp_path / "2", tmp_path / "1", minutes=minutes)
    assert outcome.resumed_from == ResumedFrom(attempt=1, epoch=resumed[0], step=resumed[1])
    assert_same(outcome, expected, tmp_path / "2", tmp_path / "whole")
    assert (tmp_path / "1" / RESUME_FILE).read_bytes() == before  # Nobody else writes to its folder.


# State in all the places, and of all the types, that a checkpoint can contain.
HIDDEN_FUSION = """import random
from collections import deque
import numpy, torch

calls = 0
history = [0.0]

def called():
    global calls
    calls += 1
    history.append(calls / 2)

class Scale(torch.nn.Module):
    total = 0.0

    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(()))
        self.draws = numpy.random.default_rng(3)

    def forward(self, map):
        type(self).total += 0.01
        return map * (self.factor + 0.1 * self.draws.random() + type(self).total)

class Hidden(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(pooled_dim, map_channels)
        self.scale = Scale()
        self.steps = [self.text, self.scale]
        self.apply_scale = self.scale.forward
        self.noise, self.old = torch.Generator().manual_seed(5), numpy.random.RandomState(1)
        self.python, self.recent = random.Random(2), deque([1.0], maxlen=3)
        self.cache, self.array, self.last = {}, numpy.zeros(2), [0.0]

    def forward(self, map, words, mask, pooled):
        if self.training:
            called()
            self.recent.append(self.python.random())
            self.cache[tuple(map.shape[1:])] = (torch.full((), len(self.cache) + calls / 10), {calls})
            self.array[0] += self.old.rand()
            self.last = [torch.rand((), generator=self.noise)]
        drawn = sum(self.recent) + self.array.sum() + history[-1] + len(history)
        drawn = drawn + sum(value for value, _ in self.cache.values()) + self.last[0]
        return self.apply_scale(map) * (self.text(pooled)[:, :, None, None] + 0.01 * drawn)
"""


def test_state_that_a_custom_fusion_keeps_outside_of_buffers_is_restored(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(root, cache, fusion=file_fusion(tmp_path / "f.py", HIDDEN_FUSION, "Hidden"))
    warnings: list[str] = []
    expected = run(spec, tmp_path / "whole", warnings=warnings)
    run_killed(monkeypatch, STEPS_PER_EPOCH + 3, spec, tmp_path / "1", minutes=1e-9)
    outcome = run(spec, tmp_path / "2", tmp_path / "1", warnings=warnings)
    assert outcome.resumed_from == ResumedFrom(attempt=1, epoch=2, step=2)
    assert_same(outcome, expected, tmp_path / "2", tmp_path / "whole")
    assert warnings == []


# What changes, and is of no type that can be saved, or shares memory.
UNSAVED = {
    "fusion.count": ("self.count = itertools.count()", "next(self.count)"),
    "fusion.draws": ("self.draws = iter([0.1] * 99)", "next(self.draws)"),
    "fusion.own": ("self.own = Own()", "self.own.calls += 1"),
    "fusion.alias": ("self.alias = None", "self.alias = self.mean"),
    "file.own": ("pass", "own.calls += 1"),
    "fusion.second": ("self.first, self.second = [0], [0]", "self.first = self.second; self.first.append(1)"),
}


@pytest.mark.parametrize("place", UNSAVED)
def test_a_trial_with_state_that_cannot_be_saved_begins_again_and_says_so(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    make, change = UNSAVED[place]
    source = RANDOM_FUSION.replace("import random", "import itertools, random").replace(
        "class Random",
        "class Own:\n    calls = 0\n    def __init__(self):\n        self.calls = 0\n\nown = Own()\n\nclass Random",
    )
    source = source.replace("self.calls, self.last", f"{make}\n        self.calls, self.last")
    source = source.replace(
        "            self.calls += 1", f"            {change}\n            self.calls += 1"
    )
    spec = spec_of(root, cache, fusion=file_fusion(tmp_path / "f.py", source, "Random"))
    warnings: list[str] = []
    expected = run(spec, tmp_path / "whole", warnings=warnings)
    assert len(warnings) == 1 and place in warnings[0] and str(tmp_path / "f.py") in warnings[0]
    run_killed(monkeypatch, STEPS_PER_EPOCH + 3, spec, tmp_path / "1", minutes=1e-9)
    outcome = run(spec, tmp_path / "2", tmp_path / "1")
    assert outcome.resumed_from is None
    assert_same(outcome, expected, tmp_path / "2", tmp_path / "whole")


@pytest.mark.parametrize("keep_models", ["none", "best"])
def test_a_trial_may_be_killed_again_and_again(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep_models: KeepModels
) -> None:
    """Also before its first checkpoint, with the best epoch in the past, and with a loss of negatives and views."""
    train = train_in_memory.train_model

    def worse_later(*args: Any) -> Any:
        for epoch in train(*args):
            yield epoch.model_copy(update={"val_acc_at_50": 1 / epoch.epoch})

    monkeypatch.setattr(train_in_memory, "train_model", worse_later)
    training = {"num_epochs": 4, "batch_by": "sentence", "views": 1}
    spec = spec_of(root, cache, training=training, rpn={"negatives_loss_weight": 0.5})
    expected = run(spec, tmp_path / "whole", keep_models=keep_models)
    assert expected.best_epoch == 1
    run_killed(monkeypatch, 6, spec, tmp_path / "1", keep_models=keep_models)
    run_killed(monkeypatch, 1, spec, tmp_path / "2", tmp_path / "1", keep_models=keep_models)
    earlier = (tmp_path / "2", tmp_path / "1")
    run_killed(monkeypatch, 7, spec, tmp_path / "3", *earlier, keep_models=keep_models, minutes=1e-9)
    outcome = run(spec, tmp_path / "4", tmp_path / "3", *earlier, keep_models=keep_models)
    assert outcome.resumed_from == ResumedFrom(attempt=3, epoch=3, step=2)
    assert_same(outcome, expected, tmp_path / "4", tmp_path / "whole")


def test_the_epochs_before_the_checkpoint_are_events_of_the_attempt_that_continues(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, epochs = spec_of(root, cache), []
    run_killed(monkeypatch, 2 * STEPS_PER_EPOCH + 2, spec, tmp_path / "1")

    def emit(event: Any) -> None:
        if event.type == "epoch":
            epochs.append(event.epoch)

    outcome = run_trial(spec, tmp_path / "2", emit, lambda: False, resume=ResumeOptions((tmp_path / "1",)))
    assert isinstance(outcome, CompletedOutcome) and outcome.resumed_from is not None
    assert epochs == outcome.epochs and [epoch.epoch for epoch in epochs] == [1, 2, 3]


def test_a_trial_that_is_asked_to_stop_continues_where_it_stopped(
    root: Path, cache: Path, tmp_path: Path
) -> None:
    spec = spec_of(root, cache)
    expected = run(spec, tmp_path / "whole")
    steps: list[int] = []

    def emit(event: Any) -> None:
        if event.type == "progress" and event.phase == "training":
            steps.append(event.done)

    with pytest.raises(CliprpnError) as caught:
        run_trial(spec, tmp_path / "1", emit, lambda: len(steps) >= 1 and steps[-1] >= STEPS_PER_EPOCH + 2)
    assert caught.value.code == "interrupted"
    outcome = run(spec, tmp_path / "2", tmp_path / "1")
    resumed = outcome.resumed_from
    assert resumed is not None
    # Progress is sent a few times a second.
    assert (resumed.epoch - 1) * STEPS_PER_EPOCH + resumed.step == steps[-1] >= STEPS_PER_EPOCH + 2
    assert_same(outcome, expected, tmp_path / "2", tmp_path / "whole")


def test_a_trial_killed_after_its_last_epoch_is_only_evaluated(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(root, cache)
    expected = run(spec, tmp_path / "whole")

    def die(*args: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(cliprpn, "evaluate_model", die)
        run(spec, tmp_path / "1")
    with monkeypatch.context() as patch:
        patch.setattr(TrainingStep, "update", die)
        outcome = run(spec, tmp_path / "2", tmp_path / "1")
    assert outcome.resumed_from == ResumedFrom(attempt=1, epoch=4, step=0)
    assert outcome.durations_ms.training >= sum(epoch.duration_ms for epoch in outcome.epochs)
    assert_same(outcome, expected, tmp_path / "2", tmp_path / "whole")


def test_an_outcome_leaves_no_checkpoint(root: Path, cache: Path, tmp_path: Path) -> None:
    run(spec_of(root, cache), tmp_path / "completed")
    fusion = file_fusion(
        tmp_path / "f.py",
        RANDOM_FUSION.replace("self.calls += 1", "self.calls += 1 + 0 * (1 // (5 - self.calls))"),
        "Random",
    )
    failed = run_trial(
        spec_of(root, cache, fusion=fusion), tmp_path / "failed", lambda _: None, lambda: False
    )
    assert failed.state == "failed" and (tmp_path / "failed" / "best.safetensors").exists()
    for name in ("completed", "failed"):
        assert not (tmp_path / name / RESUME_FILE).exists()


def damage_byte(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        damage_byte,
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"cliprpn checkpoint 2" + content[20:],
    ],
)
def test_a_damaged_checkpoint_is_ignored_with_a_warning(
    root: Path,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[bytes], bytes],
) -> None:
    spec = spec_of(root, cache)
    expected = run(spec, tmp_path / "whole")
    run_killed(monkeypatch, STEPS_PER_EPOCH + 2, spec, tmp_path / "1")
    run_killed(monkeypatch, STEPS_PER_EPOCH + 2, spec, tmp_path / "2", tmp_path / "1")
    file = tmp_path / "2" / RESUME_FILE
    file.write_bytes(damage(file.read_bytes()))
    warnings: list[str] = []
    outcome = run(spec, tmp_path / "3", tmp_path / "2", tmp_path / "1", warnings=warnings)
    assert [str(file) in warning for warning in warnings] == [True]
    assert outcome.resumed_from == ResumedFrom(attempt=1, epoch=2, step=0)
    assert_same(outcome, expected, tmp_path / "3", tmp_path / "whole")
    fresh = run(spec, tmp_path / "4", tmp_path / "2")
    assert fresh.resumed_from is None
    assert_same(fresh, expected, tmp_path / "4", tmp_path / "whole")


def test_the_first_line_of_a_checkpoint_says_code_and_time_of_training(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sweep --dry-run` reads it without torch."""
    run_killed(monkeypatch, STEPS_PER_EPOCH + 2, spec_of(root, cache), tmp_path / "1")
    file = tmp_path / "1" / RESUME_FILE
    line, _, _ = file.read_bytes().partition(b"\n")
    head = json.loads(line[line.index(b"{") :])
    training_ms = read_training_state(file)["training_ms"]
    assert (
        head == {"sources_sha256": code_hashes()["cliprpn"], "training_ms": training_ms} and training_ms > 0
    )


def test_a_checkpoint_that_would_run_code_is_ignored(root: Path, cache: Path, tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "ran",)

    progress = checkpoint.Progress()
    (tmp_path / "1").mkdir()
    checkpoint.Checkpoints(
        tmp_path / "1", {"trial_id": "0123456789abcdef", "sources_sha256": "0" * 64}, 0, progress
    ).save({"epoch": Hostile()})
    warnings: list[str] = []
    outcome = run(spec_of(root, cache), tmp_path / "2", tmp_path / "1", warnings=warnings)
    assert outcome.resumed_from is None and len(warnings) == 1
    assert not (tmp_path / "ran").exists()


def test_checkpoints_of_other_code_or_another_device_are_not_used(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(root, cache)
    with monkeypatch.context() as patch:
        patch.setattr(cliprpn, "code_hashes", lambda: {"cliprpn": "f" * 64})
        run_killed(monkeypatch, STEPS_PER_EPOCH + 2, spec, tmp_path / "1")
    warnings: list[str] = []
    outcome = run(spec, tmp_path / "2", tmp_path / "1", warnings=warnings)
    assert outcome.resumed_from is None
    assert len(warnings) == 1 and "f" * 64 in warnings[0]


def test_a_checkpoint_of_another_trial_is_refused(
    root: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(root, cache)
    run_killed(monkeypatch, STEPS_PER_EPOCH + 2, spec, tmp_path / "1")
    other = spec_of(root, cache, training={"learning_rate": 1e-3}).model_copy(update={"trial_id": "f" * 16})
    resume = ResumeOptions((tmp_path / "1",))
    outcome = run_trial(other, tmp_path / "2", lambda _: None, lambda: False, resume=resume)
    assert outcome.state == "failed" and outcome.error.code == "bad_input"
    for part in (str(tmp_path / "1" / RESUME_FILE), "f" * 16, spec.trial_id):
        assert part in outcome.error.message
    # The same id with other shapes: no trial of ours, but no stack trace, either.
    wider = spec_of(root, cache, neck_channels=32)
    outcome = run_trial(wider, tmp_path / "3", lambda _: None, lambda: False, resume=resume)
    assert outcome.state == "failed" and outcome.error.code == "bad_input"
    assert str(tmp_path / "1" / RESUME_FILE) in outcome.error.message


def test_a_baseline_has_no_checkpoints(root: Path, cache: Path, tmp_path: Path) -> None:
    spec = make_baseline(root, cache, {"kind": "gt_boxes"})
    outcome = run(spec, tmp_path / "2", tmp_path / "1", minutes=1e-9)
    assert outcome.resumed_from is None
    assert not (tmp_path / "2" / RESUME_FILE).exists()
