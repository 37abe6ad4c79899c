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
from cliprpn.data.predictions import PredictionColumns
from cliprpn.detectors.known_boxes import whole_image_boxes
from cliprpn.detectors.proposals import Proposals
from cliprpn.detectors.propose import SentenceProposals, propose
from cliprpn.inference.predict import answer_columns, best_ious, sizes_and_truth
from cliprpn.metrics import RECALL_AT
from cliprpn.ranking.clip_embeddings import ClipEmbeddings
from cliprpn.ranking.scoring import NO_CLASS, CategoryPrior, rank, score_boxes
from cliprpn.ranking.texts import CLASS_TEMPLATE, average_templates, find_truncated, make_prompts
from cliprpn.ranking.views import BoxView
from cliprpn.run_context import RunContext
from cliprpn.trials.answers import limit_of, split_rows, write_answers

VIEWS: dict[str, tuple[BoxView, ...]] = {
    "crop": ("crop",),
    "blur": ("blur",),
    "circle": ("circle",),
    "crop+blur": ("crop", "blur"),
}


@dataclass(frozen=True)
class BaselineEvaluation:
    """
    Attributes:
        features_ms: time for detection and for CLIP's vectors.
        notes: what a reader of the figures must know, one sentence each.
    """

    metrics: Metrics
    features_ms: float
    notes: list[str]


def evaluate_baseline(
    spec: BaselineSpec, dataset: TrialDataset | None, split: str, out_dir: Path, context: RunContext
) -> BaselineEvaluation:
    """Answers a split's sentences; writes predictions and metrics to `out_dir`.

    Args:
        dataset: another dataset than the spec's; the spec's limits do not apply to it.

    Raises:
        CliprpnError: data_invalid, interrupted, no_space, not_found, package_missing, weights_*.
    """
    limit = limit_of(spec.limits, split) if dataset is None else None
    dataset = dataset or spec.dataset
    index = open_dataset(Path(dataset.root), dataset.id)
    rows = split_rows(index, split, limit)
    answered = answer_rows(spec, index, rows, context)
    metrics = write_answers(out_dir, index, split, rows, answered.answers)
    cut = [_cut_note(answered.num_cut, split, answered.context_length)] if answered.num_cut > 0 else []
    return BaselineEvaluation(metrics, answered.features_ms, [*answered.notes, *cut])


@dataclass(frozen=True)
class Answered:
    """
    Attributes:
        answers: a row per sentence.
        num_cut: how many sentences are longer than CLIP's context length.
    """

    answers: PredictionColumns
    features_ms: float
    notes: list[str]
    num_cut: int
    context_length: int


def answer_rows(spec: BaselineSpec, index: DatasetIndex, rows: np.ndarray, context: RunContext) -> Answered:
    """Runs the detector, then CLIP, and ranks the boxes.

    Args:
        rows: [S], of the index's sentences.
    """
    started = time.monotonic()
    proposed = propose(spec.baseline, index, rows, context)
    clip = ClipEmbeddings(spec.backbone, context)
    asked = ask_clip(spec.baseline, index, rows, proposed, clip)
    features_ms = (time.monotonic() - started) * 1000
    answers = answer(index, rows, proposed, asked)
    return Answered(answers, features_ms, proposed.notes, asked.num_cut, clip.backbone.context_length)


@dataclass(frozen=True)
class Question:
    """Boxes of an image, and who is asked about them.

    Attributes:
        sentences: positions among the rows that are answered.
        boxes: those that are ranked: the whole image, where nothing was detected.
        views: of what CLIP sees of a box, each [N, D].
    """

    sentences: list[int]
    boxes: Proposals
    views: list[Tensor]


@dataclass(frozen=True)
class Asked:
    """All that ranking needs of CLIP.

    Attributes:
        sentences: [S, D]. blank: [1, D], of the empty sentence.
        class_vectors: [C, D], of the names that boxes may have; None without the prior.
        num_cut: how many sentences CLIP does not read to their end.
    """

    questions: list[Question]
    sentences: Tensor
    blank: Tensor
    class_vectors: Tensor | None
    logit_scale: float
    num_cut: int


