"""Sentences in augmented views: exchanging left and right, and changes of an image that may make a sentence untrue."""

from __future__ import annotations

import json

import pytest
from helpers import REPO

from cliprpn.data.views.wording import mirror_sentence, permitted_changes, rejection_reason, split_words

REAL = REPO.parent / "shared" / "data" / "refcocog-umd-val.jsonl"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("a mule carrying two baskets", "a mule carrying two baskets"),
        ("the mule on the left", "the mule on the right"),
        ("kettle to the right of the toaster", "kettle to the left of the toaster"),
        ("left mule", "right mule"),
        ("right", "left"),
        ("leftmost kettle", "rightmost kettle"),
        ("the right-most kettle", "the left-most kettle"),
        ("Left kettle, far RIGHT shelf", "Right kettle, far LEFT shelf"),
        ("sailor in the left-hand photo", "sailor in the right-hand photo"),
        ("tent on the lefthand side", "tent on the righthand side"),
        ("a sailor raising his left arm", "a sailor raising his right arm"),
        ("a parrot on a sailor's right shoulder", "a parrot on a sailor's left shoulder"),
        ("a parrot to the sailor ' s left", "a parrot to the sailor ' s right"),
        ("a mule looking left", "a mule looking right"),
        ("mule facing right with its mouth open", "mule facing left with its mouth open"),
        ("kettle in the bottom left corner", "kettle in the bottom right corner"),
        ("tent right of a tree", "tent left of a tree"),
        ("the tent on the left behind a tree", "the tent on the right behind a tree"),
        ("leftover soup in the upright pot", "leftover soup in the upright pot"),
        ("a bright lamp", "a bright lamp"),
        ("the sailor whose rope isn't tied", "the sailor whose rope isn't tied"),
    ],
)
def test_mirroring_exchanges_left_and_right(sentence: str, expected: str) -> None:
    assert "flip" in permitted_changes(sentence) and "flip" in permitted_changes(expected)
    assert mirror_sentence(sentence) == expected
    assert mirror_sentence(expected) == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "a kettle right next to the toaster",
        "the mule right behind a cart",
        "mule standing right in front of the cart",
        "sailor looking right at the camera",
        "a pot sitting right on the stove",
        "the lamp directly above, right under the roof",
        "a sailor giving an all right gesture",
        "the pot that is right side up",
        "a right-handed fiddler",
        "the right way to hold an oar",
        "tiles laid at a right angle",
        "soup left over from lunch",
        "a tent left open",
        "the last pot left",
        "what is left of the bread",
        "what's left of the bread",
        "the only mule that ' s left",
        "a mule that left the herd",
        "a piece of bread left on the plate",
        "tent on the rigth",
        "the kettle at 3 o'clock",
        "the kettle at three o'clock",
        "sailors walking clockwise",
        "tent at the east wall",
        "sailor in number 12",
        "sailor with number twelve on the back",
        "a crate that says fragile",
        "a flag with the letter k",
        'a crate marked "fragile"',
        "a crate marked \N{LEFT DOUBLE QUOTATION MARK}fragile\N{RIGHT DOUBLE QUOTATION MARK}",
        "a crate with ' fragile ' on it",
        "a door sign",
        "der Esel \N{LATIN SMALL LETTER U WITH DIAERESIS}ber dem Zaun",
    ],
)
def test_a_flip_is_rejected_if_it_may_make_the_sentence_untrue(sentence: str) -> None:
    assert "flip" not in permitted_changes(sentence)


@pytest.mark.parametrize(
    ("sentence", "rejected"),
    [
        ("a mule carrying baskets", set()),
        ("a mule on the left", {"crop"}),
        ("the sailor in a red coat", {"chroma"}),
        ("a red-haired sailor", {"chroma"}),
        ("a black mule", {"light", "chroma"}),
        ("the mule in the dark", {"light"}),
        ("a shiny kettle", {"light"}),
        ("a pale tent", {"light", "chroma"}),
        ("the sailor who is out of focus", {"blur"}),
        ("a blurry mule", {"blur"}),
        ("the tent with text on it", {"flip", "blur"}),
        ("a boat with 3 oars", {"flip", "crop", "blur"}),
        ("kettle in the corner", {"crop"}),
        ("a mule that is cut off", {"crop"}),
        ("a partially hidden tent", {"crop"}),
        ("the biggest kettle", {"crop"}),
        ("mule closest to the camera", {"crop"}),
        ("the second mule", {"crop"}),
        ("the mule between the carts", {"crop"}),
        ("kettle smaller than a cup", {"crop"}),
        ("a mule beside a cart", {"crop"}),
        ("a guest in a vest from the forest", {"crop"}),  # for "from" only
        ("a guest in a vest", set()),
    ],
)
def test_a_change_is_rejected_if_the_sentence_mentions_it(sentence: str, rejected: set[str]) -> None:
    assert permitted_changes(sentence) == {"flip", "crop", "light", "chroma", "blur"} - rejected


def test_the_reason_names_the_word() -> None:
    reason = rejection_reason("the black mule", "light")
    assert reason is not None and reason.startswith("black: ")
    assert rejection_reason("a guest", "crop") is None


def test_words_are_split_at_hyphens_and_apostrophes() -> None:
    assert split_words("Left-most dog, the man's") == ["left", "most", "dog", "the", "man", "s"]


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL} is absent")
def test_mirroring_real_sentences_twice_restores_them_and_most_permit_a_change() -> None:
    sentences = [json.loads(line)["sentence"] for line in REAL.read_text().splitlines()]
    assert all(mirror_sentence(mirror_sentence(sentence)) == sentence for sentence in sentences)
    permitted = [permitted_changes(sentence) for sentence in sentences]
    # A mirrored sentence permits the same changes.
    assert permitted == [permitted_changes(mirror_sentence(sentence)) for sentence in sentences]
    fractions = {
        change: sum(change in changes for changes in permitted) / len(permitted)
        for change in sorted(set().union(*permitted))
    }
    # Measured: 0.694, 0.550, 0.963, 0.959, 0.474.
    assert fractions == pytest.approx(
        {"light": 0.69, "chroma": 0.55, "flip": 0.96, "blur": 0.96, "crop": 0.47}, abs=0.03
    )
