"""The result of a trial, before it is recorded as an outcome."""

from __future__ import annotations

from dataclasses import dataclass

from cliprpn.contract.generated import Epoch, Metrics, ResumedFrom
from cliprpn.trials.precision import Precision


@dataclass(frozen=True)
class TrialResult:
    """Metrics, epochs and durations of a completed trial.

    Attributes:
        best_epoch: number of the epoch that was selected by val; 0 for a baseline.
        epochs: one per epoch of training; none for a baseline.
        metrics: metrics on val.
        features_ms: time for frozen features, or for detections and CLIP's embeddings.
        precision: what training computed with; None for a baseline.
        training_ms: with that of the attempts that were continued.
        notes: remarks for the reader of the figures, one sentence each.
        resumed_from: the checkpoint that training continued; None if it began at the start.
        micro_batch_size: the most sentences that went through the model together, if the device ran out of memory.
        evaluation_batch_size: of evaluation, if the device ran out of memory.
        earlier_ms: the part of `training_ms` that lies in other attempts.
    """

    best_epoch: int
    epochs: list[Epoch]
    metrics: Metrics
    num_trainable_parameters: int
    features_ms: float
    training_ms: float
    precision: Precision | None
    notes: list[str]
    resumed_from: ResumedFrom | None = None
    earlier_ms: float = 0
    micro_batch_size: int | None = None
    evaluation_batch_size: int | None = None
