"""How many answers of a configuration have each error class, and examples."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from cliprpn.contract.generated import ErrorClass, ErrorExample
from cliprpn.figures.error_classes import (
    ERROR_CLASSES,
    HIT,
    SplitObjects,
    classify_runs,
    example_rows,
)
from cliprpn.figures.intervals import mean_interval
from cliprpn.figures.runs import Runs
from cliprpn.figures.split_table import SplitTable

# More than a report draws, as some may show an image that it has already drawn.
NUM_EXAMPLES = 5


def error_summary(runs: Runs, table: SplitTable, objects: SplitObjects, level: float) -> list[ErrorClass]:
    """Every class with its number of answers, the mean over seeds.

    Args:
        level: confidence level of the intervals.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    classes = classify_runs(runs, objects)
    scores = runs.scores()[0]
    rows: list[ErrorClass] = []
    for code, name in enumerate(ERROR_CLASSES):
        inside = classes == code
        fraction = mean_interval(inside, table.groups, runs.has_seeds, level)
        examples = [] if code == HIT else example_rows(classes, scores, table.sent_id, table.image_id, code)
        rows.append(
            ErrorClass.model_validate(
                {
                    "error_class": name,
                    "num_sentences": float(inside.sum() / len(classes)),
                    "fraction": fraction.model_dump(),
                    "sent_ids": table.sent_id[examples[:NUM_EXAMPLES]].tolist(),
                }
            )
        )
    return rows


def error_examples(
    error_classes: list[ErrorClass],
    runs: Runs,
    table: SplitTable,
    images_dir: Path | None,
    shown_elsewhere: Collection[int],
) -> list[ErrorExample]:
    """One example of each class that has any, with the answer of the first seed; no image twice.

    Args:
        error_classes: of the configuration.
        images_dir: folder of the images; None if the dataset has none, and nothing can be shown.
        shown_elsewhere: expressions whose images the report shows already.

    Raises:
        CliprpnError: not_found, data_invalid, bad_input.
    """
    if images_dir is None:
        return []
    row_of = {sent_id: row for row, sent_id in enumerate(table.sent_id.tolist())}
    images = table.image_id.tolist()
    taken = {images[row_of[sent_id]] for sent_id in shown_elsewhere}
    examples: list[ErrorExample] = []
    for error_class in error_classes:
        rows = [row_of[sent_id] for sent_id in error_class.sent_ids]
        free = [row for row in rows if images[row] not in taken]
        if not free:
            continue
        row = free[0]
        taken.add(images[row])
        examples.append(
            ErrorExample.model_validate(
                {
                    "error_class": error_class.error_class,
                    "sent_id": error_class.sent_ids[rows.index(row)],
                    "image_file": str(images_dir / table.image_file[row]),
                    "upright": bool(table.upright[row]),
                    "sentence": table.sentence[row],
                    "gt_box_xyxy": table.gt_box_xyxy[row].tolist(),
                    "pred_box_xyxy": runs.column("pred_box_xyxy")[0, row].tolist(),
                    "iou": float(runs.column("iou")[0, row]),
                }
            )
        )
    return examples
