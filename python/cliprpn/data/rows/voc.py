"""Reads a folder in Pascal VOC's layout, as labelImg, CVAT, Roboflow and DIOR-RSVG write it.

    Annotations/*.xml                       one file per image; or the .xml files lie in the folder itself
    ImageSets/Main/train.txt, val.txt, ...  names of the images of each split, without an ending; optional

The expression of an object is its element `sentence`, `expression`, `caption`, `description` or `phrase`, or one that
is named by the source. An object without it has no expression. Boxes are taken as they are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cliprpn.contract.generated import Columns
from cliprpn.data.annotations import SPLITS
from cliprpn.data.checks import Record
from cliprpn.data.problems import Problems
from cliprpn.data.rows.xml_boxes import image_values, parse_bndbox
from cliprpn.data.xml_files import Element, read_xml
from cliprpn.errors import CliprpnError

SENTENCE_TAGS = ("sentence", "expression", "caption", "description", "phrase", "referring_expression")
MAX_LIST_BYTES = 2**26


def read_voc(folder: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each expression, and of each object without one.

    Args:
        columns: `sentence` may name the element with the expression, such as `name`, the category.

    Raises:
        CliprpnError: data_invalid, if there is no .xml file, or if no object has an expression.
    """
    files = _xml_files(folder)
    splits = _read_splits(folder)
    num_objects = num_sentences = 0
    for file in files:
        try:
            root = read_xml(file)
        except CliprpnError as error:
            problems.add_row(error.message, "files that are not XML")
            continue
        where = file.relative_to(folder).as_posix()
        image = image_values(root, file)
        split = splits.get(file.stem) or splits.get(Path(str(image["image"])).stem)
        for item in root.find_all("object"):
            sentences = _sentences(item, columns.sentence)
            num_objects, num_sentences = num_objects + 1, num_sentences + len(sentences)
            values: Record = {
                **image,
                "split": split,
                "category": item.value("name"),
                "box": parse_bndbox(item),
            }
            texts: list[Record] = [{"sentence": sentence} for sentence in sentences]
            for text in texts or [{}]:
                yield f"{where}:{item.line}", {**values, **text}
    if num_objects and not num_sentences:
        tags = (
            "name as their only text" if columns.sentence == "sentence" else f"no element {columns.sentence}"
        )
        raise CliprpnError(
            "data_invalid",
            f"{folder}: expected objects with an element {', '.join(SENTENCE_TAGS)}, found {num_objects:,} objects "
            f"with {tags}; to use the names as expressions, --columns sentence=name",
        )


def _xml_files(folder: Path) -> list[Path]:
    annotations = folder / "Annotations"
    root = annotations if annotations.is_dir() else folder
    files = sorted(path for path in root.rglob("*.xml") if path.is_file())
    if not files:
        raise CliprpnError("data_invalid", f"{root}: expected .xml files of Pascal VOC, found none")
    return files


def _read_splits(folder: Path) -> dict[str, str]:
    """The split of each name in ImageSets/Main. A name in `trainval` and in `train` or `val` belongs to the latter."""
    splits: dict[str, str] = {}
    for split in SPLITS:
        file = folder / "ImageSets" / "Main" / f"{split}.txt"
        if not file.is_file() or file.stat().st_size > MAX_LIST_BYTES:
            continue
        for line in file.read_text("utf-8-sig", errors="replace").splitlines():
            if line.strip():
                splits.setdefault(line.split()[0], split)
    return splits


def _sentences(item: Element, tag: str) -> list[str]:
    """The expressions of an object; it may have several elements."""
    tags = SENTENCE_TAGS if tag == "sentence" else (tag,)
    for name in tags:
        texts = [element.text.strip() for element in item.find_all(name)]
        if any(texts):
            return [text for text in texts if text]
    return []
