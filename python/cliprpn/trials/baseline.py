"""A baseline: a detector's boxes, ranked for each sentence by CLIP. Nothing is trained."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.contract.generated import BaselineSettings, BaselineSpec, Metrics, TrialDataset
from cliprpn.data.images import image_files
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.long_expressions import dataset_warnings, long_expressions_of
from cliprpn.data.predictions import PredictionColumns
from cliprpn.detectors.known_boxes import whole_image_boxes
from cliprpn.detectors.proposals import Proposals
from cliprpn.detectors.propose import SentenceProposals, propose
from cliprpn.inference.predict import best_ious, prediction_columns, sizes_and_gt_boxes
from cliprpn.metrics import RECALL_AT
from cliprpn.ranking.clip_embeddings import ClipEmbeddings
from cliprpn.ranking.scoring import NO_CLASS, CategoryPrior, rank, score_boxes
from cliprpn.ranking.texts import CLASS_TEMPLATE, average_templates, make_prompts
from cliprpn.ranking.views import BoxView
from cliprpn.run_context import RunContext
from cliprpn.trials.splits import limit_of, save_predictions, split_rows

VIEWS: dict[str, tuple[BoxView, ...]] = {
    "crop": ("crop",),
    "blur": ("blur",),
    "circle": ("circle",),
    "crop+blur": ("crop", "blur"),
}


@dataclass(frozen=True)
class BaselineEvaluation:
    """Metrics of a baseline on a split.

    Attributes:
        features_ms: time for detection and for CLIP's embeddings.
        notes: remarks for the reader of the figures, one sentence each.
    """

    metrics: Metrics
    features_ms: float
    notes: list[str]


def evaluate_baseline(
    spec: BaselineSpec, dataset: TrialDataset | None, split: str, out_dir: Path, context: RunContext
) -> BaselineEvaluation:
    """Predicts a box for every sentence of a split; writes predictions and metrics to `out_dir`.

    Args:
        dataset: another dataset than the spec's; the spec's limits do not apply to it.

    Raises:
        CliprpnError: data_invalid, interrupted, no_space, not_found, package_missing, weights_*.
    """
    limit = limit_of(spec.limits, split) if dataset is None else None
    dataset = dataset or spec.dataset
    index = open_dataset(Path(dataset.root), dataset.id)
    rows = split_rows(index, split, limit)
    predictions = predict_baseline(spec, index, rows, context)
    metrics = save_predictions(out_dir, index, split, rows, predictions.columns)
    notes = [*dataset_warnings(index), *predictions.notes, *_prompt_notes(spec, index, split, rows)]
    return BaselineEvaluation(metrics, predictions.features_ms, notes)


@dataclass(frozen=True)
class BaselinePredictions:
    """Predictions of a baseline for some sentences.

    Attributes:
        columns: a row per sentence.
        features_ms: time for detection and for CLIP's embeddings.
    """

    columns: PredictionColumns
    features_ms: float
    notes: list[str]


def predict_baseline(
    spec: BaselineSpec, index: DatasetIndex, rows: np.ndarray, context: RunContext
) -> BaselinePredictions:
    """Runs the detector, then CLIP, and ranks the boxes.

    Args:
        rows: [S], rows of the index's sentences.

    Raises:
        CliprpnError: data_invalid, interrupted, no_space, not_found, package_missing, weights_*.
    """
    started = time.monotonic()
    proposed = propose(spec.baseline, index, rows, context)
    clip = ClipEmbeddings(spec.backbone, context)
    inputs = encode_clip_inputs(spec.baseline, index, rows, proposed, clip)
    features_ms = (time.monotonic() - started) * 1000
    columns = rank_proposals(index, rows, proposed, inputs)
    return BaselinePredictions(columns, features_ms, proposed.notes)


@dataclass(frozen=True)
class RankingGroup:
    """Boxes of an image with all sentences that they are ranked for.

    Attributes:
        sentences: positions of the sentences among the rows.
        boxes: the boxes to rank; the whole image if nothing was detected.
        views: CLIP's embeddings of the boxes, [N, D] for each view of a box.
    """

    sentences: list[int]
    boxes: Proposals
    views: list[Tensor]


@dataclass(frozen=True)
class ClipInputs:
    """CLIP's embeddings for ranking.

    Attributes:
        sentences: [S, D].
        blank: [1, D], embedding of the empty sentence.
        classes: [C, D], embeddings of the class names; None without the category prior.
    """

    groups: list[RankingGroup]
    sentences: Tensor
    blank: Tensor
    classes: Tensor | None
    logit_scale: float


def encode_clip_inputs(
    settings: BaselineSettings,
    index: DatasetIndex,
    rows: np.ndarray,
    proposed: SentenceProposals,
    clip: ClipEmbeddings,
) -> ClipInputs:
    """Embeds the boxes, sentences and class names.

    Args:
        rows: [S], rows of the index's sentences.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    groups = _group_by_boxes(index, rows, proposed.boxes)
    image_rows = [image_row for image_row, _ in groups]
    whole = dict(zip(image_rows, whole_image_boxes(index, image_rows), strict=True))
    boxes = [
        proposed.boxes[positions[0]] if len(proposed.boxes[positions[0]]) else whole[image_row]
        for image_row, positions in groups
    ]
    files = image_files(index, image_rows)
    boxes_of_files = [(file, boxes_i.boxes_xyxy) for file, boxes_i in zip(files, boxes, strict=True)]
    views = [clip.embed_boxes(boxes_of_files, view) for view in VIEWS[settings.ranking]]
    ranking_groups = [
        RankingGroup(positions, boxes_i, list(views_i))
        for (_, positions), boxes_i, views_i in zip(groups, boxes, zip(*views, strict=True), strict=True)
    ]
    sentences = [index.sentences["sentence"][int(row)].as_py() for row in rows]
    templates: list[str] = settings.model_dump()["templates"]
    embeddings = average_templates(
        clip.embed_texts(make_prompts([*sentences, ""], templates)), len(templates)
    )
    names = make_prompts(proposed.classes, [CLASS_TEMPLATE])
    return ClipInputs(
        ranking_groups,
        embeddings[:-1],
        embeddings[-1:],
        clip.embed_texts(names) if settings.category_prior and names else None,
        clip.backbone.logit_scale,
    )


