"""Reads Flickr30k Entities, as its authors publish it.

    Sentences/<image>.txt       a caption per line, such as `[/EN#1/people Two young men] look at [/EN#2/other it] .`
    Annotations/<image>.xml     Pascal VOC's XML; the names of an object are the numbers of its entities
    train.txt, val.txt, test.txt    names of the images of each split; optional

Each phrase is an expression, with the boxes of its entity. Entity 0 is not visible and is left out. Boxes are taken
as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cliprpn.contract.generated import Columns
from cliprpn.data.checks import Record
from cliprpn.data.problems import Problems
from cliprpn.data.rows.xml_boxes import image_values, parse_bndbox
from cliprpn.data.xml_files import read_xml
from cliprpn.errors import CliprpnError

MAX_TEXT_BYTES = 2**22
SPLIT_FILES = ("train", "val", "test")
# `[/EN#283585/people Two young guys]`; an entity may have several types, such as `people/clothing`.
PHRASE = re.compile(r"\[/EN#(\d{1,18})/(\S*)\s+([^\[\]]*)\]")
START = "[/EN#"
NOT_VISIBLE = 0


def read_flickr30k(folder: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each phrase, and of each box as an object.

    Raises:
        CliprpnError: data_invalid, if there are no captions.
    """
    files = sorted((folder / "Sentences").glob("*.txt"))
    if not files:
        raise CliprpnError(
            "data_invalid",
            f"{folder / 'Sentences'}: expected the captions, a .txt file per image; found none",
        )
    splits = _read_splits(folder)
    for file in files:
        xml_file = folder / "Annotations" / f"{file.stem}.xml"
        split = splits.get(file.stem)
        if splits and split is None:
            continue  # Some images belong to no split.
        try:
            image, boxes = _read_boxes(xml_file)
            text = _read_text(file)
        except CliprpnError as error:
            problems.add_row(error.message, "files that cannot be read")
            continue
        image["split"] = split
        yield from _phrases(f"Sentences/{file.name}", text, image, boxes, problems)


def _phrases(
    name: str, text: str, image: Record, boxes: dict[int, list[Record]], problems: Problems
) -> Iterator[tuple[str, Record]]:
    categories: dict[int, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        phrases = PHRASE.findall(line)
        if len(phrases) != line.count(START):
            expected = "expected phrases such as [/EN#1/people Two men]"
            problems.add_row(f"{name}:{number}: {expected}, found {line[:80]!r}", expected)
            continue
        for entity, types, phrase in phrases:
            if int(entity) == NOT_VISIBLE:
                continue
            category = categories.setdefault(int(entity), types.split("/")[0])
            values = boxes.get(int(entity), [])
            box = [item["box"] for item in values]
            sentence = " ".join(phrase.split())
            row = {"sentence": sentence, "box": box[0] if len(box) == 1 else box, "category": category}
            yield f"{name}:{number}", {**image, **row}
    for entity, items in boxes.items():
        for item in items:
            yield item["where"], {**image, "box": item["box"], "category": categories.get(entity)}


def _read_boxes(file: Path) -> tuple[Record, dict[int, list[Record]]]:
    """Values of the image, and the boxes of each entity with their places.

    Raises:
        CliprpnError: data_invalid, if the file is missing or not of this layout.
    """
    if not file.is_file():
        raise CliprpnError("data_invalid", f"{file}: expected the boxes of this image, found no file")
    root = read_xml(file)
    boxes: dict[int, list[Record]] = {}
    for item in root.find_all("object"):
        if item.find("bndbox") is None:
            continue  # Not visible, or the whole scene.
        for name in item.find_all("name"):
            if not re.fullmatch(r"\d{1,18}", name.text.strip()):
                raise CliprpnError(
                    "data_invalid",
                    f"{file}:{name.line}: expected the number of an entity, found {name.text.strip()[:80]!r}",
                )
            entry = {"box": parse_bndbox(item), "where": f"Annotations/{file.name}:{item.line}"}
            boxes.setdefault(int(name.text), []).append(entry)
    return image_values(root, file), boxes


def _read_text(file: Path) -> str:
    if file.stat().st_size > MAX_TEXT_BYTES:
        raise CliprpnError("data_invalid", f"{file}: expected text of at most {MAX_TEXT_BYTES:,} bytes")
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CliprpnError("data_invalid", f"{file}: expected text in UTF-8: {error}") from error


def _read_splits(folder: Path) -> dict[str, str]:
    """The split of each image; empty without the lists of the splits."""
    splits: dict[str, str] = {}
    for split in SPLIT_FILES:
        file = folder / f"{split}.txt"
        if file.is_file():
            splits |= {name: split for name in _read_text(file).split()}
    return splits
