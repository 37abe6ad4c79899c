"""Exports the expressions of a prepared dataset as questions for a vision-language model, without ground truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import pyarrow as pa

from cliprpn.contract.generated import RowsFile
from cliprpn.data.checks import Record
from cliprpn.data.index import DatasetIndex
from cliprpn.data.only import keep_only
from cliprpn.errors import CliprpnError
from cliprpn.storage.durable import write_durably

ImagePaths = Literal["absolute", "relative"]
PLACEHOLDERS = ("{expression}", "{}")
# What stands in a prompt for the format of the box, by the shape and the scale of the coordinates.
_SHAPES = {
    "xyxy": "[x1, y1, x2, y2]",
    "xywh": "[x, y, width, height]",
    "cxcywh": "[center x, center y, width, height]",
}
_SCALES = {"": "in pixels", "norm": "as fractions of the image size, from 0 to 1", "1000": "from 0 to 1000"}


def export_questions(
    index: DatasetIndex,
    out_file: Path,
    *,
    split: str | None,
    only: str | None,
    prompt: str,
    coordinates: str,
    image_paths: ImagePaths,
) -> int:
    """Writes a line of JSON for each expression, in the dataset's order.

    The box of an expression is not written, so that it cannot get into a prompt.

    Args:
        split: of the expressions; None for all.
        only: list of the expressions, by sent_id, ref_id or ann_id; None for all.
        prompt: `{expression}` or `{}` stands for the expression, `{coordinates}` for how the box is to be written,
            `{width}` and `{height}` for the size of the image.
        coordinates: that the prompt asks for, such as `xyxy_1000` or `xyxy@long:1024`.
        image_paths: relative ones are relative to the folder of the images.

    Returns:
        the number of questions.

    Raises:
        CliprpnError: bad_input, if the prompt has no place for the expression, absolute paths are requested of a
            dataset without images, or there is no expression; data_invalid, if `only` is not a list of ids, or names
            none; no_space.
    """
    sentences = index.sentences if split is None else index.sentences.take(pa.array(index.split(split)))
    if sentences.num_rows == 0:
        found = ", ".join(str(count["split"]) for count in index.counts())
        raise CliprpnError("bad_input", f"--split {split}: expected one of {found}")
    asked = [_Asked(**row) for row in sentences.select(list(_Asked.__annotations__)).to_pylist()]
    if only is not None:
        asked = keep_only(asked, [RowsFile(file=only, split=None)], [])
    write_questions(asked, index, out_file, prompt, coordinates, image_paths)
    return len(asked)


class Question(Protocol):
    """An expression to ask for; its id need not be one of the dataset."""

    @property
    def sent_id(self) -> int | str: ...
    @property
    def image_id(self) -> int: ...
    @property
    def split(self) -> str: ...
    @property
    def sentence(self) -> str: ...


def write_questions(
    asked: Sequence[Question],
    index: DatasetIndex,
    out_file: Path,
    prompt: str,
    coordinates: str,
    image_paths: ImagePaths,
) -> None:
    """Writes a line of JSON for each question about an image of the dataset: see `export_questions`.

    Raises:
        CliprpnError: bad_input, no_space.
    """
    if not any(placeholder in prompt for placeholder in PLACEHOLDERS):
        raise CliprpnError(
            "bad_input",
            f"--prompt: expected {' or '.join(PLACEHOLDERS)} for the expression, found {prompt!r}",
        )
    if image_paths == "absolute" and index.images_dir is None:
        raise CliprpnError(
            "bad_input",
            f"{index.root}: the dataset was prepared without images; write --image-paths relative for file names",
        )
    rows = _question_rows(asked, index, prompt, coordinates, image_paths == "absolute")
    write_durably(out_file, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode())


@dataclass(frozen=True)
class _Asked:
    """An expression, as lists name it."""

    sent_id: int
    ref_id: int
    ann_id: int
    image_id: int
    split: str
    sentence: str


def _question_rows(
    asked: Sequence[Question], index: DatasetIndex, prompt: str, coordinates: str, is_absolute: bool
) -> list[Record]:
    images = {image["image_id"]: image for image in index.images.to_pylist()}
    rows: list[Record] = []
    for each in asked:
        image = images[each.image_id]
        name = image["file_name"]
        width, height = image["width"], image["height"]
        values = {
            "{expression}": each.sentence,
            "{}": each.sentence,
            "{coordinates}": describe_coordinates(coordinates),
            "{width}": str(width),
            "{height}": str(height),
        }
        rows.append(
            {
                "sent_id": each.sent_id,
                "image_id": each.image_id,
                "image": str(index.images_dir / name)
                if is_absolute and index.images_dir is not None
                else name,
                "expression": each.sentence,
                "prompt": _filled(prompt, values),
                "coordinates": coordinates,
                "width": width,
                "height": height,
                "split": each.split,
            }
        )
    return rows


def _filled(prompt: str, values: dict[str, str]) -> str:
    """Replaces each placeholder once: braces of an expression stay as they are, and so do others of the prompt."""
    text, at = "", 0
    while at < len(prompt):
        key = next((key for key in values if prompt.startswith(key, at)), None)
        text += prompt[at] if key is None else values[key]
        at += 1 if key is None else len(key)
    return text


def describe_coordinates(coordinates: str) -> str:
    """How a box is to be written, in words.

    Args:
        coordinates: such as `xyxy_1000`; what follows `@` is the size of the image that the model is shown.
    """
    shape, _, scale = coordinates.split("@")[0].partition("_")
    return f"{_SHAPES[shape]}, {_SCALES[scale]}"
