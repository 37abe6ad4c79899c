"""A cache of features, keyed by everything they depend on; missing ones are extracted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from cliprpn.errors import CliprpnError
from cliprpn.features.image_features import ReadBlock, extract_maps
from cliprpn.features.text_features import extract_text
from cliprpn.models.backbone import ClipBackbone
from cliprpn.run_context import RunContext
from cliprpn.storage.array_store import ArraySpecs, open_store
from cliprpn.storage.lock import file_lock
from cliprpn.storage.lock_owner import LockLostError
from cliprpn.storage.node_copy import copy_to_node
from cliprpn.storage.node_disk import node_copies

# Raises `LockLostError` if another machine has taken the lock.
RequireLock = Callable[[], None]
# Everything that features depend on, by name; hashed into their folder and written to their manifest.
MadeFrom = dict[str, object]


@dataclass(frozen=True)
class FeatureCache:
    """The folder of all cached features; other processes may use it at the same time.

    Attributes:
        root: contains a folder per store.
        load_backbone: called at most once, and only if features are missing.
        weights_id: expected id of the loaded weights.
    """

    root: Path
    load_backbone: Callable[[], ClipBackbone]
    weights_id: str
    context: RunContext

    def folder(self, kind: str, made_from: MadeFrom) -> Path:
        """Folder of a store, named by a hash of everything that it depends on."""
        key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:24]
        return self.root / f"{kind}-{key}"

    def open_maps(
        self,
        kind: str,
        made_from: MadeFrom,
        read_block: ReadBlock,
        num_images: int,
        image_size_px: int,
        name_of: Callable[[int], str],
        extra_arrays: ArraySpecs | None = None,
    ) -> dict[str, np.ndarray]:
        """`maps` [num_images, C, h, w], float16, and the extra arrays; extracted if they are not cached.

        Args:
            name_of: names an image in errors.

        Raises:
            CliprpnError: interrupted, no_space, data_invalid, weights_*.
        """
        folder = self.folder(kind, made_from)
        return self._open_or_extract(
            folder,
            lambda require_lock: extract_maps(
                folder,
                read_block,
                num_images,
                image_size_px,
                self._backbone,
                made_from,
                self.context,
                extra_arrays,
                name_of,
                require_lock,
            ),
        )

    def open_text(
        self, kind: str, made_from: MadeFrom, read_sentences: Callable[[], list[str]]
    ) -> dict[str, np.ndarray]:
        """The arrays of `TextFeatures`; extracted if they are not cached.

        Raises:
            CliprpnError: interrupted, no_space, weights_*.
        """
        folder = self.folder(kind, made_from)
        return self._open_or_extract(
            folder,
            lambda require_lock: extract_text(
                folder, read_sentences(), self._backbone, made_from, self.context, require_lock
            ),
        )

    def _open_or_extract(self, folder: Path, extract: Callable[[RequireLock], None]) -> dict[str, np.ndarray]:
        """The arrays of a store, extracted first unless another process has done so.

        If another machine takes the lock, since this process was suspended, that one extracts the rest.
        """
        arrays = self._open(folder)
        if arrays is not None:
            return arrays
        folder.mkdir(parents=True, exist_ok=True)
        while arrays is None:
            with file_lock(
                folder / "lock",
                lambda: self.context.warn("another process is extracting the same features; waiting for it"),
                self.context.should_stop,
            ) as lock:
                if open_store(folder) is None:
                    with suppress(LockLostError):
                        extract(lock.require)
            arrays = self._open(folder)
        return arrays

    def _open(self, folder: Path) -> dict[str, np.ndarray] | None:
        """The arrays of a complete store; those of its copy on this machine, if there is a folder for copies."""
        copies = node_copies()
        if copies is None or not (folder / "manifest.json").is_file():
            return open_store(folder)
        return open_store(
            copy_to_node(
                folder,
                copies,
                self.context.warn,
                lambda done, total: self.context.progress("features_copy", done, total),
                self.context.should_stop,
            )
        )

    @cached_property
    def _backbone(self) -> ClipBackbone:
        """
        Raises:
            CliprpnError: weights_mismatch, if the weights are not those that the trial was planned with.
        """
        backbone = self.load_backbone()
        if backbone.weights_id != self.weights_id:
            raise CliprpnError(
                "weights_mismatch",
                f"the backbone's weights have changed since the trial was planned: expected {self.weights_id}, "
                f"found {backbone.weights_id}; re-run the same command",
            )
        return backbone
