"""Audits of outside models, by their answers to exported questions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.answers.matching.split_keys import normalize
from cliprpn.answers.question_answers import OtherText, QuestionAnswers, QuestionFile
from cliprpn.audit.changes import shuffle_words
from cliprpn.audit.figures import MIN_ANSWERED, Asking, Lacking, audit_figures
from cliprpn.audit.questions import ask, question_ids, questions_of
from cliprpn.contract.generated import AuditAnswersParams, AuditAnswersResult
from cliprpn.data.checks import shorten
from cliprpn.data.index import open_dataset
from cliprpn.errors import CliprpnError

# Seeds that are tried to tell with which one questions were exported.
TRIED_SEEDS = 100


def audit_answers(params: AuditAnswersParams) -> AuditAnswersResult:
    """The figures of an outside model, from its answers to the exported questions.

    Raises:
        CliprpnError: not_found, bad_input, data_invalid.
    """
    index = open_dataset(Path(params.dataset.root), params.dataset.id)
    asking = ask(index, params.split, params.seed, params.sent_ids)
    ids = question_ids(asking)
    questions = questions_of(asking)
    answers: list[QuestionAnswers] = []
    for name in params.files:
        file = QuestionFile(Path(name), params.reading, questions, ids)
        other = file.other_text()
        if other is not None:
            raise CliprpnError("data_invalid", _other_expression(file, other, asking, ids, params.seed))
        _check_asked(file, asking, ids, params.sent_ids)
        answers.append(file.read_boxes())
    boxes = np.stack([each.boxes for each in answers])
    num = len(asking.rows)
    summary = audit_figures(
        asking,
        boxes[:, :num],
        boxes[:, num:],
        label=params.label,
        split=params.split,
        has_seeds=len(params.files) > 1,
        level=1 - params.alpha,
        seed=params.seed,
        sent_ids=params.sent_ids,
        lacking=Lacking(
            np.stack([each.is_missing for each in answers]), np.stack([each.is_unparsed for each in answers])
        ),
    )
    return AuditAnswersResult(summary=summary, reports=[each.report for each in answers])


def _other_expression(file: QuestionFile, other: OtherText, asking: Asking, ids: list[str], seed: int) -> str:
    num = len(asking.rows)
    key = ids[other.question]
    change = asking.changes[other.question - num] if other.question >= num else None
    expected = asking.texts[other.question] if change is None else change.text
    advice = "give the answers to questions that were exported of this dataset and split"
    if change is not None and change.kind == "shuffled":
        found = other.words
        original = asking.texts[change.row]
        exported = next(
            (
                tried
                for tried in range(TRIED_SEEDS)
                if tried != seed and normalize(shuffle_words(original, tried, change.row) or "") == found
            ),
            None,
        )
        if exported is not None:
            advice = f"these are the words of --seed {exported}, found --seed {seed}"
        elif sorted(found.split()) == sorted(normalize(original).split()):
            advice = f"the questions were exported with another --seed than {seed}; add that one"
    return (
        f"{other.where}: expected for the sent_id {key} the expression {shorten(expected)}, found "
        f"{shorten(other.found)} ({other.num:,} of {other.num_checked:,} rows differ); {advice}"
    )


def _check_asked(file: QuestionFile, asking: Asking, ids: list[str], sent_ids: list[int]) -> None:
    """
    Raises:
        CliprpnError: data_invalid, if too few unchanged expressions or no kind of change is answered; bad_input, if
            words of a named expression were not asked.
    """
    num = len(asking.rows)
    has_row = np.array([row is not None for row in file.rows])
    original = int(has_row[:num].sum())
    if original < MIN_ANSWERED * num:
        raise CliprpnError(
            "data_invalid",
            f"{file.path}: expected answers to at least half of the {num:,} unchanged expressions, such as "
            f"{ids[0]}, found {original:,}",
        )
    kinds = {
        kind: has_row[num:][[change.kind == kind for change in asking.changes]]
        for kind in dict.fromkeys(change.kind for change in asking.changes)
    }
    if not any(answered.mean() >= MIN_ANSWERED for answered in kinds.values()):
        shown = ", ".join(
            f"{kind} {int(answered.sum()):,} of {len(answered):,}" for kind, answered in kinds.items()
        )
        raise CliprpnError(
            "data_invalid",
            f"{file.path}: expected answers to at least half of the questions of a kind, found {shown}; was the file "
            "of questions exported of this split?",
        )
    text_ids = asking.index.sentences["sent_id"].take(asking.rows).to_pylist()
    for i, change in enumerate(asking.changes):
        named = text_ids[change.row]
        if change.kind == "dropped_word" and named in sent_ids and not has_row[num + i]:
            raise CliprpnError(
                "bad_input",
                f"--sent-id {named}: expected answers to each of its words, found none for {ids[num + i]} in "
                f"{file.path}; export the questions with --sent-id {named} too, or leave it out here",
            )
