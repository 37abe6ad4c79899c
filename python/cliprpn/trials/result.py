"""What a completed trial measured, before it becomes an outcome."""

from __future__ import annotations

from dataclasses import dataclass

from cliprpn.contract.generated import Epoch, Metrics


@dataclass(frozen=True)
class TrialResult:
    """
    Attributes:
        best_epoch: number of the epoch that was selected by val; 0 for a baseline.
        metrics: of val.
        features_ms: time for frozen features, or for detections and CLIP's embeddings.
        notes: what a reader of the figures must know, one sentence each.
    """

    best_epoch: int
    epochs: list[Epoch]
    metrics: Metrics
    num_trainable_parameters: int
    features_ms: float
    training_ms: float
    notes: list[str]
