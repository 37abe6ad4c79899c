"""Training steps as CUDA graphs: losses are those of plain steps."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from fakecuda import FakeCuda
from helpers import file_fusion, make_spec, run_context
from test_trial import REFERENCE
from test_trial_on_cuda import EXPLODING
from torch import Tensor

from cliprpn.arithmetic import fix_arithmetic, use_deterministic
from cliprpn.contract.generated import CompletedOutcome, Epoch, FailedOutcome
from cliprpn.features.frozen import open_data
from cliprpn.inference.build import build_model
from cliprpn.seeding import seed_everything
from cliprpn.trials import cuda_graphs, training
from cliprpn.trials.cuda_graphs import NUM_WARM_UP_STEPS, GraphedStep
from cliprpn.trials.step import StepInputs
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model
from cliprpn.trials.trial import Outcome, run_trial

# A rate that float32 has exactly, as graphs read it.
EXACT = {"schedule": "constant", "warmup_fraction": 0, "learning_rate": 2**-10}
TRAINING = {"num_epochs": 6, "batch_size": 6, **EXACT}
TRIALS: dict[str, dict[str, Any]] = {
    "default": {},
    "reference": {**REFERENCE, "training": {**REFERENCE["training"], **TRAINING}},
    "views": {"training": {"views": 1}},
    "negatives on letterboxed images": {"rpn": {"negatives_loss_weight": 1}, "resize": "letterbox"},
    "sentence embeddings, adam": {"fusion": {"kind": "concatenation"}, "training": {"optimizer": "adam"}},
    "no clipping": {"training": {"precision": "fp32", "grad_clip_norm": None}},
    "a schedule": {
        "training": {
            "precision": "fp32",
            "schedule": "cosine",
            "warmup_fraction": 0.2,
            "learning_rate": 1e-3,
        }
    },
}


def run(root: Path, cache: Path, out: Path, device: torch.device, graphs: bool, **changes: Any) -> Outcome:
    changes["training"] = {**TRAINING, **changes.get("training", {}), "cuda_graphs": graphs}
    spec = make_spec(root, cache, **changes).model_copy(update={"device": str(device)})
    return run_trial(spec, out, lambda event: None, lambda: False)


def completed(outcome: Outcome) -> CompletedOutcome:
    assert isinstance(outcome, CompletedOutcome), outcome
    return outcome


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind == "default" else [pytest.mark.slow]) for kind in TRIALS]
)
def test_losses_and_weights_are_those_of_plain_steps(
    root: Path,
    cache: Path,
    device: torch.device,
    simulation: FakeCuda | None,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    captures: list[object] = []
    monkeypatch.setattr(GraphedStep, "_capture", counting(GraphedStep._capture, captures))
    monkeypatch.setattr(training, "PADDED_TO", 1)  # Padding changes the order of sums.
    (plain, weights), (graphed, weights_by_graphs) = (
        train(root, cache, device, graphs, **TRIALS[kind]) for graphs in (False, True)
    )
    assert len(captures) >= 2, "expected graphs for several shapes"
    # On a GPU, nothing is known to differ, but nobody has measured it; graphs round a changing rate to float32.
    rel = 1e-4 if simulation is None else 1e-5 if kind == "a schedule" else 0
    for one, two in zip(plain, graphed, strict=True):
        assert two.loss_objectness == pytest.approx(one.loss_objectness, rel=rel, abs=0)
        assert two.loss_box == pytest.approx(one.loss_box, rel=rel, abs=0)
        assert (two.learning_rate, two.val_miou) == (one.learning_rate, pytest.approx(one.val_miou, rel=rel))
    for name, value in weights.items():
        torch.testing.assert_close(weights_by_graphs[name], value, rtol=rel, atol=rel / 10)


def train(
    root: Path, cache: Path, device: torch.device, graphs: bool = True, **changes: Any
) -> tuple[list[Epoch], dict[str, Tensor]]:
    """Epochs and weights of a training."""
    changes["training"] = {**TRAINING, **changes.get("training", {}), "cuda_graphs": graphs}
    spec = make_spec(root, cache, **changes)
    settings = spec.settings
    context = run_context(cache, device=device)
    fix_arithmetic()
    use_deterministic(True, device)
    index, features = open_data(
        spec.dataset,
        spec.backbone,
        settings.image_size_px,
        settings.resize,
        context,
        settings.training.views,
    )
    data = TrainingData(index, features, index.split("train"), index.split("val"))
    seed_everything(0, 1)
    sizes = (features.map_channels, features.pooled_dim, features.word_dim)
    model = build_model(settings, *sizes).to(device)
    epochs = [*train_model(model, data, settings.training, 0, context)]
    return epochs, {name: value.cpu() for name, value in model.state_dict().items()}


def counting(function: Any, calls: list[object]) -> Any:
    def wrapped(*args: Any) -> Any:
        calls.append(args)
        return function(*args)

    return wrapped


def test_few_numbers_of_words_occur_and_results_do_not_depend_on_padding(
    root: Path, cache: Path, device: torch.device
) -> None:
    """Of every fusion: what is added to short sentences is masked."""
    for fusion in (
        {"kind": "switched", "text": "words", "interaction": "multiplicative", "coordinates": "on"},
        {"kind": "switched", "text": "words", "interaction": "additive", "coordinates": "off"},
        {"kind": "switched", "text": "pooled", "interaction": "additive", "coordinates": "off"},
        {"kind": "concatenation"},
        {"kind": "cross_attention"},
    ):
        spec = make_spec(root, cache, fusion=fusion)
        settings = spec.settings
        index, features = open_data(
            spec.dataset,
            spec.backbone,
            settings.image_size_px,
            settings.resize,
            run_context(cache, device=device),
        )
        seed_everything(0, 1)
        model = build_model(settings, features.map_channels, features.pooled_dim, features.word_dim)
        model.to(device).eval()
        rows = index.split("train")[:4]
        outputs = []
        for padded_to in (1, 16):
            (found,) = features.find([rows], device, padded_to=padded_to)
            inputs = features.read(found, device)
            assert inputs[1].shape[1] % padded_to == 0
            outputs.append(model(*inputs))
        for plain, padded in zip(*outputs, strict=True):
            # Sums over more words, in another order; what is added is 0.
            torch.testing.assert_close(padded, plain, rtol=1e-5, atol=1e-6)


def test_a_replayed_step_is_one_launch_and_copies_of_its_inputs(
    root: Path, cache: Path, cuda: FakeCuda, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []

    def counted(step: GraphedStep, *args: Any) -> None:
        cuda.counts.clear()
        called(step, *args)
        counts.append((dict(cuda.counts.launches), cuda.counts.syncs.total()))

    called = GraphedStep.__call__
    monkeypatch.setattr(GraphedStep, "__call__", counted)
    train(root, cache, device, training={"num_epochs": 3, "batch_size": 8})
    *_, (launches, syncs) = counts
    # The rate, inputs of three types, the graph, a copy of the losses.
    assert launches == {"fill_": 1, "_foreach_copy_": 3, "graph": 1, "clone": 1}
    assert syncs == 0


def test_every_shape_is_captured_once_after_its_warm_up(
    root: Path, cache: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[torch.Size, ...]] = []
    captures: list[tuple[torch.Size, ...]] = []

    def called(step: GraphedStep, inputs: StepInputs, *args: Any) -> None:
        steps.append(inputs.shapes)
        call(step, inputs, *args)

    def captured(step: GraphedStep, inputs: StepInputs) -> Any:
        assert steps.count(inputs.shapes) == NUM_WARM_UP_STEPS
        captures.append(inputs.shapes)
        return capture(step, inputs)

    call, capture = GraphedStep.__call__, GraphedStep._capture
    monkeypatch.setattr(GraphedStep, "__call__", called)
    monkeypatch.setattr(GraphedStep, "_capture", captured)
    train(root, cache, device)
    often = {shapes for shapes in steps if steps.count(shapes) >= NUM_WARM_UP_STEPS}
    assert len(captures) == len(often) >= 2 and set(captures) == often


FUSION = """import random
import torch

