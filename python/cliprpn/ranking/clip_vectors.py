"""Frozen CLIP's vectors of boxes and sentences, encoded once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from cliprpn.contract.generated import TrialBackbone
from cliprpn.data.images import ImageFile
from cliprpn.errors import CliprpnError
from cliprpn.models.backbone import ClipBackbone
from cliprpn.models.folding import fold_batch_norm
from cliprpn.ranking.vector_store import EncodeTexts, EncodeViews, box_vectors, text_vectors
from cliprpn.ranking.views import BoxView, render_views
from cliprpn.run_context import RunContext
from cliprpn.storage.weights_files import load_backbone

# Part of the vectors' key: change it whenever the same box or sentence would give others.
VERSION = "2"
# The side that OpenAI's CLIP RN50 and cliprpn-tiny see images at.
SIZE_PX = 224


@dataclass(frozen=True)
class ClipVectors:
    """Encodes what is not in the cache yet; the backbone is loaded only then."""

    which: TrialBackbone
    context: RunContext

    def of_boxes(self, wanted: list[tuple[ImageFile, Tensor]], view: BoxView) -> list[Tensor]:
        """
        Args:
            wanted: images, each with boxes [N, 4], xyxy, pixels.

        Returns:
            for each [N, D], float32, L2-normalised.

        Raises:
            CliprpnError: interrupted, no_space, data_invalid, weights_*.
        """
        return box_vectors(
            wanted,
            view,
            self._store(view),
            self.backbone.pooled_dim,
            lambda picture, boxes: render_views(picture.to(self.context.device), boxes, view, SIZE_PX),
            self._encode_views,
            self.context,
        )

    def of_texts(self, texts: list[str]) -> Tensor:
        """[T, D], float32, L2-normalised.

        Raises:
            CliprpnError: interrupted, no_space, data_invalid, weights_*.
        """
        return text_vectors(
            texts,
            self._store("text"),
            self.backbone.pooled_dim,
            self._encode_texts,
            self.context,
        )

    @cached_property
    def backbone(self) -> ClipBackbone:
        """
        Raises:
            CliprpnError: weights_*.
        """
        backbone = _loaded(self.which.name, self.which.weights, self.which.weights_id)
        if not backbone.has_attention_pool:
            raise CliprpnError(
                "weights_mismatch",
                f"{self.which.weights}: expected weights with CLIP's attention pool, by which it sees a box; found "
                "none (an original checkpoint has none)",
            )
        return backbone

    def _encode_views(self) -> EncodeViews:
        # Channels last, convolutions take two thirds of the time, and vectors differ by 1e-7.
        backbone = self.backbone.to(self.context.device).to(memory_format=torch.channels_last)
        return lambda views: backbone.encode_image(views.contiguous(memory_format=torch.channels_last))

    def _encode_texts(self) -> EncodeTexts:
        backbone = self.backbone.to(self.context.device)
        return lambda texts: backbone.encode_text(backbone.tokenize(texts).to(self.context.device))[0]

    def _store(self, what: str) -> Path:
        facts = {"weights_id": self.which.weights_id, "what": what, "version": VERSION, "size_px": SIZE_PX}
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
        return self.context.cache_dir / "vectors" / f"{what}-{key}.sqlite"


_kept: dict[tuple[str, str, str], ClipBackbone] = {}


def _loaded(name: str, weights: str, weights_id: str) -> ClipBackbone:
    """The backbone, once per process; one at a time is enough for a worker."""
    place = (name, weights, weights_id)
    if place not in _kept:
        backbone = load_backbone(name, weights)
        if backbone.weights_id != weights_id:
            raise CliprpnError(
                "weights_mismatch",
                f"the backbone's weights have changed since the trial was planned: expected {weights_id}, "
                f"found {backbone.weights_id}; start again",
            )
        fold_batch_norm(backbone)
        _kept.clear()
        _kept[place] = backbone
    return _kept[place]
