"""Rows with several sentences for one box."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from cliprpn.data.checks import Record
from cliprpn.data.rows.box_values import parse_objects

# Keys of the text in an object of a list of sentences.
TEXT_KEYS = ("sentence", "caption", "expression", "sent", "text", "phrase", "raw")
_STRING = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
# `["a", "b"]` as Python or JSON write it, or `['a' 'b']` as NumPy does.
_LIST_OF_STRINGS = re.compile(rf"\[\s*(?:{_STRING})(?:[\s,]+(?:{_STRING}))*\s*\]", re.DOTALL)
MAX_LIST_CHARS = 100_000


def one_sentence_each(values: Record) -> Iterator[Record]:
    """The row itself, or a row for each of its sentences.

    Args:
        values: of the row by field. `sentence` may be a list of texts, or of objects with the text under one of
            `TEXT_KEYS` and optionally `sent_id`; `sent_id` may be a list of the same length.
    """
    sentences = values.get("sentence")
    if isinstance(sentences, str):
        sentences = _parsed(sentences)
    if isinstance(sentences, dict):
        sentences = [sentences]
    if not isinstance(sentences, list | tuple) or len(sentences) == 0:
        yield values
        return
    sent_ids = values.get("sent_id")
    has_id_each = isinstance(sent_ids, list | tuple) and len(sent_ids) == len(sentences)
    for position, sentence in enumerate(sentences):
        row = {**values, "sentence": sentence}
        if has_id_each and isinstance(sent_ids, list | tuple):
            row["sent_id"] = sent_ids[position]
        elif len(sentences) > 1:
            row.pop("sent_id", None)  # The row's id cannot be that of each sentence.
        if isinstance(sentence, dict):
            key = next((key for key in TEXT_KEYS if key in sentence), None)
            row["sentence"] = sentence if key is None else sentence[key]
            row |= {key: sentence[key] for key in ("sent_id", "ref_id") if key in sentence}
        yield row


def _parsed(text: str) -> Any:
    """The list of strings, or the objects, that were written as text; None if the text is anything else."""
    text = text.strip()
    if not text.startswith(("['", '["', "{", "[{")) or len(text) > MAX_LIST_CHARS:
        return None
    if "{" in text[:2]:
        return parse_objects(text)
    if _LIST_OF_STRINGS.fullmatch(text) is None:
        return None
    try:
        return [str(ast.literal_eval(part)) for part in re.findall(_STRING, text, re.DOTALL)]
    except (ValueError, SyntaxError):
        return None
