"""Assigns images to train, val and test if the annotations have no splits; checks the splits otherwise."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace

from cliprpn.data.annotations import Annotations
from cliprpn.errors import CliprpnError

# Of 1000 hash buckets, 800 are train, 100 val and 100 test.
VAL_FROM, TEST_FROM, NUM_BUCKETS = 800, 900, 1000
RANDOM_RULE = "by image, 80/10/10 for train, val and test, by a hash of seed {seed} and the file name"
GIVEN_RULE = "as given in the annotations"


def assign_splits(annotations: Annotations, seed: int) -> tuple[Annotations, str]:
    """Annotations with a split for each sentence, and a description of the rule.

    Given splits are kept; an image in two splits gets a note. Otherwise all sentences of an image get the same split,
    which depends on its file name and the seed only, not on the other images.

    Raises:
        CliprpnError: data_invalid, if some sentences have a split and some have none.
    """
    sentences = annotations.sentences
    without_split = [row for row in sentences if row.split is None]
    names = {image.image_id: image.file_name for image in annotations.images}
    if without_split and len(without_split) < len(sentences):
        first = without_split[0]
        raise CliprpnError(
            "data_invalid",
            f"split: expected one for all sentences or for none, found none for {len(without_split)} of "
            f"{len(sentences)}, such as {first.sentence[:80]!r} of {names.get(first.image_id, '')[:80]!r}",
        )
    if without_split:
        splits = {image_id: _random_split(name, seed) for image_id, name in names.items()}
        with_splits = [replace(row, split=splits[row.image_id]) for row in sentences]
        return replace(annotations, sentences=with_splits), RANDOM_RULE.format(seed=seed)
    return replace(annotations, notes=[*annotations.notes, *_note_leaks(annotations)]), GIVEN_RULE


def _random_split(file_name: str, seed: int) -> str:
    digest = hashlib.sha256(f"{seed}\0{file_name}".encode()).digest()
    bucket = int.from_bytes(digest[:8], "big") % NUM_BUCKETS
    return "train" if bucket < VAL_FROM else "val" if bucket < TEST_FROM else "test"


def _note_leaks(annotations: Annotations) -> list[str]:
    """Notes about images in several splits: a model may be evaluated on images that it was trained on."""
    splits: dict[int, set[str]] = defaultdict(set)
    for row in annotations.sentences:
        splits[row.image_id].add(row.split or "")
    names = {image.image_id: image.file_name for image in annotations.images}
    shared: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for image_id, splits_of_image in splits.items():
        if len(splits_of_image) > 1:
            shared[tuple(sorted(splits_of_image))].append(names[image_id])
    return [
        f"{len(files)} images are in {' and '.join(split_names)}, such as {files[0][:80]!r}"
        for split_names, files in sorted(shared.items())
    ]
