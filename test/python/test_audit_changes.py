"""Changed expressions: what each change does to which words."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cliprpn.audit.changes import (
    KINDS,
    Change,
    ChangeKind,
    content_words,
    make_changes,
    shuffle_words,
    swap_color,
)
from cliprpn.audit.words import SIDES

TEXTS = ["the left red dog", "Two cats on the right", "dog", "a dog is a", "the second (old) bus, top left"]


def changes_of(*texts: str, seed: int = 0) -> list[Change]:
    """Each text refers to an object of its own in the same image."""
    return make_changes(texts, [1] * len(texts), list(range(len(texts))), seed)


def texts_of(kind: ChangeKind, *texts: str) -> list[str]:
    return [change.text for change in changes_of(*texts) if change.kind == kind]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("blank", "the dog", [""]),
        ("reversed", "the left  red dog", ["dog red left the"]),
        ("reversed", "dog", []),
        ("reversed", "big dog big", []),
        ("reversed", "big  big", []),
        ("content_words", "the dog that is on the left of a red car", ["dog left red car"]),
        ("content_words", "The dog, behind him.", ["dog, behind"]),
        ("content_words", "red dog", []),
        ("content_words", "that one is it", ["one"]),
        ("content_words", "that is it", []),
        ("dropped_word", "the red dog", ["red dog", "the dog", "the red"]),
        ("dropped_word", "dog", []),
        ("swapped_side", "the dog left of the right car", ["the dog right of the left car"]),
        ("swapped_side", "Left dog, RIGHT-most!", ["Right dog, LEFT-most!"]),
        ("swapped_side", "upper-left corner below it", ["upper-right corner below it"]),
        ("swapped_side", "the man's left/right hand", ["the man's right/left hand"]),
        ("swapped_side", "woman left", ["woman right"]),
        ("swapped_side", "leftmost zebras", ["rightmost zebras"]),
        ("swapped_side", "the man who left the room, over there", []),
        ("swapped_side", "right behind the car", []),
        ("swapped_side", "the last piece left", []),
        ("swapped_side", "the bag he left", []),
        ("swapped_side", "\u0130, the left dog", ["\u0130, the right dog"]),
        ("swapped_side", "top shelf, front row", []),
        ("swapped_side", "leftover pizza, bright", []),
        ("swapped_number", "two dogs in the third row", ["three dogs in the fourth row"]),
        ("swapped_number", "Player 10, 1st", ["Player 1, 2nd"]),
        ("swapped_number", "SEVENTH tent of ten", ["EIGHTH tent of two"]),
        ("swapped_number", "the one on the left", []),  # A pronoun.
        ("swapped_number", "player 15", []),
        ("swapped_color", "the dog", []),
        ("swapped_color", "the red dog", []),  # No other color is in the data.
    ],
)
def test_a_change(kind: ChangeKind, text: str, expected: list[str]) -> None:
    assert texts_of(kind, text) == expected


def test_an_expression_of_no_words_has_no_change() -> None:
    assert changes_of("", " ") == []


def test_a_color_becomes_another_one_of_the_data_that_the_expression_does_not_have() -> None:
    assert texts_of("swapped_color", "red dog", "a blue car") == ["blue dog", "a red car"]
    mixed = texts_of("swapped_color", "Red or blue dog", "green car", "white bus")
    assert mixed[0] in ("Green or white dog", "White or green dog")
    assert mixed == texts_of("swapped_color", "Red or blue dog", "green car", "white bus")
    assert texts_of("swapped_color", "red and blue dog", "blue") == ["red"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grey dog", "orange dog"),
        ("a gray dog", "an orange dog"),
        ("An Orange, big dog", "A Red, big dog"),
        ("the man in orange", "the man in red"),
        ("AN ORANGE car", "A RED car"),
        ("light-grey (GREY) dog", "light-orange (ORANGE) dog"),
        ("the orange in the bowl", None),  # A fruit.
        ("two oranges", None),
    ],
)
def test_colors_of_either_spelling_keep_case_and_article(text: str, expected: str | None) -> None:
    used = ("orange", "red") if "orange" in text.lower() else ("orange", "gray", "grey")
    assert swap_color(text, used) == expected


def test_gray_is_never_replaced_by_grey() -> None:
    assert swap_color("gray dog", ("gray", "grey")) is None
    assert swap_color("grey dog", ("gray", "grey", "red")) == "red dog"


def test_every_side_is_undone_by_its_other_side() -> None:
    assert all(SIDES[other] == side for side, other in SIDES.items())


def test_shuffled_words_are_the_same_words_in_another_order() -> None:
    text = "the small brown dog next to a red car"
    shuffled = [shuffle_words(text, seed, 0) for seed in range(20)]
    neighbors = set(pairwise(text.split()))
    for each in shuffled:
        assert each is not None and each != text
        assert sorted(each.split()) == sorted(text.split())
        assert sum(pair in neighbors for pair in pairwise(each.split())) <= 1
    assert len(set(shuffled)) > 10
    assert shuffle_words("red dog", 3, 0) == "dog red"
    assert shuffle_words("big dog big", 0, 0) in ("dog big big", "big big dog")
    assert shuffle_words("dog dog", 0, 0) is None


def test_the_same_seed_gives_the_same_changes_and_another_one_another_order() -> None:
    assert changes_of(*TEXTS, seed=4) == changes_of(*TEXTS, seed=4)
    first, other = changes_of(*TEXTS, seed=4), changes_of(*TEXTS, seed=5)
    assert [each for each in first if each.kind != "shuffled"] == [
        each for each in other if each.kind != "shuffled"
    ]
    assert first != other


def test_changes_come_by_kind_and_never_leave_an_expression_as_it_was() -> None:
    changes = changes_of(*TEXTS)
    assert {change.kind for change in changes} == set(KINDS) - {"swapped_color"}
    order = [KINDS.index(change.kind) for change in changes]
    assert order == sorted(order)
    assert all(change.text.split() != TEXTS[change.row].split() for change in changes)


def test_another_expression_is_one_of_another_object_of_the_same_image() -> None:
    texts = ["red dog", "big dog", "cat", "blue car", "cat"]
    changes = make_changes(texts, [1, 1, 1, 2, 3], [10, 10, 11, 12, 13], 0)
    others = {change.row: change.other for change in changes if change.kind == "other_expression"}
    assert others == {0: 2, 1: 2, 2: 0}
    assert make_changes(["cat", "cat"], [1, 1], [1, 2], 0)[-1].kind != "other_expression"


def test_content_words_keep_places_and_numbers() -> None:
    assert content_words("the two dogs between a car and the bus") == "two dogs between car bus"
