"""Embeddings of boxes and texts by a frozen CLIP; each is computed once and cached."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from cliprpn.arithmetic import arithmetic_key
from cliprpn.contract.generated import TrialBackbone
from cliprpn.data.images import ImageFile
from cliprpn.errors import CliprpnError
from cliprpn.models.backbone import ClipBackbone
from cliprpn.models.folding import fold_batch_norm
from cliprpn.models.transfer import to_device
from cliprpn.ranking.embedding_store import (
    EncodeTexts,
    EncodeViews,
    get_box_embeddings,
    get_text_embeddings,
)
from cliprpn.ranking.views import BoxView, render_views
from cliprpn.run_context import RunContext
from cliprpn.storage.weights_files import load_backbone

# Part of the cache files' key: change it when the same box or sentence would get another embedding.
EMBEDDINGS_VERSION = "2"
# Input size of OpenAI's CLIP RN50 and of cliprpn-tiny.
INPUT_SIZE_PX = 224


@dataclass(frozen=True)
class ClipEmbeddings:
    """Encodes boxes and texts that are not cached yet; the backbone is moved to the device only then."""

    spec: TrialBackbone
    context: RunContext

    def embed_boxes(self, boxes_of_files: list[tuple[ImageFile, Tensor]], view: BoxView) -> list[Tensor]:
        """Embeds boxes, each as seen in a view.

        Args:
            boxes_of_files: images, each with boxes [N, 4], xyxy, pixels.

        Returns:
            per image [N, D], float32, L2-normalized.

        Raises:
            CliprpnError: interrupted, no_space, data_invalid, weights_*.
        """
        return get_box_embeddings(
            boxes_of_files,
            view,
            self._store(view),
            self.backbone.pooled_dim,
            lambda image, boxes: render_views(image, boxes, view, INPUT_SIZE_PX),
            self._load_view_encoder,
            self.context,
        )

    def embed_texts(self, texts: list[str]) -> Tensor:
        """Embeddings of T texts: [T, D], float32, L2-normalized.

        Raises:
            CliprpnError: interrupted, no_space, data_invalid, weights_*.
        """
        return get_text_embeddings(
            texts, self._store("text"), self.backbone.pooled_dim, self._load_text_encoder, self.context
        )

    @cached_property
    def backbone(self) -> ClipBackbone:
        """The frozen CLIP, on the CPU until something has to be encoded.

        Raises:
            CliprpnError: weights_*.
        """
        backbone = _load_folded_backbone(self.spec.name, self.spec.weights, self.spec.weights_id)
        if not backbone.has_attention_pool:
            raise CliprpnError(
                "weights_mismatch",
                f"{self.spec.weights}: expected weights with CLIP's attention pool, which encodes crops, found weights "
                "without it (an original ClipRPN checkpoint has none)",
            )
        return backbone

    def _load_view_encoder(self) -> EncodeViews:
        # channels_last: convolutions take two thirds of the time; embeddings differ by 1e-7.
        backbone = self.backbone.to(self.context.device).to(memory_format=torch.channels_last)
        return lambda views: backbone.encode_image(views.contiguous(memory_format=torch.channels_last))

    def _load_text_encoder(self) -> EncodeTexts:
        device = self.context.device
        backbone = self.backbone.to(device)
        return lambda texts: backbone.encode_text(to_device(backbone.tokenize(texts), device))[0]

    def _store(self, kind: str) -> Path:
        """The cache file of the embeddings of one view, or of texts."""
        facts = {
            "weights_id": self.spec.weights_id,
            "what": kind,
            "version": EMBEDDINGS_VERSION,
            "size_px": INPUT_SIZE_PX,
            **arithmetic_key(self.context.device),
        }
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
        return self.context.cache_dir / "vectors" / f"{kind}-{key}.sqlite"


# The last backbone that was loaded, by name, weights and weights_id.
_loaded: dict[tuple[str, str, str], ClipBackbone] = {}


def move_loaded_to_cpu() -> None:
    """Frees a device of the backbone that was loaded last; it is moved again when something has to be encoded."""
    for backbone in _loaded.values():
        backbone.to("cpu")


def _load_folded_backbone(name: str, weights: str, weights_id: str) -> ClipBackbone:
    """The backbone with folded batch norms, loaded once per process; a worker needs one at a time."""
    key = (name, weights, weights_id)
    if key not in _loaded:
        backbone = load_backbone(name, weights)
        if backbone.weights_id != weights_id:
            raise CliprpnError(
                "weights_mismatch",
                f"{weights}: the backbone's weights have changed since the trial was planned: expected {weights_id}, "
                f"found {backbone.weights_id}; re-run the command to use the new weights",
            )
        fold_batch_norm(backbone)
        _loaded.clear()
        _loaded[key] = backbone
    return _loaded[key]
