"""The boxes of a model for changed expressions. Only text is encoded again: images keep their features."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cliprpn.arithmetic import arithmetic_key, prefer_deterministic, use_deterministic
from cliprpn.audit.questions import with_texts
from cliprpn.contract.generated import BaselineSpec, TrialBackbone, TrialDataset
from cliprpn.data.index import open_dataset
from cliprpn.errors import CliprpnError
from cliprpn.features.feature_cache import FeatureCache
from cliprpn.features.frozen import TEXT_VERSION, FrozenFeatures, open_data
from cliprpn.features.text_features import TextFeatures, gather
from cliprpn.inference.checkpoint import SavedModel, load_model
from cliprpn.inference.predict import EVAL_BATCH_SIZE, sizes_and_gt_boxes, to_image_clipped
from cliprpn.out_of_memory import compute_in_batches
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.storage.specs import Spec
from cliprpn.storage.weights_files import load_backbone
from cliprpn.trials.baseline import predict_baseline


@dataclass(frozen=True)
class Answers:
    """
    Attributes:
        boxes: [N, 4], xyxy, pixels of the original image, clipped to it.
        scores: [N].
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]


class Asked:
    """A trained model or a baseline that can be asked about other expressions.

    Args:
        spec: the trial; None for a model file that no trial trained here.
        model_file: a .safetensors file; None for a baseline.

    Raises:
        CliprpnError: bad_input, data_invalid, interrupted, no_space, not_found, weights_*.
    """

    def __init__(
        self, spec: Spec | None, model_file: Path | None, dataset: TrialDataset, context: RunContext
    ) -> None:
        self._context = context
        self._baseline = spec if isinstance(spec, BaselineSpec) else None
        self._saved: SavedModel | None = None
        self._features: FrozenFeatures | None = None
        if self._baseline is not None:
            seed_everything(self._baseline.seed, self._baseline.num_threads)
            prefer_deterministic()
            self.index = open_dataset(Path(dataset.root), dataset.id)
            return
        if model_file is None:
            raise CliprpnError("bad_input", "expected a model file to audit, found none")
        saved = load_model(model_file)
        if saved.seed is not None and saved.num_threads is not None:
            seed_everything(saved.seed, saved.num_threads)
        use_deterministic(saved.deterministic, context.device)
        self._backbone: TrialBackbone = saved.backbone
        if spec is not None:
            self._backbone = saved.backbone.model_copy(update={"weights": spec.backbone.weights})
        self.index, self._features = open_data(
            dataset, self._backbone, saved.image_size_px, saved.resize, context
        )
        self._saved = saved

    def answer(self, rows: NDArray[np.int64], texts: Sequence[str]) -> Answers:
        """The best box for each text in the image of each row.

        Args:
            rows: [N], rows of the index's sentences, which have the images.
            texts: [N].

        Raises:
            CliprpnError: interrupted, no_space, weights_*.
        """
        # The same text of the same image is asked once.
        keys = list(zip(self.index.image_rows[rows].tolist(), texts, strict=True))
        first: dict[tuple[int, str], int] = {}
        for position, key in enumerate(keys):
            first.setdefault(key, position)
        chosen = np.array(list(first.values()), dtype=np.int64)
        # By image, so that a batch reads few feature maps.
        chosen = chosen[np.argsort(self.index.image_rows[rows[chosen]], kind="stable")]
        chosen_texts = [texts[i] for i in chosen.tolist()]
        answers = (
            self._answer_model(rows[chosen], chosen_texts)
            if self._baseline is None
            else self._answer_baseline(self._baseline, rows[chosen], chosen_texts)
        )
        place = {keys[i]: k for k, i in enumerate(chosen.tolist())}
        at = np.array([place[key] for key in keys], dtype=np.int64)
        return Answers(answers.boxes[at], answers.scores[at])

    def _answer_model(self, rows: NDArray[np.int64], texts: list[str]) -> Answers:
        assert self._saved is not None and self._features is not None
        features, device = self._features, self._context.device
        model = self._saved.model.to(device).eval()
        unique = sorted(set(texts))
        text_row = {text: row for row, text in enumerate(unique)}
        encoded = self._encode(unique)
        text_rows = torch.tensor([text_row[text] for text in texts])

        def ask(batch: NDArray[np.int64], start: int) -> tuple[torch.Tensor, torch.Tensor]:
            maps = gather(features.maps, torch.from_numpy(features.image_rows[batch]), device)
            text = encoded.batch(text_rows[start : start + len(batch)], device)
            predicted, objectness = model.predict_top1(maps, *text)
            return predicted.cpu().double(), objectness.cpu().double()

        boxes: list[torch.Tensor] = []
        scores: list[torch.Tensor] = []
        done = 0
        for batch, (predicted, objectness) in compute_in_batches(rows, EVAL_BATCH_SIZE, ask, self._context):
            if self._context.should_stop():
                raise CliprpnError("interrupted", "stopped during an audit")
            sizes, _ = sizes_and_gt_boxes(self.index, batch)
            frames = features.frames_of(batch)
            boxes.append(to_image_clipped(predicted, frames, sizes, features.zoom(model.frame_size_px)))
            scores.append(objectness)
            done += len(batch)
            self._context.progress("evaluation", done, len(rows))
        return Answers(torch.cat(boxes).numpy(), torch.cat(scores).numpy())

    def _encode(self, texts: list[str]) -> TextFeatures:
        """Features of texts, kept in the cache: other seeds and configurations ask the same."""
        backbone = self._backbone
        cache = FeatureCache(
            self._context.cache_dir / "features",
            lambda: load_backbone(backbone.name, backbone.weights),
            backbone.weights_id,
            self._context,
        )
        made_from: dict[str, object] = {
            "texts": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
            "weights_id": backbone.weights_id,
            "text": TEXT_VERSION,
            **arithmetic_key(self._context.device),
        }
        return TextFeatures(cache.open_text("text", made_from, lambda: texts))

    def _answer_baseline(self, spec: BaselineSpec, rows: NDArray[np.int64], texts: list[str]) -> Answers:
        columns = predict_baseline(
            spec, with_texts(self.index, rows, texts), np.arange(len(rows)), self._context
        ).columns
        return Answers(columns["pred_box_xyxy"].astype(np.float64), columns["objectness"].astype(np.float64))
