"""The contract's methods that need no torch, so that a process that is started for them is ready in a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from cliprpn.answers.convert import convert_answers
from cliprpn.contract.generated import (
    Combined,
    CombineParams,
    ReadAnswersParams,
    ReadAnswersResult,
    SummarizeParams,
    Summary,
)
from cliprpn.figures.combine import combine
from cliprpn.figures.summarize import summarize


@dataclass(frozen=True)
class FigureMethod:
    """The models of a method's params and result, and the function that runs it."""

    params: type[BaseModel]
    result: type[BaseModel]
    run: Callable[[Any], BaseModel]


FIGURE_METHODS: dict[str, FigureMethod] = {
    "read_answers": FigureMethod(ReadAnswersParams, ReadAnswersResult, convert_answers),
    "summarize": FigureMethod(SummarizeParams, Summary, summarize),
    "combine": FigureMethod(CombineParams, Combined, combine),
}
