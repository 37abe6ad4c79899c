"""Parts images into train, val and test where nobody has, and looks at the parts where somebody has."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace

from cliprpn.data.annotations import Annotations
from cliprpn.errors import CliprpnError

# Of a thousand images: the first 800 train, 100 are val's, 100 test's.
VAL_FROM, TEST_FROM, OF = 800, 900, 1000
RULE = "by image, 80/10/10 for train, val and test, by a hash of seed {seed} and the file name"
GIVEN = "as the source tells"


def with_splits(annotations: Annotations, seed: int) -> tuple[Annotations, str]:
    """A split for each sentence, and the rule in words.

    Given splits are kept; an image that lies in two gets a note. Where none is given, all sentences of a
    image go the same way, whatever the order of images and whatever other images there are.

    Raises:
        CliprpnError: data_invalid, when some sentences have a split and some have none.
    """
    sentences = annotations.sentences
    without = [each for each in sentences if each.split is None]
    if without and len(without) < len(sentences):
        names = {each.image_id: each.file_name for each in annotations.images}
        first = without[0]
        raise CliprpnError(
            "data_invalid",
            f"split: expected one for all sentences or for none, found none for {len(without)} of "
            f"{len(sentences)}, such as {first.sentence[:80]!r} of {names.get(first.image_id, '')[:80]!r}",
        )
    if without:
        parts = {each.image_id: _part(each.file_name, seed) for each in annotations.images}
        parted = [replace(each, split=parts[each.image_id]) for each in sentences]
        return replace(annotations, sentences=parted), RULE.format(seed=seed)
    return replace(annotations, notes=[*annotations.notes, *_leaks(annotations)]), GIVEN


def _part(file_name: str, seed: int) -> str:
    digest = hashlib.sha256(f"{seed}\0{file_name}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") % OF
    return "train" if place < VAL_FROM else "val" if place < TEST_FROM else "test"


def _leaks(annotations: Annotations) -> list[str]:
    """Images that lie in two splits: what was trained on is asked about."""
    splits: dict[int, set[str]] = defaultdict(set)
    for each in annotations.sentences:
        splits[each.image_id].add(each.split or "")
    names = {each.image_id: each.file_name for each in annotations.images}
    pairs: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for image_id, found in splits.items():
        if len(found) > 1:
            pairs[tuple(sorted(found))].append(names[image_id])
    return [
        f"{len(shared)} images lie in {' and '.join(found)}, such as {shared[0][:80]!r}"
        for found, shared in sorted(pairs.items())
    ]
