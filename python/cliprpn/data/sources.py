"""Reads annotations of any layout and runs all checks that need no image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from cliprpn.contract.generated import RefcocoSource, RowsFile, RowsSource
from cliprpn.data.annotations import SPLITS, Annotations, SentenceRecord
from cliprpn.data.box_checks import BoxRules, check_reading_of, check_referred_boxes
from cliprpn.data.boxes import needs_sizes
from cliprpn.data.found_names import FoundNames, read_image_names
from cliprpn.data.only import keep_only
from cliprpn.data.problems import Problems
from cliprpn.data.published import MatchedSplit, match_published, warn_unmatched
from cliprpn.data.refcoco import read_refcoco
from cliprpn.data.rows.read import read_rows
from cliprpn.data.splits import GIVEN_RULE, assign_splits

ALLOW_INVALID = "use --allow-invalid to leave these rows out"


@dataclass(frozen=True)
class LoadedSource:
    """A source's records.

    Attributes:
        split_rule: how splits were assigned.
        rules: what to do with imperfect boxes.
        folder: of the annotation files, for messages.
        matched: the published splits that the records match.
    """

    annotations: Annotations
    split_rule: str
    rules: BoxRules
    folder: Path
    matched: list[MatchedSplit] | None = None


def read_source(
    source: RefcocoSource | RowsSource,
    image_names_file: Path | None = None,
    images_folder: Path | None = None,
) -> LoadedSource:
    """Reads and checks a source; cached, since indexing a dataset reads it twice.

    Args:
        image_names_file: the names that its images get; None if they keep those of the annotations.
        images_folder: where images inside the annotations are written; None if they are there.

    Raises:
        CliprpnError: data_invalid, listing up to 20 problems.
    """
    names = None if image_names_file is None else read_image_names(image_names_file)
    names_key = None if names is None else names.model_dump_json(exclude={"written"})
    key = (source.model_dump_json(), names_key, *map(_size_and_mtime, _files(source)))
    if key in _last_source and images_folder is None:
        return _last_source[key]
    matched: list[MatchedSplit] | None = None
    rules = BoxRules.of(source)
    root = _files(source)[0].parent
    problems = Problems(root, allow_invalid=rules.allow_invalid, row_advice=ALLOW_INVALID)
    if isinstance(source, RefcocoSource):
        annotations = read_refcoco(Path(source.instances_file), Path(source.refs_file), problems)
        found = FoundNames(names)
        images = [
            replace(image, file_name=found.path_of(image.file_name, None)) for image in annotations.images
        ]
        annotations = replace(annotations, images=images)
        annotations = _keep_only(annotations, source.only or [])
        rule = "as given in the refs file"
    else:
        annotations = read_rows(source, problems, names, images_folder)
        problems.raise_if_any()
        annotations = replace(annotations, num_left_out=problems.num_left_out)
        if source.match is None:
            annotations, rule = assign_splits(annotations, source.split_seed)
            if rule == GIVEN_RULE:
                warnings = [*annotations.warnings, *warn_unmatched(annotations)]
                annotations = replace(annotations, warnings=warnings)
        else:
            annotations, matched, rule = match_published(annotations, source.match)
    num_read = len(annotations.sentences)
    annotations = replace(annotations, sentences=_without_repeats(annotations.sentences, problems))
    sizes = {
        image.image_id: (float(image.width), float(image.height))
        for image in annotations.images
        # With an orientation, the size may be that of the other frame; the image tells.
        if image.width is not None and image.height is not None and source.orientation is None
    }
    if isinstance(source, RefcocoSource):
        check_reading_of(annotations, sizes, rules, problems)
    if not problems.hints and (
        len(sizes) == len(annotations.images) or not needs_sizes(annotations.box_format)
    ):
        annotations = check_referred_boxes(annotations, sizes, rules, problems).annotations
    problems.require_rows(len(annotations.sentences), "expected sentences with a valid box, found none")
    problems.raise_if_any()
    used_images = {row.image_id for row in annotations.sentences}
    annotations = replace(
        annotations,
        images=[image for image in annotations.images if image.image_id in used_images],
        objects={
            key: record for key, record in annotations.objects.items() if record.image_id in used_images
        },
        notes=[*annotations.notes, *problems.left_out_notes()],
        num_left_out=annotations.num_left_out + num_read - len(annotations.sentences),
    )
    _last_source.clear()
    _last_source[key] = LoadedSource(annotations, rule, rules, root, matched)
    return _last_source[key]


# One entry at most. The files may change between the calls of `read_annotations` and `index_dataset`.
_last_source: dict[tuple[object, ...], LoadedSource] = {}


def _without_repeats(sentences: list[SentenceRecord], problems: Problems) -> list[SentenceRecord]:
    """The sentences, each sent_id once; another sentence with the same sent_id is a problem."""
    first: dict[int, SentenceRecord] = {}
    for row in sentences:
        earlier = first.setdefault(row.sent_id, row)
        if earlier is not row:
            problems.add_row(
                f"{row.where}: expected each sent_id once, found {row.sent_id} at {earlier.where}, too",
                "repeated sent_id",
            )
    return list(first.values())


def _keep_only(annotations: Annotations, files: list[RowsFile]) -> Annotations:
    """The annotations of the expressions that the files name; all without files."""
    if not files:
        return annotations
    notes = list(annotations.notes)
    sentences = keep_only(annotations.sentences, files, notes)
    image_ids = {row.image_id for row in sentences}
    images = [image for image in annotations.images if image.image_id in image_ids]
    objects = {key: row for key, row in annotations.objects.items() if row.image_id in image_ids}
    return replace(annotations, images=images, objects=objects, sentences=sentences, notes=notes)


def count_splits(annotations: Annotations) -> list[dict[str, int | str]]:
    """For each split with sentences: split, num_images, num_refs, num_sentences."""
    counts: list[dict[str, int | str]] = []
    for split in SPLITS:
        rows = [row for row in annotations.sentences if row.split == split]
        if rows:
            images, refs = ({getattr(row, key) for row in rows} for key in ("image_id", "ref_id"))
            sizes = {"num_images": len(images), "num_refs": len(refs), "num_sentences": len(rows)}
            counts.append({"split": split, **sizes})
    return counts


def _files(source: RefcocoSource | RowsSource) -> list[Path]:
    only = [Path(file.file) for file in source.only or []]
    if isinstance(source, RefcocoSource):
        return [Path(source.refs_file), Path(source.instances_file), *only]
    others = [source.instances, None if source.match is None else source.match.file]
    return [*(Path(file.file) for file in source.files), *only, *(Path(file) for file in others if file)]


def _size_and_mtime(file: Path) -> tuple[int, int] | None:
    """Identifies a version of the file; None if there is no file."""
    if not file.exists():
        return None
    status = file.stat()
    return status.st_size, status.st_mtime_ns
