"""Random splits are by image; given splits are kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from cliprpn.data.annotations import Annotations, ImageRecord, ObjectRecord, SentenceRecord
from cliprpn.data.splits import assign_splits
from cliprpn.errors import CliprpnError


def annotations(num: int, first: int = 0) -> Annotations:
    """Two sentences per image."""
    ids = range(first, first + num)
    return Annotations(
        "xywh",
        [ImageRecord(i, f"p{i}.jpg", None, None) for i in ids],
        {i: ObjectRecord(i, i, None, (0, 0, 1, 1)) for i in ids},
        [SentenceRecord(2 * i + k, i, i, i, None, f"a dog, {k}") for i in ids for k in range(2)],
        ["a note"],
    )


def splits_of(data: Annotations, seed: int = 0) -> dict[str, set[str | None]]:
    names = {image.image_id: image.file_name for image in data.images}
    splits: dict[str, set[str | None]] = {}
    for sentence in assign_splits(data, seed)[0].sentences:
        splits.setdefault(names[sentence.image_id], set()).add(sentence.split)
    return splits


def test_an_image_has_one_split_independent_of_its_id_and_of_other_images() -> None:
    splits = splits_of(annotations(2000))
    assert all(len(of_image) == 1 for of_image in splits.values())
    counts = Counter(next(iter(of_image)) for of_image in splits.values())
    # Binomial: three standard deviations of 10% of 2,000 are 40.
    assert abs(counts["val"] - 200) < 40 and abs(counts["test"] - 200) < 40 and len(counts) == 3
    some = annotations(100, first=500)
    renumbered = replace(
        some,
        images=[replace(row, image_id=row.image_id + 7) for row in reversed(some.images)],
        sentences=[replace(sentence, image_id=sentence.image_id + 7) for sentence in some.sentences],
    )
    assert splits_of(renumbered) == {name: splits[name] for name in splits_of(some)}
    assert splits_of(annotations(2000), seed=1) != splits


def test_the_rule_names_the_seed_and_notes_are_kept() -> None:
    assigned, rule = assign_splits(annotations(10), 5)
    assert "by image" in rule and "80/10/10" in rule and "seed 5" in rule
    assert assigned.notes == ["a note"]


def test_given_splits_are_kept_and_a_shared_image_is_noted() -> None:
    data = annotations(4)
    order = ["train", "val", "train", "train", "testA", "testA", "val", "train"]
    data = replace(
        data,
        sentences=[replace(row, split=split) for row, split in zip(data.sentences, order, strict=True)],
    )
    assigned, rule = assign_splits(data, 0)
    assert [sentence.split for sentence in assigned.sentences] == order and "given" in rule
    assert assigned.notes[0] == "a note" and len(assigned.notes) == 2
    assert assigned.notes[1].startswith("2 images") and "train and val, such as 'p0.jpg'" in assigned.notes[1]


def test_splits_for_only_some_sentences_are_a_problem() -> None:
    data = annotations(3)
    data.sentences[3] = replace(data.sentences[3], split="val")
    with pytest.raises(CliprpnError) as caught:
        assign_splits(data, 0)
    assert caught.value.code == "data_invalid"
    assert "found none for 5 of 6, such as 'a dog, 0' of 'p0.jpg'" in caught.value.message