class Mine(torch.nn.Module):
    def __init__(self, map_channels, pooled_dim, word_dim):
        super().__init__()
        self.text = torch.nn.Linear(word_dim, map_channels)
        self.norm = torch.nn.BatchNorm2d(map_channels)
        self.kept = None
        self.num_steps = 0
        self.generator = None

    def forward(self, map, words, mask, pooled):
        text = self.text(words * mask[..., None]).sum(dim=1)
        {line}
        return self.norm(map * text[:, :, None, None])
"""
LINES = {
    "a cache with one entry": (
        "if self.kept is None or self.kept.shape[0] != words.shape[1]: "
        "self.kept = torch.full((words.shape[1],), 0.5, device=map.device)\n"
        "        text = text * self.kept.mean()"
    ),
    "the host waits": "text = text / text.max().item()",
    "a branch": "text = text * 2 if text.max() > 1 else text",
    "a copy from the CPU": "text = text * torch.arange(1, len(text) + 1)[:, None].to(map.device)",
    "a generator of its own": (
        "self.generator = self.generator or torch.Generator(map.device).manual_seed(0)\n"
        "        text = text * torch.rand(text.shape, device=map.device, generator=self.generator)"
    ),
    "a counter": "self.num_steps += 1; text = text + self.num_steps",
    "the result of the last step": (
        "last = torch.zeros_like(text) if self.kept is None or len(self.kept) != len(text) else self.kept\n"
        "        text = text + last; self.kept = text.detach()"
    ),
    "Python's random numbers": "text = text + random.random()",
}


def run_fusion(
    root: Path, cache: Path, folder: Path, device: torch.device, line: str, graphs: bool
) -> Outcome:
    folder.mkdir()
    fusion = file_fusion(folder / "mine.py", FUSION.replace("{line}", line), "Mine")
    changes = {"fusion": fusion, "training": {"precision": "fp32"}}
    return run(root, cache, folder / "out", device, graphs, **changes)


def test_a_custom_fusion_with_a_cache_and_running_statistics_is_captured(
    root: Path,
    cache: Path,
    tmp_path: Path,
    device: torch.device,
    simulation: FakeCuda | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Shapes alternate, so the cached tensor is replaced while graphs still read it."""
    monkeypatch.setattr(training, "PADDED_TO", 1)
    line = LINES["a cache with one entry"]
    plain, graphed = (
        completed(run_fusion(root, cache, tmp_path / str(graphs), device, line, graphs))
        for graphs in (False, True)
    )
    rel = 1e-4 if simulation is None else 1e-6
    for one, two in zip(plain.epochs, graphed.epochs, strict=True):
        assert two.loss == pytest.approx(one.loss, rel=rel) and math.isfinite(one.loss)
        assert two.val_miou == pytest.approx(one.val_miou, rel=rel)  # By the running statistics.


