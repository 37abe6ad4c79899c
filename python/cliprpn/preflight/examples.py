"""Chooses referring expressions to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cliprpn.contract.generated import SampleExpressionsParams, SampleExpressionsResult
from cliprpn.data.index import open_dataset, read_facts
from cliprpn.figures.dataset_stats.examples import choose_examples

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
    num = sum(len(index.split(split)) for split in splits)
    areas = np.zeros(index.sentences.num_rows)
    examples = choose_examples(index, splits, areas, None, num_sentences=min(params.num_expressions, num))
    return SampleExpressionsResult(examples=[each for each in examples if each.split in SPLITS])
