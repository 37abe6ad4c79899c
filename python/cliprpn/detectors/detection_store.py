"""What a detector finds in images, found once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from cliprpn.data.images import ImageFile, image_keys, load_images
from cliprpn.detectors.proposals import Detector, Proposals
from cliprpn.errors import CliprpnError
from cliprpn.run_context import RunContext
from cliprpn.storage.keyed_store import ColumnTypes, Put, Row, Rows, get_or_compute

# Images that a detector gets at once; fewer where they are large, so that memory stays the same.
BATCH = 32
BATCH_BYTES = 200_000_000

BOXES: ColumnTypes = {
    "x1": "real",
    "y1": "real",
    "x2": "real",
    "y2": "real",
    "score": "real",
    "category": "text",
}


def detect_all(
    files: list[ImageFile],
    store: Path,
    load_detector: Callable[[], Detector],
    context: RunContext,
) -> list[Proposals]:
    """The proposals of each image.

    An image is detected once, however often and in however many data sets it appears. What was found is kept
    when a run ends early.

    Args:
        store: the file of this detector, named by all that decides what it finds.
        load_detector: called once, and only when an image is missing.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid (naming the image or the store), and what the
            detector raises.
    """
    keys = image_keys(files)
    file_of = dict(zip(keys, files, strict=True))

    def detect(missing: list[str], put: Put) -> None:
        detector = load_detector()
        done = len(file_of) - len(missing)
        context.progress("detections", done, len(file_of))
        pictures = load_images(file_of[key] for key in missing)
        for batch in _batches(zip(missing, pictures, strict=True)):
            if context.should_stop():
                raise CliprpnError("interrupted", "stopped while detecting")
            found = detector.detect([picture for _, picture in batch])
            for (key, _), own in zip(batch, found, strict=True):
                put(key, _rows(own))
            done += len(batch)
            context.progress("detections", done, len(file_of))

    kept = get_or_compute(
        store,
        BOXES,
        keys,
        detect,
        lambda: context.warn("waiting for detections that another process is computing"),
        context.should_stop,
    )
    return [_proposals(kept[key]) for key in keys]


def _batches(pictures: Iterable[tuple[str, Tensor]]) -> Iterator[list[tuple[str, Tensor]]]:
    batch: list[tuple[str, Tensor]] = []
    num_bytes = 0
    for key, picture in pictures:
        batch.append((key, picture))
        num_bytes += picture.nbytes
        if len(batch) == BATCH or num_bytes >= BATCH_BYTES:
            yield batch
            batch, num_bytes = [], 0
    if batch:
        yield batch


def _rows(own: Proposals) -> Rows:
    table = torch.cat([own.boxes_xyxy, own.scores[:, None]], dim=1).tolist()  # [N, 5]
    return [(*numbers, category) for numbers, category in zip(table, own.categories, strict=True)]


def _proposals(rows: list[Row]) -> Proposals:
    numbers = torch.tensor([row[:5] for row in rows], dtype=torch.float64).reshape(-1, 5)
    return Proposals(numbers[:, :4], numbers[:, 4], [str(row[5]) for row in rows])