def ask_clip(
    settings: BaselineSettings,
    index: DatasetIndex,
    rows: np.ndarray,
    proposed: SentenceProposals,
    clip: ClipEmbeddings,
) -> Asked:
    """
    Args:
        rows: [S], of the index's sentences.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid, weights_*.
    """
    groups = _groups(index, rows, proposed.boxes)
    pictures = [picture for picture, _ in groups]
    whole = dict(zip(pictures, whole_image_boxes(index, pictures), strict=True))
    shown = [
        proposed.boxes[sentences[0]] if len(proposed.boxes[sentences[0]]) else whole[picture]
        for picture, sentences in groups
    ]
    files = image_files(index, pictures)
    wanted = [(file, boxes.boxes_xyxy) for file, boxes in zip(files, shown, strict=True)]
    views = [clip.embed_boxes(wanted, view) for view in VIEWS[settings.ranking]]
    questions = [
        Question(sentences, boxes, list(own))
        for (_, sentences), boxes, own in zip(groups, shown, zip(*views, strict=True), strict=True)
    ]
    sentences = [index.sentences["sentence"][int(row)].as_py() for row in rows]
    templates: list[str] = settings.model_dump()["templates"]
    vectors = average_templates(clip.embed_texts(make_prompts([*sentences, ""], templates)), len(templates))
    names = make_prompts(proposed.classes, [CLASS_TEMPLATE])
    num_cut = sum(find_truncated(sentences, templates, clip.backbone.context_length))
    return Asked(
        questions,
        vectors[:-1],
        vectors[-1:],
        clip.embed_texts(names) if settings.category_prior and names else None,
        clip.backbone.logit_scale,
        num_cut,
    )


def answer(
    index: DatasetIndex, rows: np.ndarray, proposed: SentenceProposals, asked: Asked
) -> PredictionColumns:
    """A row per sentence: as of a ClipRPN, and how good the boxes are apart from their ranking."""
    _, truth = sizes_and_truth(index, rows)
    ranked: list[Tensor] = [torch.zeros(0, 4)] * len(rows)
    offered: list[Tensor] = [torch.zeros(0, 4)] * len(rows)
    blank: list[Tensor] = [torch.zeros(0, 4)] * len(rows)
    share = torch.zeros(len(rows))
    for question in asked.questions:
        prior = _prior(question.boxes, proposed.classes, asked.class_vectors)
        own = torch.cat([asked.sentences[question.sentences], asked.blank])  # [s + 1, D]
        order, shares = rank(score_boxes(question.views, own, prior, asked.logit_scale))
        boxes = question.boxes.boxes_xyxy
        for position, its_order, its_share in zip(question.sentences, order[:-1], shares[:-1], strict=True):
            ranked[position], offered[position] = boxes[its_order], boxes
            blank[position] = boxes[order[-1]]
            share[position] = its_share
    columns = answer_columns(ranked, share, truth)
    columns["iou_blank"] = best_ious(blank, truth, (1,))[1].numpy()
    columns["num_boxes"] = np.array([len(own) for own in proposed.boxes])
    for k, ious in best_ious(offered, truth, RECALL_AT).items():
        columns[f"proposal_iou_at_{k}"] = ious.numpy()
    most = max(len(own) for own in offered)
    columns["proposal_iou_best"] = best_ious(offered, truth, (most,))[most].numpy()
    return columns


def _groups(index: DatasetIndex, rows: np.ndarray, boxes: list[Proposals]) -> list[tuple[int, list[int]]]:
    """Sentences that are asked about the same boxes: their image's row, and their positions."""
    groups: dict[tuple[int, int], list[int]] = {}
    for position, picture in enumerate(index.image_rows[rows].tolist()):
        groups.setdefault((picture, id(boxes[position])), []).append(position)
    return [(picture, positions) for (picture, _), positions in groups.items()]


def _prior(boxes: Proposals, classes: list[str], class_vectors: Tensor | None) -> CategoryPrior | None:
    if class_vectors is None:
        return None
    number = {name: i for i, name in enumerate(classes)}
    return CategoryPrior(
        class_vectors, torch.tensor([number.get(name, NO_CLASS) for name in boxes.categories])
    )


def _cut_note(num_cut: int, split: str, context_length: int) -> str:
    subject = f"1 sentence of {split} is" if num_cut == 1 else f"{num_cut} sentences of {split} are"
    return (
        f"{subject} longer than CLIP reads ({context_length} tokens with its two marks); the rest is cut off."
    )
