"""Reads TransVG's index files, which related methods use too: `gref_umd_train.pth` and the like.

A list of tuples: (file name, mask or object id, box, sentence, attributes, ...), or for Flickr30k Entities
(file name, box, sentence). Boxes are xywh for unc, unc+, gref and gref_umd, xyxy for referit and flickr.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.data.checks import shorten
from cliprpn.data.plain_pickle import clean_text, load_torch_plain
from cliprpn.data.problems import Problems
from cliprpn.errors import CliprpnError


def read_transvg(path: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields location and values of each tuple.

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
        if not isinstance(item, list | tuple) or len(item) not in (3, 4, 5, 6):
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
