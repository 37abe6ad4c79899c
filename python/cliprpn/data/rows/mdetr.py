"""MDETR's finetune files, `finetune_refcocog_train.json` and its like: an image and an annotation a sentence.

The sentence is the image's `caption`; `original_id` is the id of COCO's image or object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cliprpn.contract.generated import Columns
from cliprpn.data.problems import Problems
from cliprpn.data.records import is_integer, shown
from cliprpn.data.rows.coco import category_names, images_by_id, list_of, row_of
from cliprpn.data.rows.json_text import read_json_object


def read_mdetr(path: Path, columns: Columns, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where it stands and what it says, for each sentence.

    Raises:
        CliprpnError: data_invalid, when the file is not COCO's JSON.
    """
    content = read_json_object(path)
    images = images_by_id(content, path, problems)
    categories = category_names(content, path, problems)
    annotations: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for position, item in enumerate(list_of(content, "annotations", path)):
        image_id = item.get("image_id") if isinstance(item, dict) else None
        if not is_integer(image_id) or image_id not in images:
            where = f"{path.name}: annotations[{position}]"
            problems.add(f"{where}: expected the id of an image as image_id, found {shown(image_id)}")
            continue
        annotations[image_id].append(item)
    for image_id, image in images.items():
        where = f"{path.name}: image {image_id}"
        if len(annotations[image_id]) != 1:
            problems.add(f"{where}: expected one annotation, found {len(annotations[image_id])}")
            continue
        row = row_of(image, annotations[image_id][0], columns, categories)
        caption = image.get(columns.sentence, image.get("caption"))
        yield where, {**row, "sentence": caption, "sent_id": image.get("sent_id", image_id)}
