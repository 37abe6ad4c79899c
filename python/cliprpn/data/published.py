"""Matches rows with the expressions of a published dataset, so that only its splits have their published names.

Copies of RefCOCO on dataset hubs have other rows under the names of the published splits, or count objects where papers
count expressions.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from cliprpn.contract.generated import PublishedSource
from cliprpn.data.annotations import SPLITS, Annotations, ImageRecord, SentenceRecord
from cliprpn.data.image_names import coco_number
from cliprpn.data.plain_pickle import clean_text, load_plain
from cliprpn.errors import CliprpnError
from cliprpn.storage.parquet import read_table


@dataclass(frozen=True)
class PublishedExpression:
    """An expression of a published dataset; `number` tells expressions apart."""

    number: int
    ann_id: int
    split: str


@dataclass(frozen=True)
class MatchedSplit:
    """How many of a published split's expressions the rows have; repeated rows count once."""

    published: str
    split: str
    num_published: int
    num_matched: int


def match_published(
    annotations: Annotations, source: PublishedSource
) -> tuple[Annotations, list[MatchedSplit], str]:
    """Gives each sentence the split of the published expression that it is; other sentences are set aside.

    An expression is identified by the number of its COCO image and its words, without regard to case and punctuation;
    where an image has the same words for several objects, by ann_id too.

    Returns:
        the annotations that are in the published dataset; an entry for each published split that they have a sentence
        of; and the rule of the splits, for people.

    Raises:
        CliprpnError: data_invalid, if no sentence is in the published dataset, or its file is not one.
    """
    published, sizes = _read_published(source)
    numbers = {image.image_id: _image_number(image) for image in annotations.images}
    kept: list[SentenceRecord] = []
    found: dict[str, set[int]] = defaultdict(set)
    aside: list[SentenceRecord] = []
    for row in annotations.sentences:
        candidates = published.get((numbers[row.image_id], normalize(row.sentence)), [])
        expression = _choose(candidates, row, found)
        if expression is None:
            aside.append(row)
        else:
            kept.append(replace(row, split=expression.split))
            found[expression.split].add(expression.number)
    if not kept:
        raise CliprpnError(
            "data_invalid",
            f"{source.file}: expected expressions of {source.name} among the rows, found none of "
            f"{len(annotations.sentences):,}; prepare the rows without --match",
        )
    splits = [
        MatchedSplit(source.name, split, sizes[split], len(found[split])) for split in SPLITS if found[split]
    ]
    notes = [*annotations.notes, *_notes_aside(aside, source.name)]
    warnings = [*annotations.warnings, *map(_warn_incomplete, filter(_is_incomplete, splits))]
    used = {row.image_id for row in kept}
    matched = Annotations(
        annotations.box_format,
        [image for image in annotations.images if image.image_id in used],
        {key: record for key, record in annotations.objects.items() if record.image_id in used},
        kept,
        notes,
        warnings,
    )
    return (
        matched,
        splits,
        f"as published in {source.name}, matched by image and words",
    )


def warn_unmatched(annotations: Annotations) -> list[str]:
    """A warning if given splits look like those of a published dataset, but were not matched with one.

    Most of the images must be of COCO train2014, as all of RefCOCO, RefCOCO+ and RefCOCOg are.
    """
    names = [image.file_name for image in annotations.images]
    num_coco = sum("train2014" in name and coco_number(name) is not None for name in names)
    if num_coco < 0.9 * len(names):
        return []
    counts = [
        f"{split} has {sum(row.split == split for row in annotations.sentences):,} expressions of "
        f"{len({row.ann_id for row in annotations.sentences if row.split == split}):,} objects"
        for split in SPLITS
        if any(row.split == split for row in annotations.sentences)
    ]
    return [
        f"the splits are the annotations' own, not matched with a published dataset ({'; '.join(counts)}): do not "
        "compare results with published ones; `prepare --match refcocog` (or refcoco, refcoco+) keeps the rows of "
        "the published splits"
    ]


def _image_number(image: ImageRecord) -> int:
    """The number of a COCO image: by its file name, else its id."""
    number = coco_number(image.file_name)
    return image.image_id if number is None else number


def normalize(sentence: str) -> str:
    """The words of a sentence, for comparison: without case, accents' encoding, punctuation and extra spaces."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", sentence).casefold())
    return " ".join(words) or sentence.strip()


def _choose(
    candidates: list[PublishedExpression], row: SentenceRecord, found: dict[str, set[int]]
) -> PublishedExpression | None:
    """The published expression that a row is: of the same object if its id is among them, else of the row's split.

    Some published expressions occur twice, so one that no row has yet comes first.
    """

    def preference(expression: PublishedExpression) -> tuple[bool, bool, bool]:
        is_new = expression.number not in found[expression.split]
        return expression.ann_id == row.ann_id, expression.split == row.split, is_new

    return max(candidates, key=preference, default=None)


def _read_published(
    source: PublishedSource,
) -> tuple[dict[tuple[int, str], list[PublishedExpression]], Counter[str]]:
    """The published expressions by image number and words, and their number by split.

    Raises:
        CliprpnError: data_invalid.
    """
    expressions: dict[tuple[int, str], list[PublishedExpression]] = defaultdict(list)
    sizes = Counter[str]()
    path = Path(source.file)
    try:
        rows = _rows_of_table(read_table(path)) if path.suffix == ".parquet" else _rows_of_refs(path)
        for number, (image_id, sentence, ann_id, split) in enumerate(rows):
            expressions[image_id, normalize(sentence)].append(PublishedExpression(number, ann_id, split))
            sizes[split] += 1
    except (KeyError, TypeError, AttributeError) as error:
        raise CliprpnError(
            "data_invalid",
            f"{path}: expected the refs file of a published dataset, such as refs(umd).p: {error!r}",
        ) from error
    return expressions, sizes


def _rows_of_table(table: pa.Table) -> Iterator[tuple[int, str, int, str]]:
    columns = [table[key].to_pylist() for key in ("image_id", "sentence", "ann_id", "split")]
    yield from zip(*columns, strict=True)


def _rows_of_refs(path: Path) -> Iterator[tuple[int, str, int, str]]:
    for ref in load_plain(path):
        for sentence in ref["sentences"]:
            yield ref["image_id"], clean_text(sentence["sent"]), ref["ann_id"], ref["split"]


def _notes_aside(aside: list[SentenceRecord], name: str) -> list[str]:
    if not aside:
        return []
    num_objects = len({row.ann_id for row in aside})
    first = ", ".join(row.where for row in aside[:3])
    return [
        f"{len(aside):,} other expressions of {num_objects:,} objects are not in {name} and are set aside: {first}"
        f"{', ...' if len(aside) > 3 else ''}"
    ]


def _is_incomplete(split: MatchedSplit) -> bool:
    return split.num_matched < split.num_published


def _warn_incomplete(split: MatchedSplit) -> str:
    return (
        f"{split.published} {split.split}: only {split.num_matched:,} of {split.num_published:,} published "
        "expressions; results differ from those on the whole split"
    )
