"""Cached detections: each image is detected once per detector."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor

from cliprpn.data.image_keys import image_keys
from cliprpn.data.images import ImageFile, load_images
from cliprpn.detectors.proposals import Detector, Proposals
from cliprpn.errors import CliprpnError
from cliprpn.pipeline.stages import run_pipeline
from cliprpn.run_context import RunContext
from cliprpn.storage.keyed_store import ColumnTypes, Put, Rows, get_or_compute

# Maximum size of a batch given to a detector, in images and in bytes of pixels.
MAX_BATCH_IMAGES = 32
MAX_BATCH_BYTES = 200_000_000

# Keys and images.
Batch = list[tuple[str, Tensor]]

DETECTION_COLUMNS: ColumnTypes = {
    "x1": "real",
    "y1": "real",
    "x2": "real",
    "y2": "real",
    "score": "real",
    "category": "text",
}


def detect_all(
    files: list[ImageFile], store: Path, load_detector: Callable[[], Detector], context: RunContext
) -> list[Proposals]:
    """The proposals of each image.

    An image is detected once, however often and in however many datasets it occurs. Detections are kept when a run
    ends early.

    Args:
        files: images; repetitions are allowed.
        store: the detector's cache file, named by everything that decides its detections.
        load_detector: called once, and only if an image is not cached.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid (names the image or the store), and the detector's errors.
    """
    keys = image_keys(files)
    file_of = dict(zip(keys, files, strict=True))

    def detect(missing: list[str], put: Put) -> None:
        detector = load_detector()
        done = len(file_of) - len(missing)
        context.progress("detections", done, len(file_of))

        def write(batch: Batch, proposals: list[Proposals]) -> None:
            for (key, _), proposals_i in zip(batch, proposals, strict=True):
                put(key, _to_rows(proposals_i))

        def on_computed(batch: Batch) -> None:
            nonlocal done
            done += len(batch)
            context.progress("detections", done, len(file_of))

        with closing(load_images(file_of[key] for key in missing)) as images:
            if not run_pipeline(
                _make_batches(zip(missing, images, strict=True)),
                lambda batch: detector.detect([image for _, image in batch]),
                write,
                on_computed,
                context.should_stop,
            ):
                raise CliprpnError("interrupted", "stopped while detecting")

    rows = get_or_compute(
        store,
        DETECTION_COLUMNS,
        keys,
        detect,
        lambda: context.warn("another process is computing the same detections; waiting for it"),
        context.should_stop,
        context.own_stores,
    )
    return [_from_rows(rows[key]) for key in keys]


def _make_batches(images: Iterable[tuple[str, Tensor]]) -> Generator[Batch, None, None]:
    batch: Batch = []
    num_bytes = 0
    for key, image in images:
        batch.append((key, image))
        num_bytes += image.nbytes
        if len(batch) == MAX_BATCH_IMAGES or num_bytes >= MAX_BATCH_BYTES:
            yield batch
            batch, num_bytes = [], 0
    if batch:
        yield batch


def _to_rows(proposals: Proposals) -> Rows:
    table = torch.cat([proposals.boxes_xyxy, proposals.scores[:, None]], dim=1).tolist()  # [N, 5]
    return [(*numbers, category) for numbers, category in zip(table, proposals.categories, strict=True)]


def _from_rows(rows: Rows) -> Proposals:
    numbers = torch.tensor([row[:5] for row in rows], dtype=torch.float64).reshape(-1, 5)
    return Proposals(numbers[:, :4], numbers[:, 4], [str(row[5]) for row in rows])
