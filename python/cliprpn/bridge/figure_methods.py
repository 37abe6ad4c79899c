"""The contract's methods that need no torch, so that a process that is started for them is ready in a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cliprpn.answers.convert import convert_answers
from cliprpn.contract.generated import (
    Combined,
    CombineParams,
    ExportDatasetResult,
    ExportQuestionsParams,
    IntervalsSoFar,
    IntervalsSoFarParams,
    ReadAnswersParams,
    ReadAnswersResult,
    SummarizeParams,
    Summary,
)
from cliprpn.data.index import open_dataset, read_facts
from cliprpn.data.questions import export_questions
from cliprpn.figures.combine import combine
from cliprpn.figures.so_far import intervals_so_far
from cliprpn.figures.summarize import summarize


@dataclass(frozen=True)
class FigureMethod:
    """The models of a method's params and result, and the function that runs it."""

    params: type[BaseModel]
    result: type[BaseModel]
    run: Callable[[Any], BaseModel]


def _export_questions(params: ExportQuestionsParams) -> ExportDatasetResult:
    root = Path(params.root)
    num_sentences = export_questions(
        open_dataset(root, read_facts(root).id),
        Path(params.out_file),
        split=params.split,
        only=params.only,
        prompt=params.prompt,
        coordinates=params.coordinates,
        image_paths=params.image_paths,
    )
    return ExportDatasetResult(num_sentences=num_sentences)


FIGURE_METHODS: dict[str, FigureMethod] = {
    "read_answers": FigureMethod(ReadAnswersParams, ReadAnswersResult, convert_answers),
    "export_questions": FigureMethod(ExportQuestionsParams, ExportDatasetResult, _export_questions),
    "summarize": FigureMethod(SummarizeParams, Summary, summarize),
    "intervals_so_far": FigureMethod(IntervalsSoFarParams, IntervalsSoFar, intervals_so_far),
    "combine": FigureMethod(CombineParams, Combined, combine),
}
