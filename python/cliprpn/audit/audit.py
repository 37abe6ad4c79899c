"""Audits of trials: their answers to changed expressions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.audit.answer import Asked
from cliprpn.audit.figures import Asking, Boxes, audit_figures
from cliprpn.audit.questions import ask, rows_of
from cliprpn.contract.generated import AuditParams, AuditSummary
from cliprpn.errors import CliprpnError
from cliprpn.run_context import RunContext


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