@pytest.mark.parametrize(
    "kind",
    [
        "the host waits",
        "a branch",
        "a copy from the CPU",
        "a generator of its own",
        "the result of the last step",
    ],
)
def test_a_custom_fusion_that_cannot_be_captured_is_an_error_with_its_line(
    root: Path, cache: Path, tmp_path: Path, device: torch.device, kind: str
) -> None:
    completed(run_fusion(root, cache, tmp_path / "plain", device, LINES[kind], graphs=False))
    failed = run_fusion(root, cache, tmp_path / "graphs", device, LINES[kind], graphs=True)
    assert isinstance(failed, FailedOutcome)
    assert failed.error.code == "fusion_invalid"
    assert "mine.py:1" in failed.error.message and ", in forward: " in failed.error.message
    assert "training.cuda_graphs" in failed.error.message


@pytest.mark.parametrize("kind", ["a counter", "Python's random numbers"])
def test_a_custom_fusion_whose_code_changes_from_step_to_step_is_an_error(
    root: Path,
    cache: Path,
    tmp_path: Path,
    device: torch.device,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cuda_graphs, "REPLAYS_PER_CHECK", 2)
    random.seed(0)
    failed = run_fusion(root, cache, tmp_path / "graphs", device, LINES[kind], graphs=True)
    assert isinstance(failed, FailedOutcome)
    assert failed.error.code == "fusion_invalid", failed.error.message
    assert "mine.py" in failed.error.message and "changed in place" in failed.error.message


def test_a_loss_that_is_not_finite_names_the_same_step_and_line(
    root: Path, cache: Path, tmp_path: Path, device: torch.device
) -> None:
    """Steps after it are replayed, too, but leave the weights as they are."""
    fusion = file_fusion(tmp_path / "exploding.py", EXPLODING, "Exploding")
    exploding = {"learning_rate": 0.1, "num_epochs": 12, "batch_size": 8, "precision": "fp32"}
    errors = []
    for graphs in (False, True):
        outcome = run(root, cache, tmp_path / str(graphs), device, graphs, fusion=fusion, training=exploding)
        assert isinstance(outcome, FailedOutcome)
        assert outcome.error.code == "loss_not_finite", outcome.error.message
        errors.append(outcome.error.message)
    assert "exploding.py:10, in forward" in errors[0]
    assert errors[0] == errors[1]


def test_graphs_need_a_cuda_device(root: Path, cache: Path, tmp_path: Path) -> None:
    outcome = run(root, cache, tmp_path, torch.device("cpu"), graphs=True)
    assert isinstance(outcome, FailedOutcome)
    assert outcome.error.code == "bad_input"
    assert "training.cuda_graphs: expected a CUDA device, found cpu" in outcome.error.message
