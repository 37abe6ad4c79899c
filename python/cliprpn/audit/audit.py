"""Audits of trials, and of outside models by questions that are exported and answers that are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.answers.question_answers import read_boxes
from cliprpn.audit.answer import Asked, with_texts
from cliprpn.audit.changes import Change, make_changes
from cliprpn.audit.figures import Asking, Boxes, audit_figures
from cliprpn.contract.generated import (
    AuditAnswersParams,
    AuditParams,
    AuditSummary,
    ExportChangesParams,
    ExportChangesResult,
)
from cliprpn.data.index import DatasetIndex, open_dataset
from cliprpn.errors import CliprpnError
from cliprpn.run_context import RunContext
from cliprpn.storage.durable import write_durably

# Each expression has as many changes without a word as it has words; of these, so many are asked.
MAX_DROPPED_WORDS = 1500
UNCHANGED = "original"


def audit(params: AuditParams, context: RunContext) -> AuditSummary:
    """Asks each run of a configuration about the changed expressions of a split.

    Raises:
        CliprpnError: bad_input, data_invalid, interrupted, no_space, not_found, weights_*.
    """
    original: list[Boxes] = []
    changed: list[Boxes] = []
    asking: Asking | None = None
    is_trained = True
    for run in params.runs:
        model = None if run.model is None else Path(run.model)
        asked = Asked(run.spec, model, params.dataset, context)
        is_trained = model is not None
        if asking is None:
            asking = ask(asked.index, params.split, params.seed, params.sent_ids)
        texts = [*asking.texts, *(change.text for change in asking.changes)]
        answers = asked.answer(np.concatenate([asking.rows, rows_of(asking)]), texts)
        original.append(answers.boxes[: len(asking.rows)])
        changed.append(answers.boxes[len(asking.rows) :])
    if asking is None:
        raise CliprpnError("bad_input", "expected a run to audit, found none")
    return audit_figures(
        asking,
        np.stack(original),
        np.stack(changed),
        label=params.label,
        split=params.split,
        has_seeds=is_trained and len(params.runs) > 1,
        level=1 - params.alpha,
        seed=params.seed,
        sent_ids=params.sent_ids,
    )


def ask(index: DatasetIndex, split: str, seed: int, sent_ids: Sequence[int]) -> Asking:
    """The changes of a split's expressions.

    Args:
        sent_ids: expressions whose words are all dropped; of the others, so many that there are at most
            `MAX_DROPPED_WORDS`, in an order that depends on their ids only.

    Raises:
        CliprpnError: bad_input, if the split is empty, or has none of the named expressions.
    """
    rows = index.split(split)
    if len(rows) == 0:
        raise CliprpnError(
            "bad_input", f"{index.root}: expected expressions in the split {split}, found none"
        )
    table = index.sentences.take(rows)
    ids = table["sent_id"].to_pylist()
    unknown = sorted(set(sent_ids) - set(ids))
    if unknown:
        raise CliprpnError(
            "bad_input",
            f"--sent-id {unknown[0]}: expected an expression of {split}, found none; it has {ids[0]}, ...",
        )
    changes = make_changes(
        table["sentence"].to_pylist(), table["image_id"].to_pylist(), table["ref_id"].to_pylist(), seed
    )
    return Asking(index, rows, _limit_dropped(changes, ids, set(sent_ids)))


def _limit_dropped(changes: Sequence[Change], ids: Sequence[int], named: set[int]) -> list[Change]:
    sizes: dict[int, int] = {}
    for change in changes:
        if change.kind == "dropped_word":
            sizes[change.row] = sizes.get(change.row, 0) + 1
    order = sorted(
        sizes, key=lambda row: (ids[row] not in named, hashlib.sha256(str(ids[row]).encode()).digest())
    )
    kept: set[int] = set()
    num = 0
    for row in order:
        if num + sizes[row] > MAX_DROPPED_WORDS and ids[row] not in named:
            break
        kept.add(row)
        num += sizes[row]
    return [change for change in changes if change.kind != "dropped_word" or change.row in kept]


def rows_of(asking: Asking) -> NDArray[np.int64]:
    """[N], the row of the index's sentences that each change was made from."""
    return asking.rows[np.array([change.row for change in asking.changes])]


def export_changes(params: ExportChangesParams) -> ExportChangesResult:
    """Writes a line for each expression and each change: id, image, width, height, expression.

    The id is `<sent_id>#original` or `<sent_id>#<kind>`, with the position of a dropped word. No answer is in the file.

    Raises:
        CliprpnError: bad_input, data_invalid, no_space.
    """
    index = open_dataset(Path(params.dataset.root), params.dataset.id)
    asking = ask(index, params.split, params.seed, [])
    all_rows = np.concatenate([asking.rows, rows_of(asking)])
    texts = [*asking.texts, *(change.text for change in asking.changes)]
    files = index.images["file_name"].take(index.image_rows[all_rows]).to_pylist()
    sizes = index.image_sizes(all_rows).astype(int).tolist()
    lines = [
        json.dumps({"sent_id": key, "image": file, "width": width, "height": height, "expression": text})
        for key, file, (width, height), text in zip(question_ids(asking), files, sizes, texts, strict=True)
    ]
    write_durably(Path(params.out_file), ("\n".join(lines) + "\n").encode())
    return ExportChangesResult(num_questions=len(lines), num_expressions=len(asking.rows))


def question_ids(asking: Asking) -> list[str]:
    """Ids of the unchanged expressions and of the changes, [S + N], unique."""
    ids = asking.index.sentences["sent_id"].take(asking.rows).to_pylist()
    changes = [
        f"{ids[change.row]}#{change.kind}{'' if change.word is None else f'-{change.word}'}"
        for change in asking.changes
    ]
    return [*(f"{sent_id}#{UNCHANGED}" for sent_id in ids), *changes]


def audit_answers(params: AuditAnswersParams) -> AuditSummary:
    """The figures of an outside model, from its answers to the exported questions.

    Raises:
        CliprpnError: not_found, bad_input, data_invalid.
    """
    index = open_dataset(Path(params.dataset.root), params.dataset.id)
    asking = ask(index, params.split, params.seed, params.sent_ids)
    ids = question_ids(asking)
    texts = [*asking.texts, *(change.text for change in asking.changes)]
    questions = with_texts(index, np.concatenate([asking.rows, rows_of(asking)]), texts)
    boxes = np.stack([read_boxes(Path(file), params.reading, questions, ids) for file in params.files])
    num = len(asking.rows)
    return audit_figures(
        asking,
        boxes[:, :num],
        boxes[:, num:],
        label=params.label,
        split=params.split,
        has_seeds=len(params.files) > 1,
        level=1 - params.alpha,
        seed=params.seed,
        sent_ids=params.sent_ids,
    )
