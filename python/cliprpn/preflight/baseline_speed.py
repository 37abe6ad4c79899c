"""Times the parts of a baseline, on a sample of val images."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cliprpn.arithmetic import prefer_deterministic
from cliprpn.contract.generated import (
    BaselineMeasurement,
    BaselineSpec,
    BaselineSplit,
    MeasuredTarget,
    SharedWork,
    TrialDataset,
)
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.predictions import predictions_file
from cliprpn.detectors.propose import propose
from cliprpn.preflight.sample import sample_images, temporary_cache
from cliprpn.preflight.timing import time_ms, timing
from cliprpn.ranking.clip_embeddings import ClipEmbeddings
from cliprpn.ranking.texts import make_prompts
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.trials.baseline import VIEWS, encode_clip_inputs, rank_proposals
from cliprpn.trials.splits import limit_of, save_predictions, split_rows

NUM_IMAGES, NUM_WARM_UP_IMAGES = 24, 4
# Folders of a cache: detectors that were trained here, detections, and embeddings of boxes.
TRAINED, DETECTIONS, VECTORS = "detectors", "detections", "vectors"


def measure_baseline(
    spec: BaselineSpec, targets: list[MeasuredTarget], scratch: Path, context: RunContext
) -> BaselineMeasurement:
    """Runs a baseline with an empty cache; nothing is kept.

    Args:
        targets: splits that it is evaluated on besides val; their datasets are prepared.
        scratch: an existing folder for temporary files.
        context: with the cache of the trial, which is only looked at.

    Raises:
        CliprpnError: data_invalid, interrupted, no_space, not_found, package_missing, weights_*.
    """
    index = open_dataset(Path(spec.dataset.root), spec.dataset.id)
    images = sample_images(index, "val", NUM_WARM_UP_IMAGES + NUM_IMAGES, spec.limits.val)
    # Models are loaded with the first images, which are timed only if there are no others.
    first, others = images[:NUM_WARM_UP_IMAGES], images[NUM_WARM_UP_IMAGES:]
    halves = [half for half in np.array_split(others, 2) if len(half) > 0] or [first]
    seed_everything(spec.seed, spec.num_threads)
    prefer_deterministic()
    with temporary_cache(scratch, context) as temporary:
        (temporary.cache_dir / TRAINED).symlink_to(context.cache_dir / TRAINED)
        _time_parts(spec, index, first, temporary)
        runs = [_time_parts(spec, index, half, temporary) for half in halves]
        num_cached = len(images) if len(others) > 0 else len(first)
        files = runs[0].files
        sizes = {key: (temporary.cache_dir / file).stat().st_size for key, file in files.items()}
    return BaselineMeasurement(
        num_images=sum(len(half) for half in halves),
        shared=[
            SharedWork(
                key=key,
                image=timing([run.shared_ms[key] for run in runs]),
                image_bytes=num_bytes / num_cached,
                may_be_cached=(context.cache_dir / files[key]).exists(),
            )
            for key, num_bytes in sizes.items()
        ],
        sentence=timing([run.sentence_ms for run in runs]),
        prediction_bytes=runs[-1].prediction_bytes,
        val=_describe_split(spec, spec.dataset, "val"),
        others=[_describe_split(spec, target.dataset, target.split) for target in targets],
    )


@dataclass(frozen=True)
class TimedParts:
    """Durations on some images, in milliseconds.

    Attributes:
        shared_ms: of an image, by key: of work that is kept in the cache.
        files: where it is kept, by key, relative to the cache.
        sentence_ms: of a sentence.
        prediction_bytes: of a sentence.
    """

    shared_ms: dict[str, float]
    files: dict[str, str]
    sentence_ms: float
    prediction_bytes: float


def _time_parts(
    spec: BaselineSpec, index: DatasetIndex, images: np.ndarray, context: RunContext
) -> TimedParts:
    """Detects, encodes and ranks; images that were not seen before."""
    settings = spec.baseline
    rows = index.split("val", spec.limits.val)
    rows = rows[np.isin(index.image_rows[rows], images)]
    clip = ClipEmbeddings(spec.backbone, context)
    clip.embed_texts([""])  # Loads the model, which every process does once.
    detection_ms, proposed = time_ms(lambda: propose(settings, index, rows, context))
    sentences = [*(index.sentences["sentence"][int(row)].as_py() for row in rows), ""]
    templates: list[str] = settings.model_dump()["templates"]
    ranking_ms, _ = time_ms(lambda: clip.embed_texts(make_prompts(sentences, templates)))
    limits = {"detector", "score_thresh", "nms_thresh", "max_boxes"}
    detector = json.dumps(settings.model_dump(include=limits), sort_keys=True)
    shared_ms: dict[str, float] = {}
    files: dict[str, str] = {}
    for view in VIEWS[settings.ranking]:
        encode = partial(encode_clip_inputs, settings.model_copy(update={"ranking": view}))
        ms, _ = time_ms(partial(encode, index, rows, proposed, clip))
        key = f"{view} of {detector}"
        shared_ms[key], files[key] = ms / len(images), _store_of(f"{VECTORS}/{view}", context)
    if (context.cache_dir / DETECTIONS).exists():
        shared_ms[detector] = detection_ms / len(images)
        files[detector] = _store_of(f"{DETECTIONS}/{settings.detector.kind}", context)
    else:  # Boxes of a file or of the annotations.
        ranking_ms += detection_ms
    inputs = encode_clip_inputs(settings, index, rows, proposed, clip)
    out_dir = context.cache_dir / "answers"
    ms, _ = time_ms(
        lambda: save_predictions(out_dir, index, "val", rows, rank_proposals(index, rows, proposed, inputs))
    )
    return TimedParts(
        shared_ms,
        files,
        (ranking_ms + ms) / len(rows),
        predictions_file(out_dir, "val").stat().st_size / len(rows),
    )


def _store_of(prefix: str, context: RunContext) -> str:
    """The store of detections or embeddings whose name begins so, relative to the cache."""
    file = next(context.cache_dir.glob(f"{prefix}-*.sqlite"))
    return str(file.relative_to(context.cache_dir))


def _describe_split(spec: BaselineSpec, dataset: TrialDataset, split: str) -> BaselineSplit:
    index = open_dataset(Path(dataset.root), dataset.id)
    limit = limit_of(spec.limits, split) if dataset.id == spec.dataset.id else None
    rows = split_rows(index, split, limit)
    return BaselineSplit(
        key=f"{dataset.id} {split}",
        num_images=len(np.unique(index.image_rows[rows])),
        num_sentences=len(rows),
    )
