"""Reads TransVG's index files, which related methods use too: `gref_umd_train.pth` and the like.

A list of tuples: (file name, mask or object id, box, sentence, attributes, ...), or for Flickr30k Entities
(file name, box, sentence). Boxes are xywh for unc, unc+, gref and gref_umd, xyxy for referit and flickr. Derived
files have objects instead of tuples, more values at the end, or NumPy arrays and tensors as boxes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.data.checks import shorten
from cliprpn.data.plain_pickle import clean_text, load_torch_plain
from cliprpn.data.problems import Problems
from cliprpn.data.rows.fields import Fields
from cliprpn.errors import CliprpnError

NOT_A_ROW = "rows without an image, a sentence and a box"
MAX_VALUES = 20


def read_transvg(path: Path, fields: Fields, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields location and values of each row.

    Args:
        fields: finds the fields of rows that are objects.

    Raises:
        CliprpnError: data_invalid, if the file is not a list of plain values.
    """
    content = load_torch_plain(path)
    if not isinstance(content, list | tuple):
        raise CliprpnError(
            "data_invalid", f"{path}: expected a list of rows, found a {type(content).__name__}"
        )
    for position, item in enumerate(content):
        where = f"{path.name}[{position}]"
        if isinstance(item, dict):
            named = {str(key): _decode(value) for key, value in item.items()}
            missing = fields.missing(tuple(named))
            if not missing:
                yield where, fields.read(named)
                continue
            reasons = "; ".join(f"{key}: {reason}" for key, reason in missing.items())
            problems.add_row(f"{where}: expected an image, a sentence and a box, found {reasons}", NOT_A_ROW)
            continue
        if not isinstance(item, list | tuple) or not 3 <= len(item) <= MAX_VALUES:
            expected = "expected (file name, id, box, sentence, attributes)"
            problems.add_row(f"{where}: {expected}, found {shorten(item)}", expected)
            continue
        image, box, sentence = item if len(item) == 3 else (item[0], item[2], item[3])
        yield where, {"image": _decode(image), "sentence": _decode(sentence), "box": box}


def _decode(value: Any) -> Any:
    """Decodes text of Python 2, which may be Latin-1; returns other values unchanged."""
    try:
        return clean_text(value) if isinstance(value, str) else value
    except UnicodeEncodeError:  # Lone surrogates, which the row's checks reject.
        return value
