"""Changed expressions: without words, in another order, with the other side, color or number.

After Akula et al., Words Aren't Enough, Their Order Matters (ACL 2020), who shuffled words and wrote expressions that
differ in their order, and found that models answer as before.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from cliprpn.audit.words import (
    COLORS,
    FUNCTION_WORDS,
    NUMBERS,
    SAME_COLORS,
    SIDES,
    is_color,
    is_side_here,
    replace_words,
    with_articles,
    words_of,
)

ChangeKind = Literal[
    "blank",
    "shuffled",
    "reversed",
    "content_words",
    "dropped_word",
    "swapped_side",
    "swapped_color",
    "swapped_number",
    "other_expression",
]
KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
MAX_TRIES = 20


@dataclass(frozen=True)
class Change:
    """A changed expression.

    Attributes:
        row: position of the expression that it was made from.
        text: the changed expression.
        word: position of the dropped word; None for other kinds.
        other: position of the expression that it was replaced by; None for other kinds.
    """

    kind: ChangeKind
    row: int
    text: str
    word: int | None = None
    other: int | None = None


def make_changes(texts: Sequence[str], images: Sequence[int], refs: Sequence[int], seed: int) -> list[Change]:
    """All changes of these expressions that change them, by kind in the order of `KINDS`.

    Args:
        texts: [S].
        images: [S], the image of each.
        refs: [S], the object that each refers to.
        seed: of the random order of words.
    """
    found = set().union(*(_colors(text) for text in texts))
    used = tuple(color for color in COLORS if color in found)
    makers: dict[ChangeKind, Callable[[int], str | None]] = {
        "blank": lambda row: "",
        "shuffled": lambda row: shuffle_words(texts[row], seed, row),
        "reversed": lambda row: " ".join(reversed(texts[row].split())),
        "content_words": lambda row: content_words(texts[row]),
        "swapped_side": lambda row: swap_sides(texts[row]),
        "swapped_color": lambda row: swap_color(texts[row], used),
        "swapped_number": lambda row: replace_words(texts[row], lambda words, i: NUMBERS.get(words[i])),
    }
    changes: list[Change] = []
    for kind in KINDS:
        if kind == "dropped_word":
            changes += drop_words(texts)
        elif kind == "other_expression":
            changes += _other_expressions(texts, images, refs)
        else:
            made = ((row, makers[kind](row)) for row in range(len(texts)))
            changes += [
                Change(kind, row, text)
                for row, text in made
                if text is not None and not _is_same(text, texts[row])
            ]
    return changes


def shuffle_words(text: str, seed: int, row: int) -> str | None:
    """The words in a random order that keeps as few neighbors as possible; None if no order differs."""
    words = text.split()
    if len(set(words)) < 2:
        return None
    digest = hashlib.sha256(f"{seed} {row} {text}".encode()).digest()
    rng = random.Random(digest)
    pairs = set(pairwise(words))
    best, fewest = list(reversed(words)), len(words) + 1
    for _ in range(MAX_TRIES):
        order = rng.sample(words, len(words))
        kept = sum(pair in pairs for pair in pairwise(order))
        if order != words and kept < fewest:
            best, fewest = order, kept
    return " ".join(best)


def content_words(text: str) -> str | None:
    """The expression without function words; None if nothing is left or nothing is left out."""
    words = text.split()
    kept = [word for word in words if _plain(word) not in FUNCTION_WORDS]
    return " ".join(kept) if 0 < len(kept) < len(words) else None


def drop_words(texts: Sequence[str]) -> list[Change]:
    """Each expression of two words or more, without one word at a time."""
    changes: list[Change] = []
    for row, text in enumerate(texts):
        words = text.split()
        if len(words) > 1:
            changes += [
                Change("dropped_word", row, " ".join(words[:i] + words[i + 1 :]), word=i)
                for i in range(len(words))
            ]
    return changes


def swap_sides(text: str) -> str | None:
    """The expression with left and right exchanged where they are sides; None without one."""
    return replace_words(text, lambda words, i: SIDES.get(words[i]) if is_side_here(words, i) else None)


def swap_color(text: str, used: Sequence[str]) -> str | None:
    """The expression with each color replaced by the next one that the data use and the expression does not."""
    own = [color for color in used if color in _colors(text)]
    same = {other for color in own for other in SAME_COLORS.get(color, ())}
    others = [color for color in used if color not in own and color not in same]
    if not own or not others:
        return None
    start = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    new = {color: others[(start + i) % len(others)] for i, color in enumerate(own)}
    changed = replace_words(text, lambda words, i: new.get(words[i]) if is_color(words, i) else None)
    return None if changed is None else with_articles(changed, others)


def _colors(text: str) -> set[str]:
    words = words_of(text)
    return {word for i, word in enumerate(words) if is_color(words, i)}


def _other_expressions(texts: Sequence[str], images: Sequence[int], refs: Sequence[int]) -> list[Change]:
    """For each expression, the next one in its image that refers to another object."""
    of_image: dict[int, list[int]] = {}
    for row, image in enumerate(images):
        of_image.setdefault(image, []).append(row)
    changes: list[Change] = []
    for row, image in enumerate(images):
        rows = of_image[image]
        start = rows.index(row)
        following = [*rows[start + 1 :], *rows[:start]]
        other = next(
            (i for i in following if refs[i] != refs[row] and not _is_same(texts[i], texts[row])), None
        )
        if other is not None:
            changes.append(Change("other_expression", row, texts[other], other=other))
    return changes


def _is_same(text: str, other: str) -> bool:
    """Whether the words are the same, whatever the spaces between them."""
    return text.split() == other.split()


def _plain(word: str) -> str:
    return word.lower().strip(".,;:!?\"'()[]\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}")
