"""The words that changes of an expression are about: English, lower case."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count

from cliprpn.data.views.vocabulary import MIRRORED, NOT_POSSESSIVE, WHAT_IS_LEFT
from cliprpn.data.views.wording import copy_case, is_side


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Left out for `content_words`: articles, pronouns, forms of to be, to have and to do, conjunctions, and prepositions.
# Those that say a place ("behind", "above", "between") stay.
FUNCTION_WORDS = _set(
    """a an the this that these those is are was were be been being am has have had having do does did it its he she
    they them him his her their who whom whose which what there and or but as at of for with by to from in on"""
)
SIDES = MIRRORED | {other: side for side, other in MIRRORED.items()}
# The eleven basic color terms of Berlin & Kay (1969).
COLORS = (
    *("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white"),
    *("gray", "grey"),
)
SAME_COLORS = {"gray": ("grey",), "grey": ("gray",)}
# Without "one", which is mostly a pronoun: "the one on the left".
_NUMBERS = (
    ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10"),
    ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th"),
)
# Each number becomes the next one, and the last one the first.
NUMBERS = {word: row[(i + 1) % len(row)] for row in _NUMBERS for i, word in enumerate(row)}
# Before "left" at the end of an expression, where it is no side: "the bag he left", "the last piece left".
_BEFORE_A_VERB = WHAT_IS_LEFT | NOT_POSSESSIVE | {"they", "you", "i", "to"}
# Before "orange" as a color without a noun after it: "the man in orange".
_BEFORE_A_COLOR = _set("in is are was were wearing all and or bright dark light")
_AFTER_A_NOUN = FUNCTION_WORDS | _set(
    """behind beside under below above near next between left right closest nearest cut sliced peeled slice slices
    peel juice tree"""
)
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation, split at hyphens."""
    return [word.lower() for word in _WORD.findall(text)]


def replace_words(text: str, replacement: Callable[[list[str], int], str | None]) -> str | None:
    """The expression with other words; punctuation and case stay. None if nothing changes.

    Args:
        replacement: the other word for one of the words, by its position; None for a word that stays.
    """
    words = words_of(text)
    position = count()

    def replace(match: re.Match[str]) -> str:
        other = replacement(words, next(position))
        return match[0] if other is None else copy_case(match[0], other)

    changed = _WORD.sub(replace, text)
    return None if changed == text else changed


def is_side_here(words: list[str], position: int) -> bool:
    """Whether "left" or "right" is a side: as for mirrored images, and also at the end ("woman left", as in RefCOCO).

    It is none in "the man that left the room" and "right behind".
    """
    if is_side(words, position):
        return True
    is_last = words[position] in ("left", "right") and 0 < position == len(words) - 1
    return is_last and words[position - 1] not in _BEFORE_A_VERB


def is_color(words: Sequence[str], position: int) -> bool:
    """Whether a word is a color; "orange" may be a fruit: "the orange in the bowl"."""
    word = words[position]
    if word != "orange":
        return word in COLORS
    before = words[position - 1] if position > 0 else None
    after = words[position + 1] if position + 1 < len(words) else None
    return before in _BEFORE_A_COLOR or (after is not None and after not in _AFTER_A_NOUN)


def with_articles(text: str, colors: Sequence[str]) -> str:
    """The expression with the article that each color has: "a orange car" becomes "an orange car"."""
    for color in colors:
        n = "n" if color[0] in "aeiou" else ""
        text = re.sub(rf"\b(a)n?(?=\s+{color}\b)", rf"\1{n}", text, flags=re.I)
    return text
