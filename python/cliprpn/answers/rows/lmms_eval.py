"""The samples in a log of lmms-eval."""

from __future__ import annotations

from collections.abc import Sequence

from cliprpn.answers.files.records import Placed
from cliprpn.data.checks import shorten
from cliprpn.errors import CliprpnError

# Fields of the question that say which expression it is.
DOC_KEYS = ("image_id", "file_name", "split")


def lmms_eval_samples(records: Sequence[Placed]) -> list[Placed]:
    """The dict with the prediction and the ground truth, which each metric of a row has.

    Raises:
        CliprpnError: data_invalid, if a row has none.
    """
    inner: list[Placed] = []
    for where, record in records:
        found = next(
            (
                value
                for value in record.values()
                if isinstance(value, dict) and "pred" in value and "bbox" in value
            ),
            None,
        )
        if found is None:
            raise CliprpnError(
                "data_invalid",
                f"{where}: expected a sample of lmms-eval, with `pred` and `bbox` in a metric; found "
                f"{shorten(', '.join(map(str, record)))}",
            )
        doc = record.get("doc")
        extra = {key: doc[key] for key in DOC_KEYS if isinstance(doc, dict) and key in doc}
        inner.append((where, {**extra, **found}))
    return inner
