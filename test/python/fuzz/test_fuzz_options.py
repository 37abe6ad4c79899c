"""Random combinations of the options for imperfect annotations, with imperfect rows: a result, or a message.

The suite runs a few inputs of each; `CLIPRPN_FUZZ_COUNT=10000` runs more, `CLIPRPN_FUZZ_SEED` others.
"""

from __future__ import annotations

import json
import os
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from fuzzing import MAX_MESSAGE_CHARS, Source, fuzz
from helpers import make_records, write_dataset
from prepared import source_of
from user_data import rows_source

from cliprpn.data.annotations import BoxFormat
from cliprpn.data.index import open_tables
from cliprpn.data.sources import read_source
from cliprpn.data.tables import write_tables
from cliprpn.errors import CliprpnError

COUNT = int(os.environ.get("CLIPRPN_FUZZ_COUNT", "40"))
SEED = int(os.environ.get("CLIPRPN_FUZZ_SEED", "0"))
OPTIONS = ("clip_boxes", "allow_invalid", "force_box_format")
WIDTH, HEIGHT = 640, 480

BOXES: list[Callable[[random.Random], Any]] = [
    lambda rng: [rng.uniform(0, 300), rng.uniform(0, 200), rng.uniform(1, 300), rng.uniform(1, 250)],
    lambda rng: [round(rng.uniform(-50, 800)) for _ in range(4)],
    lambda rng: [round(rng.random(), 3) for _ in range(4)],
    lambda rng: sorted(rng.randrange(1001) for _ in range(4)),
    lambda rng: [rng.choice([0, -1, 1e-300, 1e15, float("nan"), float("inf")]), 1, 2, 3],
    lambda rng: rng.choice([None, "1 2 3", [1, 2, 3], {"x": 1}]),
]


def write_rows(folder: Path, rng: random.Random) -> tuple[Source, int]:
    """Rows of which most have boxes of one kind; and their number."""
    usual, share = rng.choice(BOXES[:4]), rng.choice([0.0, 0.1, 0.5])
    num = rng.choice([1, 3, 8, 40])
    with_sizes = rng.random() < 0.8
    lines = []
    for i in range(num):
        row: dict[str, Any] = {
            "image": f"p{i // 4}.jpg",
            "sentence": f"the dog {i}",
            "box": (usual if rng.random() >= share else rng.choice(BOXES))(rng),
            "sent_id": rng.choice([i, i, i, 0]),
        }
        row |= {"width": WIDTH, "height": rng.choice([HEIGHT] * 30 + [-1, "x", 481])} if with_sizes else {}
        row |= {"split": rng.choice(["train", "val", "x"])} if rng.random() < share / 2 else {}
        lines.append("{oops" if rng.random() < share / 5 else json.dumps(row))
    path = folder / "rows.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rows_source(path, box_format=rng.choice(get_args(BoxFormat))), num


def write_refcoco(folder: Path, rng: random.Random) -> tuple[Source, int]:
    """RefCOCO's layout with some invalid boxes and refs; and the number of its sentences."""
    instances, refs = make_records(6)
    write_dataset(folder, instances, refs)
    usual, share = rng.choice(BOXES[:4]), rng.choice([0.0, 0.1, 0.5])
    for annotation in instances["annotations"]:
        annotation["bbox"] = (usual if rng.random() >= share else rng.choice(BOXES))(rng)
    for image in instances["images"]:
        image |= {"width": WIDTH, "height": HEIGHT}
    for ref in refs:
        if rng.random() < share / 2:
            ref[rng.choice(["ann_id", "image_id", "split"])] = rng.choice([999, 1, "x"])
    (folder / "annotations" / "instances.json").write_text(json.dumps(instances))
    (folder / "annotations" / "refs(umd).p").write_bytes(pickle.dumps(refs, 2))
    return source_of(folder), sum(len(ref["sentences"]) for ref in refs)


def outcome(source: Source, num_sentences: int, folder: Path) -> str:
    """Every sentence is read or counted as left out, and the boxes of those read lie inside their images."""
    try:
        loaded = read_source(source)
        annotations = loaded.annotations
        written = write_tables(annotations, None, folder / "set", rules=loaded.rules)
        index = open_tables(folder / "set", "fuzz", None, annotations.box_format)
    except CliprpnError as error:
        assert error.code == "data_invalid", error.code
        assert 0 < len(error.message) < MAX_MESSAGE_CHARS
        assert source.allow_invalid or "left out" not in error.message
        return "rejected"
    num_read, num_dropped = len(annotations.sentences), written.dropped.num_sentences
    assert num_read + annotations.num_left_out == num_sentences
    assert source.allow_invalid or annotations.num_left_out == num_dropped == 0
    notes = [*annotations.notes, *written.notes]
    if annotations.num_left_out + num_dropped > 0:  # An object without a sentence is noted, too.
        assert any("invalid and left out" in note for note in notes)
    assert source.clip_boxes or not any("clipped" in note for note in notes)
    boxes = index.gt_boxes
    assert len(boxes) == num_read - num_dropped > 0
    assert bool((boxes[:, 2:] > boxes[:, :2]).all()) and bool((boxes >= 0).all())
    if all(image.width is not None for image in annotations.images):
        assert bool((boxes[:, 2] <= WIDTH).all()) and bool((boxes[:, 3] <= HEIGHT + 1).all())
    return "read"


@pytest.mark.parametrize("write", [write_rows, write_refcoco])
def test_imperfect_annotations_are_read_or_rejected_under_all_options(
    tmp_path: Path, write: Callable[[Path, random.Random], tuple[Source, int]]
) -> None:
    def read(folder: Path, rng: random.Random) -> str:
        source, num_sentences = write(folder, rng)
        source = source.model_copy(update={option: rng.choice([None, True, True]) for option in OPTIONS})
        return outcome(source, num_sentences, folder)

    fuzz(tmp_path, write.__name__, COUNT, SEED, read)
