"""Decides which changes of an image keep a sentence true, and mirrors sentences."""

from __future__ import annotations

import re
from functools import cache

from cliprpn.data.views.augmentation import CHANGES, Change
from cliprpn.data.views.vocabulary import (
    AFTER_A_SIDE,
    AFTER_AN_ADVERB,
    BEFORE_A_SIDE,
    BEFORE_A_SIDE_OR_ADVERB,
    MIRRORED,
    NEVER_A_SIDE,
    NEVER_PHRASES,
    NOT_A_SIDE,
    NOT_POSSESSIVE,
    NOT_SUPERLATIVE,
    REJECTED_WORDS,
    WHAT_IS_LEFT,
)


def permitted_changes(sentence: str) -> frozenset[Change]:
    """The changes of the image that keep the sentence true."""
    return frozenset(change for change in CHANGES if rejection_reason(sentence, change) is None)


def rejection_reason(sentence: str, change: Change) -> str | None:
    """Why a change of the image may make the sentence untrue; None if it cannot."""
    words = split_words(sentence)
    if not all(character.isascii() for character in sentence if character.isalpha()):
        return "has letters that the word lists do not cover"
    for word in words:
        reason = _rejection_reasons(change).get(word)
        if reason is not None:
            return f"{word}: {reason}"
    if change in ("flip", "crop", "blur") and re.search(r"\d", sentence):
        return "digits may be visible in the image, or be a count or a time"
    if change in ("flip", "blur") and _QUOTED.search(sentence):
        return "quotes text in the image"
    if change == "crop" and any(_is_superlative(word) for word in words):
        return "compares"
    if change == "flip" and not all(
        is_side(words, i) for i in range(len(words)) if _looks_like_side(words[i])
    ):
        return "left or right may not be a side here"
    return None


def mirror_sentence(sentence: str) -> str:
    """The sentence with left and right exchanged; the rest, including capitals, is unchanged."""
    return _SIDE.sub(lambda match: copy_case(match[0], _OTHER_SIDE[match[0].lower()]), sentence)


def split_words(sentence: str) -> list[str]:
    """Lower-case words, split at hyphens and apostrophes as RefCOCOg does: "man's left-most" to man s left most."""
    return _WORD.findall(sentence.lower())


_WORD = re.compile(r"[^\W_]+")
# A single quote counts only at the start of a word, since RefCOCOg writes "man ' s".
_QUOTED = re.compile(
    r"[\"`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}]"
    r"|(?:^|\s)'\s?(?!(?:s|t|re|ve|d|ll|m)\b)\w"
)
_OTHER_SIDE = MIRRORED | {other: side for side, other in MIRRORED.items()}
_SIDE = re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted(_OTHER_SIDE, key=len, reverse=True))})(?![^\W_])", re.I)


def _looks_like_side(word: str) -> bool:
    """Whether a word may mean left or right. Misspelled ones ("rigth", "lefft") count: they would not be exchanged."""
    return word.startswith(("left", "right", "lef", "righ", "rigt", "rihgt")) and word not in NOT_A_SIDE


def is_side(words: list[str], position: int) -> bool:
    """Whether "left" or "right" is a side here, so that it must be exchanged."""
    if words[position] not in ("left", "right"):
        return words[position] in _OTHER_SIDE
    before = words[position - 1] if position > 0 else None
    after = words[position + 1] if position + 1 < len(words) else None
    if after in NEVER_A_SIDE or tuple(words[position + 1 : position + 3]) in NEVER_PHRASES:
        return False
    owner = words[position - 2] if position > 1 and before == "s" else None
    if owner in NOT_POSSESSIVE:
        return False
    if before in BEFORE_A_SIDE or owner is not None:
        return True
    if after == "of":
        return before not in WHAT_IS_LEFT
    if after in AFTER_AN_ADVERB:
        return False
    # No word before it: "left zebra", as in RefCOCO.
    return after in AFTER_A_SIDE or before is None or before in BEFORE_A_SIDE_OR_ADVERB


def _is_superlative(word: str) -> bool:
    return len(word) > 4 and word.endswith("est") and word not in NOT_SUPERLATIVE


def copy_case(old: str, new: str) -> str:
    """The new word in the case of the old one: LEFT, Left, left."""
    if old.isupper():
        return new.upper()
    return new.capitalize() if old[0].isupper() else new


@cache
def _rejection_reasons(change: Change) -> dict[str, str]:
    """Reasons to reject a change, by word."""
    return {word: reason for reason, words in REJECTED_WORDS[change].items() for word in words.split()}
