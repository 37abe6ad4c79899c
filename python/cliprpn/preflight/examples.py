"""Chooses referring expressions to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.contract.generated import SampleExpressionsParams, SampleExpressionsResult
from cliprpn.data.index import open_dataset, read_facts
from cliprpn.figures.dataset_stats.examples import choose_examples
from cliprpn.preflight.sample import part_of

# Not of test: nothing is evaluated on it, so nobody has to look at it.
SPLITS = ("train", "val")


def sample_expressions(params: SampleExpressionsParams) -> SampleExpressionsResult:
    """Expressions of train and val, of different images, and of many categories.

    Raises:
        CliprpnError: data_invalid.
    """
    root = Path(params.root)
    index = open_dataset(root, read_facts(root).id)
    splits = [split for split in SPLITS if len(index.split(split)) > 0]
    if not splits:
        return SampleExpressionsResult(examples=[])
    image_rows = np.unique(np.concatenate([index.image_rows[index.split(split)] for split in splits]))
    part = part_of(index, image_rows, SPLITS)
    areas = np.zeros(part.sentences.num_rows)
    examples = choose_examples(part, splits, areas, None, num_sentences=params.num_expressions)
    return SampleExpressionsResult(examples=examples)
