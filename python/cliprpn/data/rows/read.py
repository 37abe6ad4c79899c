"""Reads a user's files of any supported format into checked records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import Columns, ImageNames, RowsFile, RowsSource
from cliprpn.data.annotations import Annotations
from cliprpn.data.box_checks import BoxRules
from cliprpn.data.boxes import FORMAT_NAMES
from cliprpn.data.found_names import FoundNames
from cliprpn.data.only import keep_only
from cliprpn.data.problems import Problems
from cliprpn.data.rows.assemble import assemble
from cliprpn.data.rows.box_values import BoxValues
from cliprpn.data.rows.coco import CATEGORY, read_categories, read_coco
from cliprpn.data.rows.csv_rows import read_csv
from cliprpn.data.rows.embedded_images import EmbeddedImages
from cliprpn.data.rows.fields import Fields
from cliprpn.data.rows.flickr30k import read_flickr30k
from cliprpn.data.rows.grefcoco import read_grefcoco
from cliprpn.data.rows.json_rows import read_json_rows
from cliprpn.data.rows.lines import holds_json_document, read_jsonl
from cliprpn.data.rows.mdetr import read_mdetr
from cliprpn.data.rows.odvg import read_odvg
from cliprpn.data.rows.parquet_rows import read_parquet
from cliprpn.data.rows.row import Row, RowNames, parse_row
from cliprpn.data.rows.sentences import one_sentence_each
from cliprpn.data.rows.split_names import SplitNames
from cliprpn.data.rows.targets import Targets
from cliprpn.data.rows.transvg import read_transvg
from cliprpn.data.rows.visual_genome import read_visual_genome
from cliprpn.data.rows.voc import read_voc
from cliprpn.errors import CliprpnError

# Formats whose rows have the columns that the source names, and always a sentence.
TABLES = ("jsonl", "csv", "json", "parquet")
# Column names that the readers of all other formats use.
DEFAULT_COLUMNS = Columns(image="image", sentence="sentence", box="box", split="split")
# Readers of the formats of published datasets. They yield location and values of each sentence, and of each object
# without one; `columns.sentence` says where the sentence is, if the format has several texts.
LAYOUTS: dict[str, Callable[[Path, Columns, Problems], Iterator[tuple[str, dict[str, Any]]]]] = {
    "odvg": read_odvg,
    "visual_genome": read_visual_genome,
    "voc": read_voc,
    "flickr30k": read_flickr30k,
    "dcube": read_categories,
}
FOLDERS = ("voc", "flickr30k")


def read_rows(
    source: RowsSource,
    problems: Problems,
    names: ImageNames | None = None,
    images_folder: Path | None = None,
) -> Annotations:
    """All rows of all files, in order. An invalid row is a problem, named by file and line.

    Args:
        names: the names that the images get; None if they keep those of the rows.
        images_folder: where images inside the files are written; None if they are only named.

    Raises:
        CliprpnError: data_invalid, if a file is missing or not of its format at all; no_space.
    """
    reader = _Reader(source, problems, EmbeddedImages(images_folder))
    rows: list[Row] = []
    for file in source.files:
        path = Path(file.file)
        if not (path.is_dir() if source.format in FOLDERS else path.is_file()):
            kind = "folder" if source.format in FOLDERS else "file"
            raise CliprpnError("data_invalid", f"{path}: expected a {kind} of annotations, found none")
        try:
            rows_of_file = list(reader.rows(path))
        except OSError as error:
            raise CliprpnError("data_invalid", f"{path}: expected a readable file: {error}") from error
        num_sentences = sum(row.sentence is not None for row in rows_of_file)
        problems.require_rows(
            num_sentences,
            "; ".join(
                [f"{path.name}: expected rows with a sentence, found no valid one", *reader.targets.notes()]
            ),
        )
        rows += _set_split(rows_of_file, file, reader.notes)
    reader.check_columns()
    reader.targets.check(problems)
    if images_folder is not None and reader.images.count == 0 and rows:
        raise CliprpnError(
            "data_invalid",
            f"{source.files[0].file}: expected images inside, found names such as {rows[0].image[:200]!r}; pass the "
            "folder of the images as --images, or use --without-images",
        )
    notes = reader.all_notes()
    if source.only:
        rows = keep_only(rows, source.only, notes)
    found = FoundNames(names)
    if names is not None:
        rows = [replace(row, image=found.path_of(row.image, row.split)) for row in rows]
    return assemble(rows, source.box_format, BoxRules.of(source), problems, notes)


class _Reader:
    """Reads the files of a source one after the other."""

    def __init__(self, source: RowsSource, problems: Problems, images: EmbeddedImages) -> None:
        self.source = source
        self.problems = problems
        self.images = images
        self.targets = Targets(source.first_box is True)
        self.splits = SplitNames()
        self.notes: list[str] = []
        self._never_found: list[dict[str, str]] = []  # Of each file.
        self._files_of_note: dict[str, list[str]] = defaultdict(list)
        self._is_table = source.format in TABLES
        self._boxes = BoxValues(source.box_format, converts_order=not self._is_table)

    def rows(self, path: Path) -> Iterator[Row]:
        """The valid rows of a file."""
        has_names = self._is_table or self.source.format == "transvg"
        columns = self.source.columns if has_names else DEFAULT_COLUMNS
        fields = Fields(columns, self.source.box_format)
        for where, row in self._located(path, fields):
            values = fields.read(row) if self._is_table else row
            sentences = list(one_sentence_each(values))
            box_problem = None
            if "box" in values:
                box, box_problem = self._boxes.read(values["box"])
                box, is_kept = self.targets.choose(box, len(sentences), where)
                if not is_kept:
                    continue
                sentences = [{**one, "box": box} for one in sentences]
            box_format = FORMAT_NAMES[self.source.box_format]
            names = RowNames(box_format, fields if self._is_table else None, tuple(row))
            needs_sentence = self._is_table or "sentence" in values
            for one in sentences:
                parsed = parse_row(one, where, names, self.splits, self.problems, needs_sentence, box_problem)
                if parsed is not None:
                    yield parsed
        if self._is_table and fields.has_read:
            self._never_found.append(
                {key: f"{path.name}: {text}" for key, text in fields.never_found().items()}
            )
        for text in fields.notes():
            self._files_of_note[text].append(path.name)

    def check_columns(self) -> None:
        """Adds a problem for each column that was named and that no file has."""
        for key, text in self._never_found[0].items() if self._never_found else ():
            if all(key in others for others in self._never_found):
                self.problems.add(text)

    def all_notes(self) -> list[str]:
        """What was assumed or left out, each once for all files."""
        assumed = []
        for text, files in self._files_of_note.items():
            others = f" and {len(files) - 1} more files" if len(files) > 1 else ""
            assumed.append(f"{files[0]}{others}: {text}")
        return [*self.notes, *assumed, *self.splits.notes(), *self.targets.notes()]

    def _located(self, path: Path, fields: Fields) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields location and values of each row: by the file's names for tables, by field for other formats."""
        source, problems = self.source, self.problems
        if source.format == "json" or (source.format == "jsonl" and holds_json_document(path)):
            return read_json_rows(path, source.rows, fields, self.notes, problems)
        if source.format == "jsonl":
            return read_jsonl(path, source.rows, problems)
        if source.format == "csv":
            return read_csv(path, fields, problems)
        if source.format == "parquet":
            return read_parquet(path, fields, self.images, problems)
        if source.format == "coco" and source.columns.sentence == CATEGORY:
            return read_categories(path, source.columns, problems)
        if source.format == "coco":
            return read_coco(path, source.columns, problems)
        if source.format == "mdetr":
            return read_mdetr(path, source.columns, [] if source.only else self.notes, problems)
        if source.format == "transvg":
            return read_transvg(path, fields, problems)
        if source.format == "grefcoco":
            return read_grefcoco(path, source.instances, problems)
        return LAYOUTS[source.format](path, source.columns, problems)


def _set_split(rows: list[Row], file: RowsFile, notes: list[str]) -> list[Row]:
    """Sets the split given for a whole file, which overrides the splits of its rows."""
    if file.split is None:
        return rows
    num_overridden = sum(row.split not in (None, file.split) for row in rows)
    if num_overridden:
        notes.append(
            f"{Path(file.file).name}: {num_overridden} rows have another split; {file.split} is used instead"
        )
    return [replace(row, split=file.split) for row in rows]
