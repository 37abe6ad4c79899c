"""Finds the fields of a row under the names that a file has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cliprpn.contract.generated import Columns
from cliprpn.data.checks import Record
from cliprpn.data.rows.box_names import BOX_NAMES, named_box, order_of, plain_name

REQUIRED = ("image", "sentence", "box")
FIELDS = (*REQUIRED, "split", "width", "height", "category", "image_id", "ann_id", "ref_id", "sent_id")

# Names that published files have for the image and sentence; compared without case, `_`, `-`, `.` and spaces.
COMMON_NAMES: dict[str, tuple[str, ...]] = {
    "image": (
        *("file_name", "img", "image_path", "img_path", "image_name", "img_name", "image_file", "img_file"),
        *("image_filename", "img_filename", "image_file_name", "file", "file_path", "picture", "t2c_img"),
    ),
    "sentence": (
        *("sentences", "caption", "captions", "expression", "expressions", "text", "query", "sent", "sents"),
        *(
            "ref",
            "phrase",
            "command",
            "referring_expression",
            "referring_expressions",
            "ref_exp",
            "utterance",
        ),
        *("normal_caption", "description", "refexp"),
    ),
}
MAX_SHOWN_NAMES = 400


@dataclass(frozen=True)
class _Places:
    """Where the fields of rows with the same names are.

    Attributes:
        paths: by field, the keys to follow from the row; four of them for a box in four columns.
        missing: by field, why it was not found.
    """

    paths: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


class Fields:
    """Reads the fields of rows, with the names of `--columns` or, where one is missing, the only common name there is.

    Args:
        columns: names in the file; with dots for nested objects, and four names joined by `+` for a box.
        box_format: of the source.
    """

    def __init__(self, columns: Columns, box_format: str) -> None:
        self._names = {key: getattr(columns, key) or key for key in FIELDS}
        self._given = {key for key in FIELDS if getattr(columns, key) not in (None, key)}
        self._order = order_of(box_format)
        self._places: dict[tuple[str, ...], _Places] = {}
        self._notes: dict[str, None] = {}
        self._num_read = 0
        self._never_found = {key: self._names[key] for key in FIELDS if key in self._given - {*REQUIRED}}

    def read(self, row: Mapping[str, Any]) -> Record:
        """The values of a row by field, without those that it does not have."""
        self._num_read += 1
        places = self.places(tuple(row))
        values: Record = {}
        for key, paths in places.paths.items():
            found = [_follow(row, path) for path in paths]
            if len(found) > 1:
                values[key] = list(found)
            elif found[0] is not _ABSENT:
                values[key] = found[0]
                self._never_found.pop(key, None)
        if len(places.paths.get("box", ())) == 4 and _ABSENT in values["box"]:
            del values["box"]
        return values

    def missing(self, names: Sequence[str]) -> dict[str, str]:
        """By field, why a row or table with these names does not have it."""
        return self.places(tuple(names)).missing

    def name(self, key: str) -> str:
        """The name that a field should have."""
        return self._names[key]

    def lacks(self, key: str, row: Mapping[str, Any]) -> bool:
        """Whether a row does not have a field under any name."""
        return key not in self.places(tuple(row)).paths

    @property
    def has_read(self) -> bool:
        """Whether there was a row."""
        return self._num_read > 0

    def never_found(self) -> dict[str, str]:
        """By optional field whose name was given and that no row has: what is wrong."""
        names = _shown(next(iter(self._places), ()))
        return {
            key: f"--columns {key}={name}: expected a column of this name, found none in {names}"
            for key, name in self._never_found.items()
        }

    def is_complete(self, names: Sequence[str]) -> bool:
        """Whether these could be the names of a row; nothing is noted, as they may be something else."""
        notes = dict(self._notes)
        missing = self._find(tuple(names)).missing
        self._notes = notes
        return not missing

    def shown(self, key: str, names: Sequence[str]) -> str:
        """The name of a field in rows with these names, for messages."""
        paths = self.places(tuple(names)).paths.get(key)
        return self._names[key] if paths is None else "+".join(".".join(path) for path in paths)

    def notes(self) -> list[str]:
        """The names that were assumed, one line each."""
        return list(self._notes)

    def places(self, names: tuple[str, ...]) -> _Places:
        """Where rows with these names have their fields."""
        if names not in self._places:
            self._places[names] = self._find(names)
        return self._places[names]

    def _find(self, names: tuple[str, ...]) -> _Places:
        places = _Places()
        for key in FIELDS:
            name = self._names[key]
            paths = self._four_paths(name, names, places) if key == "box" and "+" in name else None
            if paths is None:
                path = self._path(key, name, names)
                paths = None if path is None else [path]
            if paths is None and key in REQUIRED and key not in self._given:
                paths = self._common(key, names, places)
            if paths is not None:
                places.paths[key] = paths
            elif key in REQUIRED and key not in places.missing:
                places.missing[key] = f"no such column in {_shown(names)}"
        box_names = {path[0] for path in places.paths.get("box", []) if len(path) == 1}
        for key in ("width", "height"):  # These are the box's then, not the image's.
            if key not in self._given and places.paths.get(key, [()])[0][:1] in {
                (name,) for name in box_names
            }:
                del places.paths[key]
        return places

    def _path(self, key: str, name: str, names: tuple[str, ...]) -> tuple[str, ...] | None:
        """The keys to a name: itself, nested with dots, or the only one that differs in case or spaces."""
        if name in names:
            return (name,)
        if "." in name and name.split(".")[0] in names:
            return tuple(name.split("."))
        alike = [other for other in names if other.strip().lower() == name.lower()]
        if len(alike) != 1:
            return None
        self._note(f"{key}: column {alike[0]!r} is taken for {name!r}")
        return (alike[0],)

    def _four_paths(self, name: str, names: tuple[str, ...], places: _Places) -> list[tuple[str, ...]] | None:
        """The paths to the four columns of a box, such as `xmin+ymin+xmax+ymax`."""
        parts = [part.strip() for part in name.split("+")]
        paths = [self._path("box", part, names) for part in parts]
        if len(parts) != 4 or None in paths:
            absent = [part for part, path in zip(parts, paths, strict=True) if path is None]
            places.missing["box"] = f"no column {', '.join(absent) or name} in {_shown(names)}"
            return None
        return [path for path in paths if path is not None]

    def _common(self, key: str, names: tuple[str, ...], places: _Places) -> list[tuple[str, ...]] | None:
        """The only common name of a field, or the only four columns of a box; None if there is none or several."""
        plain = BOX_NAMES if key == "box" else {plain_name(name) for name in COMMON_NAMES[key]}
        found = [name for name in names if plain_name(name) in plain]
        four = named_box(names) if key == "box" and not found else None
        if four is not None:
            joined = "+".join(four.names)
            if four.order == self._order and not {"width", "height"} & set(four.names):
                self._note(f"box: columns {joined} are taken; --columns box={joined} says the same")
                return [(name,) for name in four.names]
            places.missing[key] = (
                f"no such column in {_shown(names)}; if {joined} are the box ({four.order}), "
                f"use --columns box={joined} --box-format {four.order}"
            )
            return None
        if len(found) == 1:
            self._note(f"{key}: column {found[0]!r} is taken; --columns {key}={found[0]} says the same")
            return [(found[0],)]
        if found:
            ways = " or ".join(f"--columns {key}={name}" for name in found)
            places.missing[key] = f"no such column, but {', '.join(found)}; choose with {ways}"
        return None

    def _note(self, text: str) -> None:
        self._notes.setdefault(text)


_ABSENT: Any = object()


def _follow(row: Any, path: Sequence[str]) -> Any:
    """The value at a path of keys, or of positions in lists."""
    for key in path:
        if isinstance(row, Mapping) and key in row:
            row = row[key]
        elif isinstance(row, list | tuple) and key.isdigit() and len(key) < 10 and int(key) < len(row):
            row = row[int(key)]
        else:
            return _ABSENT
    return row


def _shown(names: Sequence[str]) -> str:
    text = ", ".join(map(str, names))
    return repr(text if len(text) <= MAX_SHOWN_NAMES else f"{text[: MAX_SHOWN_NAMES - 3]}...")
