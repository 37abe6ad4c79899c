"""One trial of a baseline: boxes, CLIP's ranking of them, evaluation. Nothing is trained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cliprpn.contract.generated import (
    BaselineSpec,
    CompletedOutcome,
    Durations,
    Metrics,
    PeakMemory,
    TrialDataset,
    WarningEvent,
)
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.predictions import PredictionColumns, predictions_file, read_predictions, write_predictions
from cliprpn.detectors.proposing import propose
from cliprpn.devices import describe_environment, peak_process_bytes, resolve_device
from cliprpn.errors import CliprpnError
from cliprpn.inference.steps import Emit, limit_of, now, paced, write_json
from cliprpn.metrics import split_metrics
from cliprpn.ranking.clip_vectors import ClipVectors
from cliprpn.seeding import seed_everything
from cliprpn.trials.baseline_answers import answer, ask_clip


def complete_baseline(
    spec: BaselineSpec, folder: Path, emit: Emit, should_stop: Callable[[], bool]
) -> CompletedOutcome:
    """Answers val; the folder gets the answers."""
    started = time.monotonic()
    device = resolve_device(spec.device)
    seed_everything(spec.seed, spec.num_threads)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    found = evaluate_baseline(spec, None, "val", folder, device, emit, should_stop)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    total_ms = (time.monotonic() - started) * 1000
    return CompletedOutcome(
        state="completed",
        trial_id=spec.trial_id,
        sources_sha256=spec.sources_sha256,
        finished_at=now(),
        best_epoch=0,
        epochs=[],
        metrics=found.metrics,
        num_trainable_parameters=0,
        durations_ms=Durations(
            features=found.features_ms, training=0, evaluation=total_ms - found.features_ms, total=total_ms
        ),
        peak_memory_bytes=PeakMemory(process=peak_process_bytes(), device=peak),
        environment=describe_environment(device),
        notes=found.notes,
    )


@dataclass(frozen=True)
class Evaluated:
    """What a split came to.

    Attributes:
        features_ms: of detecting and of CLIP's vectors.
        notes: what a reader of the figures must know.
    """

    metrics: Metrics
    features_ms: float
    notes: list[str]


def evaluate_baseline(
    spec: BaselineSpec,
    other_data: TrialDataset | None,
    split: str,
    out_dir: Path,
    device: torch.device,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> Evaluated:
    """Answers a split's sentences; `out_dir` gets answers and metrics.

    Args:
        other_data: a data set in place of the spec's own, for which its limits do not hold.
    """
    dataset = other_data or spec.dataset
    index = open_dataset(Path(dataset.root), dataset.id)
    rows = index.split(split, None if other_data is not None else limit_of(spec.limits, split))
    if len(rows) == 0:
        raise CliprpnError("data_invalid", f"{index.root}: the split {split} has no sentence")
    found = answer_rows(spec, index, rows, device, emit, should_stop)
    out_dir.mkdir(parents=True, exist_ok=True)
    path = predictions_file(out_dir, split)
    write_predictions(path, index, rows, found.answers)
    metrics = Metrics.model_validate(split_metrics(read_predictions(path)))
    write_json(out_dir / f"metrics-{split}.json", metrics)
    cut = [_about_cut(found.num_cut, split, found.context_length)] if found.num_cut > 0 else []
    return Evaluated(metrics, found.features_ms, [*found.notes, *cut])


@dataclass(frozen=True)
class Answered:
    """Sentences' answers.

    Attributes:
        answers: a row per sentence.
        num_cut: how many sentences CLIP, with its context length, does not read to their end.
    """

    answers: PredictionColumns
    features_ms: float
    notes: list[str]
    num_cut: int
    context_length: int


def answer_rows(
    spec: BaselineSpec,
    index: DatasetIndex,
    rows: np.ndarray,
    device: torch.device,
    emit: Emit,
    should_stop: Callable[[], bool],
) -> Answered:
    """Asks the detector, then CLIP, and ranks.

    Args:
        rows: [S], of the index's sentences.
    """
    started = time.monotonic()
    cache_dir, settings = Path(spec.cache_dir), spec.baseline
    proposed = propose(settings, index, rows, cache_dir, device, emit, should_stop)
    clip = ClipVectors(
        spec.backbone,
        cache_dir,
        device,
        paced(emit),
        lambda: emit(WarningEvent(type="warning", message="waiting for vectors that another process makes")),
        should_stop,
    )
    asked = ask_clip(settings, index, rows, proposed, clip)
    features_ms = (time.monotonic() - started) * 1000
    answers = answer(index, rows, proposed, asked)
    return Answered(answers, features_ms, proposed.notes, asked.num_cut, clip.backbone.context_length)


def _about_cut(num_cut: int, split: str, context_length: int) -> str:
    what = f"1 sentence of {split} is" if num_cut == 1 else f"{num_cut} sentences of {split} are"
    return f"{what} longer than CLIP reads ({context_length} tokens with its two marks); the rest is cut off."
