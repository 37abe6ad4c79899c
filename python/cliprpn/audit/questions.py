"""The questions of an audit: which changed expressions are asked, their ids, and their export for outside models."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cliprpn.audit.changes import Change, make_changes
from cliprpn.audit.figures import Asking
from cliprpn.contract.generated import ExportChangesParams, ExportChangesResult
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.data.questions import write_questions
from cliprpn.errors import CliprpnError

# Each expression has as many changes without a word as it has words; of these, so many are asked.
MAX_DROPPED_WORDS = 1500
UNCHANGED = "original"


def ask(index: DatasetIndex, split: str, seed: int, sent_ids: Sequence[int]) -> Asking:
    """The changes of a split's expressions.

    Args:
        sent_ids: expressions whose words are all dropped, to be shown. The figures are those of other expressions: of
            so many that they have at most `MAX_DROPPED_WORDS` words, in an order that depends on their ids only.

    Raises:
        CliprpnError: bad_input, if the split is empty, or a named expression is none of its, or has one word.
    """
    rows = index.split(split)
    if len(rows) == 0:
        raise CliprpnError(
            "bad_input", f"{index.root}: expected expressions in the split {split}, found none"
        )
    table = index.sentences.take(rows)
    ids: list[int] = table["sent_id"].to_pylist()
    texts: list[str] = table["sentence"].to_pylist()
    _check_named(ids, texts, split, sent_ids)
    changes = make_changes(texts, table["image_id"].to_pylist(), table["ref_id"].to_pylist(), seed)
    sampled = _sample(changes, ids)
    named = {row for row, sent_id in enumerate(ids) if sent_id in set(sent_ids)}
    asked = [change for change in changes if change.kind != "dropped_word" or change.row in sampled | named]
    return Asking(index, rows, asked, frozenset(named - sampled))


def _check_named(ids: Sequence[int], texts: Sequence[str], split: str, named: Sequence[int]) -> None:
    text_of = dict(zip(ids, texts, strict=True))
    for sent_id in named:
        if sent_id not in text_of:
            raise CliprpnError(
                "bad_input",
                f"--sent-id {sent_id}: expected an expression of {split}, found none; it has {ids[0]}, ...",
            )
        if len(text_of[sent_id].split()) < 2:
            raise CliprpnError(
                "bad_input",
                f"--sent-id {sent_id}: expected an expression of two words or more, found {text_of[sent_id]!r}",
            )


def _sample(changes: Sequence[Change], ids: Sequence[int]) -> set[int]:
    """Expressions whose words are dropped, chosen by a hash of their ids."""
    sizes: dict[int, int] = {}
    for change in changes:
        if change.kind == "dropped_word":
            sizes[change.row] = sizes.get(change.row, 0) + 1
    kept: set[int] = set()
    num = 0
    for row in sorted(sizes, key=lambda row: hashlib.sha256(str(ids[row]).encode()).digest()):
        if num + sizes[row] > MAX_DROPPED_WORDS:
            break
        kept.add(row)
        num += sizes[row]
    return kept


def export_changes(params: ExportChangesParams) -> ExportChangesResult:
    """Writes a line for each expression and each change, as `dataset export --for vlm` does. No answer is in the file.

    The id is `<sent_id>#original` or `<sent_id>#<kind>`, with the position of a dropped word.

    Raises:
        CliprpnError: bad_input, data_invalid, no_space.
    """
    index = open_dataset(Path(params.dataset.root), params.dataset.id)
    asking = ask(index, params.split, params.seed, params.sent_ids)
    sentences = questions_of(asking).sentences
    asked = [
        _Question(key, image_id, params.split, text)
        for key, image_id, text in zip(
            question_ids(asking),
            sentences["image_id"].to_pylist(),
            sentences["sentence"].to_pylist(),
            strict=True,
        )
    ]
    write_questions(
        asked, index, Path(params.out_file), params.prompt, params.coordinates, params.image_paths
    )
    return ExportChangesResult(num_questions=len(asked), num_expressions=len(asking.rows))


@dataclass(frozen=True)
class _Question:
    sent_id: str
    image_id: int
    split: str
    sentence: str


def questions_of(asking: Asking) -> DatasetIndex:
    """The dataset with the unchanged expressions and the changes in place of its own, [S + N]."""
    texts = [*asking.texts, *(change.text for change in asking.changes)]
    return with_texts(asking.index, np.concatenate([asking.rows, rows_of(asking)]), texts)


def question_ids(asking: Asking) -> list[str]:
    """Ids of the unchanged expressions and of the changes, [S + N], unique."""
    ids = asking.index.sentences["sent_id"].take(asking.rows).to_pylist()
    changes = [
        f"{ids[change.row]}#{change.kind}{'' if change.word is None else f'-{change.word}'}"
        for change in asking.changes
    ]
    return [*(f"{sent_id}#{UNCHANGED}" for sent_id in ids), *changes]


def rows_of(asking: Asking) -> NDArray[np.int64]:
    """[N], the row of the index's sentences that each change was made from."""
    return asking.rows[np.array([change.row for change in asking.changes])]


def with_texts(index: DatasetIndex, rows: NDArray[np.int64], texts: Sequence[str]) -> DatasetIndex:
    """The dataset with these sentences in place of its own."""
    sentences = index.sentences.take(pa.array(rows))
    column = sentences.schema.get_field_index("sentence")
    return replace(
        index,
        sentences=sentences.set_column(column, "sentence", pa.array(list(texts), pa.string())),
        image_rows=index.image_rows[rows],
        gt_boxes=index.gt_boxes[rows],
    )
