"""What was found in a file, for one split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cliprpn.answers.answer_row import AnswerFile
from cliprpn.answers.printable import printable
from cliprpn.answers.split_answers import SplitAnswers
from cliprpn.contract.generated import AnswerExample, AnswersReport, Coordinates
from cliprpn.data.checks import shorten

MAX_EXAMPLES = 3


def answers_report(
    part: SplitAnswers, file: AnswerFile, coordinates: Coordinates, path: Path
) -> AnswersReport:
    missing = [i for i, row in enumerate(part.answers.rows) if row is None]
    unparsed = [i for i, row in enumerate(part.answers.rows) if row is not None and row.box is None]
    matched = part.matched
    rows = file.rows
    examples = [
        *(
            example("missing", f"sent_id {part.keys.sent_ids[i]}", part.keys.texts[i])
            for i in missing[:MAX_EXAMPLES]
        ),
        *(
            example("unparsed", row.where, row.text or "no box")
            for i in unparsed[:MAX_EXAMPLES]
            if (row := part.answers.rows[i]) is not None
        ),
        *(
            example("duplicate", rows[i].where, shorten(rows[i].expression))
            for i in matched.duplicates[:MAX_EXAMPLES]
        ),
        *(
            example("stranger", rows[i].where, shorten(rows[i].expression))
            for i in matched.strangers[:MAX_EXAMPLES]
        ),
        *(
            example("other_ground_truth", row.where, shorten(list(row.gt_box or ())))
            for i in part.ground_truth.other[:MAX_EXAMPLES]
            if (row := part.answers.rows[i]) is not None
        ),
    ]
    return AnswersReport(
        file=str(path),
        sha256=file.sha256,
        format=file.format,
        coordinates=coordinates,
        num_rows=len(rows),
        num_expressions=len(part.answers.rows),
        num_answered=len(part.answers.rows) - len(missing) - len(unparsed),
        num_missing=len(missing),
        num_unparsed=len(unparsed),
        num_duplicates=len(matched.duplicates),
        num_strangers=len(matched.strangers),
        num_by_sent_id=matched.num_by["sent_id"],
        num_by_text=matched.num_by["text"],
        num_by_normalized_text=matched.num_by["normalized"],
        num_by_image=matched.num_by["image"],
        num_by_position=matched.num_by["position"],
        num_ground_truth=part.ground_truth.num,
        num_other_ground_truth=len(part.ground_truth.other),
        has_scores="objectness" in part.columns,
        notes=part.answers.notes,
        warnings=part.answers.warnings,
        examples=examples,
    )


def example(kind: Any, where: str, text: str) -> AnswerExample:
    return AnswerExample(kind=kind, where=printable(where), text=printable(text))
