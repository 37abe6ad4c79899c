"""Which changes of its image a sentence bears, and how it reads in a mirror."""

from __future__ import annotations

import re
from functools import cache

from cliprpn.data.views.augmentation import CHANGES, Change, View
from cliprpn.data.views.vocabulary import (
    AFTER_A_SIDE,
    AFTER_AN_ADVERB,
    BEFORE_A_SIDE,
    BEFORE_A_SIDE_OR_ADVERB,
    MIRRORED,
    NEVER_A_SIDE,
    NEVER_PHRASES,
    NO_OWNERS,
    NO_SIDE,
    NO_SUPERLATIVE,
    UNFIT,
    WHAT_IS_LEFT,
)


def reworded(sentence: str, view: View) -> str | None:
    """The sentence as it reads in the view; None where the view may make it untrue."""
    if not view.changes <= permitted(sentence):
        return None
    return mirrored(sentence) if view.flip else sentence


def permitted(sentence: str) -> frozenset[Change]:
    """The changes that leave the sentence true."""
    return frozenset(change for change in CHANGES if refusal(sentence, change) is None)


def refusal(sentence: str, change: Change) -> str | None:
    """Why the sentence does not bear a change of its image, in a few words; None where it does."""
    words = words_of(sentence)
    if not all(character.isascii() for character in sentence if character.isalpha()):
        return "letters that the word lists do not know"
    for word in words:
        reason = _reasons(change).get(word)
        if reason is not None:
            return f"{word}: {reason}"
    if change in ("flip", "crop", "blur") and re.search(r"\d", sentence):
        return "figures may be read in the image, or count or tell the time"
    if change in ("flip", "blur") and _QUOTED.search(sentence):
        return "quotes what is written in the image"
    if change == "crop" and any(_is_superlative(word) for word in words):
        return "compares"
    if change == "flip" and not all(_is_side(words, i) for i in range(len(words)) if _may_be_side(words[i])):
        return "left or right may be no side here"
    return None


def mirrored(sentence: str) -> str:
    """The sentence with left and right changed; the rest, capitals included, as it is."""
    return _SIDE.sub(lambda found: _as_written(found[0], _OTHER_SIDE[found[0].lower()]), sentence)


def words_of(sentence: str) -> list[str]:
    """Lower case, parted at hyphens and apostrophes, as RefCOCOg does: "man's left-most" to man s left most."""
    return _WORD.findall(sentence.lower())


_WORD = re.compile(r"[^\W_]+")
# A single quote counts where a word begins: RefCOCOg parts "man ' s" so.
_QUOTED = re.compile(
    r"[\"`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}]"
    r"|(?:^|\s)'\s?(?!(?:s|t|re|ve|d|ll|m)\b)\w"
)
_OTHER_SIDE = MIRRORED | {other: side for side, other in MIRRORED.items()}
_SIDE = re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted(_OTHER_SIDE, key=len, reverse=True))})(?![^\W_])", re.I)


def _may_be_side(word: str) -> bool:
    """Also misspelt: "rigth" and "lefft" are refused, since nothing would change them."""
    return word.startswith(("left", "right", "lef", "righ", "rigt", "rihgt")) and word not in NO_SIDE


def _is_side(words: list[str], position: int) -> bool:
    """Whether "left" or "right" here names a side, so that the mirrored sentence says the other one."""
    if words[position] not in ("left", "right"):
        return words[position] in _OTHER_SIDE
    before = words[position - 1] if position > 0 else None
    after = words[position + 1] if position + 1 < len(words) else None
    if after in NEVER_A_SIDE or tuple(words[position + 1 : position + 3]) in NEVER_PHRASES:
        return False
    owner = words[position - 2] if position > 1 and before == "s" else None
    if owner in NO_OWNERS:
        return False
    if before in BEFORE_A_SIDE or owner is not None:
        return True
    if after == "of":
        return before not in WHAT_IS_LEFT
    if after in AFTER_AN_ADVERB:
        return False
    # Nothing before it: "left zebra", as RefCOCO has it.
    return after in AFTER_A_SIDE or before is None or before in BEFORE_A_SIDE_OR_ADVERB


def _is_superlative(word: str) -> bool:
    return len(word) > 4 and word.endswith("est") and word not in NO_SUPERLATIVE


def _as_written(old: str, new: str) -> str:
    """The new word with the capitals of the old: LEFT, Left, left."""
    if old.isupper():
        return new.upper()
    return new.capitalize() if old[0].isupper() else new


@cache
def _reasons(change: Change) -> dict[str, str]:
    """Each listed word's reason."""
    return {word: reason for reason, words in UNFIT[change].items() for word in words.split()}
