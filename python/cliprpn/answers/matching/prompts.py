"""Finds the expression in rows that give the whole prompt instead of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cliprpn.answers.answer_row import AnswerRow
from cliprpn.answers.matching.split_keys import SplitKeys, normalize

# A prompt has at least so many words besides the expression if this part of the rows have it. Expressions of another
# dataset also contain expressions of this one ("the man" in "the man in red"), but not in the same words.
MIN_PARTS = {2: 0.5, 4: 0.2}
Prompt = tuple[str, str]


def expressions_in_prompts(rows: Sequence[AnswerRow], keys: SplitKeys) -> list[list[int]]:
    """The expressions that each row asks for, if most rows have the same words around one of their image.

    Args:
        rows: that match no expression otherwise.
    """
    prompts = Counter(prompt for row in rows if (prompt := _prompt_of(row, keys)) is not None)
    usual = [
        prompt
        for prompt, num in prompts.most_common(5)
        if num >= max(min(2, len(rows)), _min_part(prompt) * len(rows))
    ]
    return [_asked(row, usual, keys) for row in rows]


def _prompt_of(row: AnswerRow, keys: SplitKeys) -> Prompt | None:
    """The normalized words before and after an expression."""
    if row.expression is None or row.image is None:
        return None
    text = normalize(row.expression)
    found = keys.inside(keys.names.images_of(row.image), text)
    if found is None:
        return None
    before, _, after = f" {text} ".partition(f" {found} ")
    prompt = (before.strip(), after.strip())
    return prompt


def _min_part(prompt: Prompt) -> float:
    num_words = len(" ".join(prompt).split())
    return min((part for words, part in MIN_PARTS.items() if num_words >= words), default=2.0)


def _asked(row: AnswerRow, prompts: Sequence[Prompt], keys: SplitKeys) -> list[int]:
    if row.expression is None or row.image is None:
        return []
    text = f" {normalize(row.expression)} "
    for before, after in prompts:
        start, end = f" {before} " if before else " ", f" {after} " if after else " "
        if len(text) > len(start) + len(end) and text.startswith(start) and text.endswith(end):
            inner = text[len(start) : len(text) - len(end)].strip()
            found = keys.normalized(keys.names.images_of(row.image), inner)
            if found:
                return found
    return []