def rank_proposals(
    index: DatasetIndex, rows: np.ndarray, proposed: SentenceProposals, inputs: ClipInputs
) -> PredictionColumns:
    """A row per sentence: the columns of a ClipRPN's predictions, and the recall of the boxes themselves."""
    _, gt_boxes = sizes_and_gt_boxes(index, rows)
    ranked: list[Tensor] = [torch.zeros(0, 4)] * len(rows)
    unranked: list[Tensor] = [torch.zeros(0, 4)] * len(rows)
    blank_boxes: list[Tensor] = [torch.zeros(0, 4)] * len(rows)
    scores = torch.zeros(len(rows))
    for group in inputs.groups:
        prior = _category_prior(group.boxes, proposed.classes, inputs.classes)
        texts = torch.cat([inputs.sentences[group.sentences], inputs.blank])  # [s + 1, D]
        order, top_scores = rank(score_boxes(group.views, texts, prior, inputs.logit_scale))
        boxes = group.boxes.boxes_xyxy
        for i, order_i, score_i in zip(group.sentences, order[:-1], top_scores[:-1], strict=True):
            ranked[i], unranked[i], blank_boxes[i] = boxes[order_i], boxes, boxes[order[-1]]
            scores[i] = score_i
    columns = prediction_columns(ranked, scores, gt_boxes)
    columns["iou_blank"] = best_ious(blank_boxes, gt_boxes, (1,))[1].numpy()
    columns["num_boxes"] = np.array([len(boxes_i) for boxes_i in proposed.boxes])
    for k, ious in best_ious(unranked, gt_boxes, RECALL_AT).items():
        columns[f"proposal_iou_at_{k}"] = ious.numpy()
    most = max(len(boxes_i) for boxes_i in unranked)
    columns["proposal_iou_best"] = best_ious(unranked, gt_boxes, (most,))[most].numpy()
    return columns


def _group_by_boxes(
    index: DatasetIndex, rows: np.ndarray, boxes: list[Proposals]
) -> list[tuple[int, list[int]]]:
    """Groups sentences with the same boxes: the image's row, and the positions of the sentences."""
    groups: dict[tuple[int, int], list[int]] = {}
    for position, image_row in enumerate(index.image_rows[rows].tolist()):
        groups.setdefault((image_row, id(boxes[position])), []).append(position)
    return [(image_row, positions) for (image_row, _), positions in groups.items()]


def _category_prior(
    boxes: Proposals, classes: list[str], class_embeddings: Tensor | None
) -> CategoryPrior | None:
    if class_embeddings is None:
        return None
    class_ids = {name: i for i, name in enumerate(classes)}
    return CategoryPrior(
        class_embeddings, torch.tensor([class_ids.get(name, NO_CLASS) for name in boxes.categories])
    )


def _prompt_notes(spec: BaselineSpec, index: DatasetIndex, split: str, rows: np.ndarray) -> list[str]:
    """Of expressions that are cut off in a prompt; the dataset's warnings have those that are cut off alone."""
    templates = tuple(spec.baseline.model_dump()["templates"])
    line = None if templates == ("{}",) else long_expressions_of(index, split, rows, templates)
    return [] if line is None else [line]
