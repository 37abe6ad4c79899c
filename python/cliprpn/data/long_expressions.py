"""Warns of expressions that are longer than CLIP's text encoder reads."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from cliprpn.data.annotations import SPLITS
from cliprpn.data.index import DatasetIndex, read_facts
from cliprpn.models.text_length import CONTEXT_LENGTH, find_cut, read_tokens


def dataset_warnings(index: DatasetIndex) -> list[str]:
    """The warnings of a prepared dataset. Earlier versions recorded none: then those that its tables give.

    Raises:
        CliprpnError: data_invalid.
    """
    key = (str(index.root), index.dataset_id)
    if key not in _known:
        warnings = read_facts(index.root).warnings
        _known.clear()  # A worker needs one dataset at a time.
        _known[key] = long_expression_lines(index) if warnings is None else list(warnings)
    return list(_known[key])


_known: dict[tuple[str, str], list[str]] = {}


def long_expression_lines(index: DatasetIndex, templates: tuple[str, ...] = ("{}",)) -> list[str]:
    """A line for each split with expressions that are cut off in a prompt."""
    lines = [long_expressions_of(index, split, index.split(split), templates) for split in SPLITS]
    return [line for line in lines if line is not None]


def long_expressions_of(
    index: DatasetIndex,
    split: str,
    rows: np.ndarray,
    templates: tuple[str, ...] = ("{}",),
    context_length: int = CONTEXT_LENGTH,
) -> str | None:
    """How many expressions of a split are cut off, in one line; None if none is.

    Args:
        rows: [S], rows of the index's sentences.
    """
    texts = [
        template.replace("{}", index.sentences["sentence"][int(row)].as_py())
        for row in rows
        for template in templates
    ]
    cut_texts = find_cut(texts, context_length).reshape(len(rows), len(templates))
    is_cut = cut_texts.any(dim=1).numpy()
    num_cut = int(is_cut.sum())
    if num_cut == 0:
        return None
    are, their = ("is", "its end is") if num_cut == 1 else ("are", "their ends are")
    prompts = "" if templates == ("{}",) else ", with the templates of the baseline,"
    line = (
        f"{split}: {num_cut:,} of {len(rows):,} expressions{prompts} {are} longer than the {context_length} tokens "
        f"(with start and end) that CLIP's text encoder reads; {their} cut off"
    )
    num_same = _num_indistinct(index, rows, is_cut, texts, len(templates), context_length)
    if num_same == 0:
        return line
    differ = "1 of them differs" if num_same == 1 else f"{num_same:,} of them differ"
    return (
        f"{line}. Only by the part that is cut off, {differ} from an expression of another object in the same image, "
        f"so that no model can tell them apart"
    )


def _num_indistinct(
    index: DatasetIndex,
    rows: np.ndarray,
    is_cut: np.ndarray,
    texts: list[str],
    num_templates: int,
    context_length: int,
) -> int:
    """Number of cut expressions of which the same tokens are read as of one of another object in the same image."""
    image_rows = index.image_rows[rows]
    # Others are read in whole; one that just fits may be read as one that does not.
    others = np.flatnonzero(np.isin(image_rows, image_rows[is_cut]))
    some_texts = [texts[i * num_templates + j] for i in others.tolist() for j in range(num_templates)]
    tokens = read_tokens(some_texts, context_length).reshape(len(others), -1).numpy()
    read = [(int(image_rows[i]), row.tobytes()) for i, row in zip(others, tokens, strict=True)]
    ann_ids = index.sentences["ann_id"].to_numpy()[rows[others]].tolist()
    objects: dict[tuple[int, bytes], set[int]] = defaultdict(set)
    for key, ann_id in zip(read, ann_ids, strict=True):
        objects[key].add(ann_id)
    return sum(len(objects[key]) > 1 for key, cut in zip(read, is_cut[others], strict=True) if cut)
