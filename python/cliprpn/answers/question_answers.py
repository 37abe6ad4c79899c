"""The boxes of answers to questions with ids of their own, such as expressions that an audit changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cliprpn.answers.answer_row import AnswerFile, AnswerRow
from cliprpn.answers.answers_report import MAX_EXAMPLES, example
from cliprpn.answers.coordinates.to_boxes import Answers, certain_coordinates, to_boxes
from cliprpn.answers.matching.split_keys import normalize
from cliprpn.answers.rows.read_file import read_answer_file
from cliprpn.box_arrays import Values
from cliprpn.contract.generated import AnswerReading, AnswersReport, Coordinates
from cliprpn.data.checks import shorten
from cliprpn.data.index import DatasetIndex
from cliprpn.errors import CliprpnError

# Words around an expression are a prompt if this part of the rows have them.
MIN_PROMPT = 0.2


@dataclass(frozen=True)
class OtherText:
    """A row whose expression is not that of the question with its id.

    Attributes:
        question: position of the question.
        found: the expression of the row.
        words: the same, normalized, without the words of the file's prompt.
        num: rows like it.
        num_checked: rows with an expression.
    """

    question: int
    where: str
    found: str
    words: str
    num: int
    num_checked: int


@dataclass(frozen=True)
class QuestionAnswers:
    """
    Attributes:
        boxes: [N, 4], xyxy, pixels of the original image, clipped to it; empty without an answer.
        is_missing: [N], questions without a row, or whose row has no answer.
        is_unparsed: [N], questions with an answer without a box.
        report: what was found in the file; its expressions are the questions.
    """

    boxes: Values
    is_missing: NDArray[np.bool_]
    is_unparsed: NDArray[np.bool_]
    report: AnswersReport


class QuestionFile:
    """A file of answers, matched with questions by their ids. Its boxes are not read yet.

    Args:
        index: whose sentences are the questions, [N].
        ids: [N], of the questions, as `sent_id`.

    Attributes:
        rows: [N], the row of each question; None without an answer.

    Raises:
        CliprpnError: not_found, bad_input, data_invalid.
    """

    def __init__(self, path: Path, reading: AnswerReading, index: DatasetIndex, ids: Sequence[str]) -> None:
        self.path = path
        self._reading, self._index, self._ids = reading, index, ids
        self._file: AnswerFile = read_answer_file(path, reading)
        position_of = {key: i for i, key in enumerate(ids)}
        self._duplicates: list[AnswerRow] = []
        self._strangers: list[AnswerRow] = []
        self.rows: list[AnswerRow | None] = [None] * len(ids)
        for row in self._file.rows:
            position = position_of.get(str(row.sent_id).strip())
            if position is None:
                self._strangers.append(row)
            elif self.rows[position] is not None:
                self._duplicates.append(row)
            elif row.box is not None or row.unparsed:
                self.rows[position] = row
        if not any(self.rows):
            raise CliprpnError("data_invalid", self._none_found())

    def _none_found(self) -> str:
        found = self._file.rows[0]
        return (
            f"{self.path}: {found.where}: expected answers to the exported questions, with their ids as "
            f"sent_id, such as {self._ids[0]}, found sent_id {shorten(found.sent_id)}; give the answers to the "
            "file that `cliprpn audit DATASET:SPLIT --export FILE` wrote for this split, and name the column with "
            "--columns sent_id=..."
        )

    def other_text(self) -> OtherText | None:
        """The first row whose expression is not that of its question, in itself or inside the prompt of the file."""
        texts = self._index.sentences["sentence"].to_pylist()
        known = [
            (i, row, normalize(row.expression), normalize(texts[i]))
            for i, row in enumerate(self.rows)
            if row is not None and row.expression is not None
        ]
        prompts = Counter(
            (parts[0].strip(), parts[2].strip())
            for _, _, found, text in known
            if text and (parts := f" {found} ".partition(f" {text} "))[1]
        )
        usual = [prompt for prompt, num in prompts.most_common(5) if num >= MIN_PROMPT * len(known)]
        other = [
            (i, row, found)
            for i, row, found, text in known
            if not any(found == _joined(before, text, after) for before, after in usual)
        ]
        if not other:
            return None
        i, row, found = other[0]
        words = next((words for prompt in usual if (words := _inside(found, prompt)) is not None), found)
        return OtherText(i, row.where, row.expression or "", words, len(other), len(known))

    def read_boxes(self) -> QuestionAnswers:
        """
        Raises:
            CliprpnError: bad_input, if the boxes do not fit the coordinates; data_invalid.
        """
        index, num = self._index, len(self._ids)
        sizes = index.image_sizes(np.arange(num)).astype(np.float64)
        if np.isnan(sizes).any():
            raise CliprpnError(
                "data_invalid",
                f"{index.root}: expected the size of every image, found none of some; prepare the dataset with its "
                "images, or with width and height in each row",
            )
        image_ids = index.sentences["image_id"].to_pylist()[:num]
        answers = Answers(self.rows, sizes, image_ids, None, list(self._file.notes), [])
        said = (
            self._reading.coordinates or self._file.coordinates or certain_coordinates([answers], self.path)
        )
        boxes = to_boxes(answers, said, self._reading.force_coordinates, self.path)
        is_missing = np.array([row is None for row in self.rows])
        is_unparsed = np.array([row is not None and row.box is None for row in self.rows])
        return QuestionAnswers(boxes, is_missing, is_unparsed, self._report(answers, said))

    def _report(self, answers: Answers, coordinates: Coordinates) -> AnswersReport:
        missing = [i for i, row in enumerate(self.rows) if row is None]
        unparsed = [row for row in self.rows if row is not None and row.box is None]
        examples = [
            *(example("missing", "sent_id", self._ids[i]) for i in missing[:MAX_EXAMPLES]),
            *(example("unparsed", row.where, row.text or "no box") for row in unparsed[:MAX_EXAMPLES]),
            *(
                example("duplicate", row.where, shorten(row.sent_id))
                for row in self._duplicates[:MAX_EXAMPLES]
            ),
            *(example("stranger", row.where, shorten(row.sent_id)) for row in self._strangers[:MAX_EXAMPLES]),
        ]
        num_found = len(self.rows) - len(missing)
        return AnswersReport(
            file=str(self.path),
            sha256=self._file.sha256,
            format=self._file.format,
            coordinates=coordinates,
            num_rows=len(self._file.rows),
            num_expressions=len(self.rows),
            num_answered=num_found - len(unparsed),
            num_missing=len(missing),
            num_unparsed=len(unparsed),
            num_duplicates=len(self._duplicates),
            num_strangers=len(self._strangers),
            num_by_sent_id=num_found,
            num_by_text=0,
            num_by_normalized_text=0,
            num_by_image=0,
            num_by_position=0,
            num_ground_truth=0,
            num_other_ground_truth=0,
            has_scores=False,
            notes=answers.notes,
            warnings=answers.warnings,
            examples=examples,
        )


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _inside(text: str, prompt: tuple[str, str]) -> str | None:
    """The words between those of a prompt; None if the text has others around them."""
    before, after = (f"{part} " if part else "" for part in prompt)
    inner = f"{text} "
    if not (inner.startswith(before) and inner.endswith(after) and len(inner) >= len(before) + len(after)):
        return None
    return inner[len(before) : len(inner) - len(after)].strip()
