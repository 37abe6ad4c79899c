"""Opens stores of frozen features by what they were made from, and extracts those that are missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from cliprpn.errors import CliprpnError
from cliprpn.features.image_store import ReadBlock, extract_maps
from cliprpn.features.store import Arrays, open_store
from cliprpn.features.text_store import extract_text
from cliprpn.models.backbone import ClipBackbone
from cliprpn.run_context import RunContext
from cliprpn.storage.lock import file_lock

Facts = dict[str, object]


@dataclass(frozen=True)
class Opening:
    """How stores are opened: who is asked for a missing one, and who is told.

    Attributes:
        root: folder of all stores.
        load_backbone: called once, and only when something is missing.
        weights_id: what the loaded backbone must call its weights.
    """

    root: Path
    load_backbone: Callable[[], ClipBackbone]
    weights_id: str
    context: RunContext

    def place(self, kind: str, facts: Facts) -> Path:
        """The folder of a store, named by everything that it depends on."""
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
        return self.root / f"{kind}-{key}"

    def maps(
        self,
        kind: str,
        facts: Facts,
        read_block: ReadBlock,
        num_images: int,
        image_size_px: int,
        beside: Arrays | None = None,
    ) -> dict[str, np.ndarray]:
        """`maps` [num_images, C, h, w], float16, and the arrays beside them.

        Raises:
            CliprpnError: interrupted, no_space, data_invalid, weights_*.
        """
        folder = self.place(kind, facts)
        return self._open_or_extract(
            folder,
            lambda: extract_maps(
                folder,
                read_block,
                num_images,
                image_size_px,
                self._backbone,
                facts,
                self.context,
                beside,
            ),
        )

    def text(self, kind: str, facts: Facts, sentences: Callable[[], list[str]]) -> dict[str, np.ndarray]:
        """The arrays of `TextFeatures`.

        Raises:
            CliprpnError: interrupted, no_space, weights_*.
        """
        folder = self.place(kind, facts)
        return self._open_or_extract(
            folder,
            lambda: extract_text(folder, sentences(), self._backbone, facts, self.context),
        )

    def _open_or_extract(self, folder: Path, extract: Callable[[], None]) -> dict[str, np.ndarray]:
        """The store's arrays; extracts them first where another process has not."""
        arrays = open_store(folder)
        if arrays is not None:
            return arrays
        folder.mkdir(parents=True, exist_ok=True)
        with file_lock(
            folder / "lock",
            lambda: self.context.warn("waiting for features that another process is extracting"),
            self.context.should_stop,
        ):
            arrays = open_store(folder)
            if arrays is None:
                extract()
                arrays = open_store(folder)
        assert arrays is not None
        return arrays

    @cached_property
    def _backbone(self) -> ClipBackbone:
        """The backbone, if its weights are the ones that the features are named after."""
        backbone = self.load_backbone()
        if backbone.weights_id != self.weights_id:
            raise CliprpnError(
                "weights_mismatch",
                f"the backbone's weights have changed since the trial was planned: expected {self.weights_id}, "
                f"found {backbone.weights_id}; start again",
            )
        return backbone
