"""Splits are by image, and told from what was given."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from cliprpn.data.annotations import Annotations, ImageRecord, ObjectRecord, SentenceRecord
from cliprpn.data.splits import with_splits
from cliprpn.errors import CliprpnError


def annotations(num: int, first: int = 0) -> Annotations:
    """Two sentences an image."""
    ids = range(first, first + num)
    return Annotations(
        "xywh",
        [ImageRecord(i, f"p{i}.jpg", None, None) for i in ids],
        {i: ObjectRecord(i, i, None, (0, 0, 1, 1)) for i in ids},
        [SentenceRecord(2 * i + k, i, i, i, None, f"a dog, {k}") for i in ids for k in range(2)],
        ["a note"],
    )


def splits_of(given: Annotations, seed: int = 0) -> dict[str, set[str | None]]:
    names = {each.image_id: each.file_name for each in given.images}
    found: dict[str, set[str | None]] = {}
    for each in with_splits(given, seed)[0].sentences:
        found.setdefault(names[each.image_id], set()).add(each.split)
    return found


def test_a_image_goes_one_way_whatever_its_id_and_neighbours() -> None:
    found = splits_of(annotations(2000))
    assert all(len(splits) == 1 for splits in found.values())
    counts = Counter(next(iter(splits)) for splits in found.values())
    # Binomial: three standard deviations of 10% of 2,000 are 40.
    assert abs(counts["val"] - 200) < 40 and abs(counts["test"] - 200) < 40 and len(counts) == 3
    some = annotations(100, first=500)
    renumbered = replace(
        some,
        images=[replace(each, image_id=each.image_id + 7) for each in reversed(some.images)],
        sentences=[replace(each, image_id=each.image_id + 7) for each in some.sentences],
    )
    assert splits_of(renumbered) == {name: found[name] for name in splits_of(some)}
    assert splits_of(annotations(2000), seed=1) != found


def test_the_rule_is_told_and_notes_stay() -> None:
    found, rule = with_splits(annotations(10), 5)
    assert rule == "by image, 80/10/10 for train, val and test, by a hash of seed 5 and the file name"
    assert found.notes == ["a note"]


def test_given_splits_are_kept_and_a_shared_image_is_noted() -> None:
    given = annotations(4)
    order = ["train", "val", "train", "train", "testA", "testA", "val", "train"]
    given = replace(
        given,
        sentences=[replace(each, split=split) for each, split in zip(given.sentences, order, strict=True)],
    )
    found, rule = with_splits(given, 0)
    assert [each.split for each in found.sentences] == order and rule == "as the source tells"
    assert found.notes == ["a note", "2 images lie in train and val, such as 'p0.jpg'"]


def test_some_with_and_some_without_is_a_problem() -> None:
    given = annotations(3)
    given.sentences[3] = replace(given.sentences[3], split="val")
    with pytest.raises(CliprpnError) as caught:
        with_splits(given, 0)
    assert caught.value.code == "data_invalid"
    assert "found none for 5 of 6, such as 'a dog, 0' of 'p0.jpg'" in caught.value.message
