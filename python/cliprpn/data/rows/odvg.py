"""Reads ODVG, the JSON Lines of Grounding DINO and MM-Grounding-DINO, with one image per line.

    {"filename": "a.jpg", "height": 480, "width": 640,
     "grounding": {"caption": "...", "regions": [{"bbox": [x1, y1, x2, y2], "phrase": "...",
                                                  "tokens_positive": [[0, 3]]}]}}

A region is a phrase with a box or a list of boxes; regions with the same phrase are one expression with several
boxes. Files converted from RefCOCO have such regions in a list `referring`, with a list of expressions as `phrase`.
The objects in `detection.instances` have a category instead of a phrase.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import Columns
from cliprpn.data.checks import Record, shorten
from cliprpn.data.problems import Problems
from cliprpn.data.rows.lines import read_jsonl

NO_OBJECT = "expected an object"
KINDS = ("grounding", "referring", "detection")
Located = tuple[str, Record]


def read_odvg(path: Path, columns: Columns, problems: Problems) -> Iterator[Located]:
    """Yields location and values of each expression, and of each object without one.

    Args:
        columns: `sentence` is `phrase` or `caption`; needed if the captions are longer than the phrases and name
            one object each, since either may be the expression.
    """
    captions = _Captions(columns.sentence)
    for where, line in read_jsonl(path, None, problems):
        if not any(key in line for key in KINDS):
            expected = f"expected {' or '.join(KINDS)}"
            problems.add_row(f"{where}: {expected}, found {shorten(', '.join(line))}", expected)
            continue
        keys: tuple[str, ...] = ("width", "height", "split")
        image = {key: line[key] for key in keys if key in line}
        image["image"] = line.get("filename", line.get("file_name"))
        for values in (*_regions(line, where, captions, problems), *_instances(line, where, problems)):
            yield where, {**image, **values}
    captions.check(path, problems)


class _Captions:
    """Finds out whether the caption or the phrase of a region is the referring expression."""

    def __init__(self, choice: str) -> None:
        self.choice = choice
        self._num_lines = 0
        self._longer: tuple[str, str, str] | None = None
        self._num_longer = 0

    def add(self, where: str, caption: object, phrases: list[Any]) -> None:
        """Counts a line."""
        self._num_lines += 1
        if len(phrases) != 1 or not isinstance(phrases[0], str) or not isinstance(caption, str):
            return
        if _words(phrases[0]) != _words(caption):
            self._num_longer += 1
            self._longer = self._longer or (where, phrases[0], caption)

    def check(self, path: Path, problems: Problems) -> None:
        """Adds a problem if nearly all lines have a single phrase that is only a part of the caption."""
        if self.choice == "sentence" and self._longer and self._num_longer > 0.5 * self._num_lines:
            where, phrase, caption = self._longer
            problems.add_hint(
                f"{where}: expected the phrase to be the whole expression, found {shorten(phrase)} in the caption "
                f"{shorten(caption)}, and {self._num_longer:,} of {self._num_lines:,} lines alike; choose with "
                "--columns sentence=caption or --columns sentence=phrase"
            )


def _regions(line: Record, where: str, captions: _Captions, problems: Problems) -> Iterator[Record]:
    """The expressions of a line with their boxes, and the boxes of those that have several as objects."""
    grounding = line.get("grounding")
    if grounding is not None and not isinstance(grounding, dict):
        problems.add_row(f"{where}: grounding: {NO_OBJECT}, found {shorten(grounding)}", NO_OBJECT)
        grounding = None
    caption = None if grounding is None else grounding.get("caption")
    boxes: dict[str, tuple[Any, list[Any]]] = {}
    lists = [] if grounding is None else [("grounding.regions", grounding.get("regions"))]
    lists += [("referring", line["referring"])] if "referring" in line else []
    for name, regions in lists:
        for region in _objects(regions, f"{where}: {name}", problems):
            value: Any = region.get("bbox")
            has_several = isinstance(value, list) and all(isinstance(box, list) for box in value)
            new = value if has_several else [value]
            for phrase in _phrases(region, name):
                key = repr((phrase, region.get("tokens_positive")))
                boxes.setdefault(key, (phrase, []))[1].extend(new)
    if grounding is not None:
        captions.add(where, caption, [phrase for phrase, _ in boxes.values()])
    if captions.choice == "caption" and grounding is not None:  # It refers to the boxes of all phrases.
        boxes = {"": (caption, [box for _, values in boxes.values() for box in values])}
    for sentence, values in boxes.values():
        yield {"sentence": sentence, "box": values[0] if len(values) == 1 else values}
        if len(values) > 1:
            yield from ({"box": value} for value in values)


def _phrases(region: Record, name: str) -> list[Any]:
    """The expressions of a region: in `referring` a list has several, elsewhere it has the parts of one."""
    phrase = region.get("phrase")
    if not isinstance(phrase, list):
        return [phrase]
    if name == "referring":
        return list(phrase)
    return [" ".join(phrase) if all(isinstance(part, str) for part in phrase) else phrase]


def _instances(line: Record, where: str, problems: Problems) -> Iterator[Record]:
    """The objects of a line, which have no expression."""
    detection = line.get("detection")
    if detection is None:
        return
    if not isinstance(detection, dict):
        problems.add_row(f"{where}: detection: {NO_OBJECT}, found {shorten(detection)}", NO_OBJECT)
        return
    for instance in _objects(detection.get("instances"), f"{where}: detection.instances", problems):
        category = instance.get("category", instance.get("label"))
        yield {"box": instance.get("bbox"), "category": category}


def _objects(items: object, where: str, problems: Problems) -> Iterator[Record]:
    """The objects of a list."""
    if not isinstance(items, list):
        problems.add_row(f"{where}: expected a list, found {shorten(items)}", "expected a list")
        return
    for position, item in enumerate(items):
        if isinstance(item, dict):
            yield item
        else:
            problems.add_row(f"{where}[{position}]: {NO_OBJECT}, found {shorten(item)}", NO_OBJECT)


def _words(text: str) -> list[str]:
    return text.lower().strip(" .").split()
