"""Reads MDETR's JSON: COCO's, with an image and its annotations for each sentence, the image's `caption`.

An image of `finetune_refcocog_train.json` and the like has one annotation. In gRefCOCO's it has one for each object
that the sentence refers to, or an empty one. In files of phrases, such as Flickr30k's, an annotation belongs to the
part of the caption in its `tokens_positive`. The reviewed files of Ref-L4 mark wrong sentences by `caption_quality`
0; they are read, and `--only` leaves them out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from cliprpn.contract.generated import Columns
from cliprpn.data.checks import Record, is_integer, shorten
from cliprpn.data.json_files import read_json_object
from cliprpn.data.problems import Problems
from cliprpn.data.rows.coco import Id, annotations_of, category_names, images_by_id, object_values

PHRASE = "phrase"
NO_TARGET = -1


def read_mdetr(
    path: Path, columns: Columns, notes: list[str], problems: Problems
) -> Iterator[tuple[str, Record]]:
    """Yields location and values of each sentence, and of each object of a sentence that has several.

    Args:
        columns: `sentence` is `phrase` for the phrases of the captions; needed, as is `caption`, if the annotations
            of most captions belong to different phrases.
        notes: a line is appended if reviewers marked captions as wrong.

    Raises:
        CliprpnError: data_invalid, if the file is not COCO's JSON.
    """
    content = read_json_object(path)
    images = images_by_id(content, path, problems)
    categories = category_names(content, path, problems)
    annotations: dict[Id, list[Record]] = defaultdict(list)
    num_wrong = 0
    for _, annotation in annotations_of(content, images, path, problems):
        num_wrong += annotation.get("caption_quality") == 0
        if not _is_empty(annotation):
            annotations[annotation["image_id"]].append(annotation)
    if num_wrong:
        notes.append(
            f"{path.name}: {num_wrong:,} of its expressions are marked as wrong by reviewers (caption_quality 0) and "
            "are read; `--only` with this file leaves them out"
        )
    _check_choice(path, columns, images, annotations, problems)
    for image_id, image in images.items():
        where = f"{path.name}: image {image_id}"
        caption = image.get(columns.sentence, image.get("caption"))
        objects = [object_values(image, item, columns, categories) for item in annotations[image_id]]
        for sentence, targets in _sentences(caption, annotations[image_id], objects, columns):
            values = {**(targets[0] if targets else object_values(image, {}, columns, categories))}
            boxes = [target["box"] for target in targets]
            values["box"] = boxes[0] if len(boxes) == 1 else boxes
            sent_id = {} if columns.sentence == PHRASE else {"sent_id": image.get("sent_id", image_id)}
            yield where, {**values, "sentence": sentence, **sent_id}
        if len(objects) > 1:
            yield from ((where, values) for values in objects)


def _is_empty(annotation: Record) -> bool:
    """Whether an annotation says that no object is meant."""
    return annotation.get("empty") is True or (
        annotation.get("original_id") == NO_TARGET and annotation.get("bbox") in ([0, 0, 0, 0], [], None)
    )


def _sentences(
    caption: object, annotations: list[Record], objects: list[Record], columns: Columns
) -> Iterator[tuple[object, list[Record]]]:
    """The caption, or its phrases, with the objects."""
    if columns.sentence != PHRASE:
        yield caption, objects
        return
    by_phrase: dict[str, tuple[object, list[Record]]] = {}
    for annotation, values in zip(annotations, objects, strict=True):
        spans = annotation.get("tokens_positive")
        by_phrase.setdefault(repr(spans), (_phrase(caption, spans), []))[1].append(values)
    yield from by_phrase.values()


def _phrase(caption: object, spans: object) -> object:
    """The text of the spans `[[start, end], ...]`; None if they are not spans of the caption."""
    if not isinstance(caption, str) or not isinstance(spans, list):
        return None
    parts = []
    for span in spans:
        if not (isinstance(span, list) and len(span) == 2 and all(map(is_integer, span))):
            return None
        start, end = span
        if not 0 <= start < end <= len(caption):
            return None
        parts.append(caption[start:end])
    return " ".join(parts)


def _check_choice(
    path: Path,
    columns: Columns,
    images: dict[Id, Record],
    annotations: dict[Id, list[Record]],
    problems: Problems,
) -> None:
    """Adds a problem if it is not chosen whether captions or phrases are the sentences, and both are possible."""
    with_phrases = [
        image_id
        for image_id, items in annotations.items()
        if len({repr(item.get("tokens_positive")) for item in items}) > 1
    ]
    if columns.sentence == "sentence" and len(with_phrases) > 0.5 * len(images):
        image_id = with_phrases[0]
        problems.add_hint(
            f"{path.name}: image {image_id}: expected all annotations of a caption to be what it refers to, found "
            f"{len(annotations[image_id])} of different phrases in {shorten(images[image_id].get('caption'))}, and "
            f"{len(with_phrases):,} of {len(images):,} images alike; choose with --columns sentence=phrase or "
            "--columns sentence=caption"
        )
