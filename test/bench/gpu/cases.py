"""The settings to train with: both presets, with each precision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.gpu.features import Size
from cliprpn.contract.generated import ClipRpnSpec, Settings

# Written by `npm run generate` from src/experiment/presets.ts, since there is no Node where this runs.
PRESETS = Path(__file__).with_name("presets.json")
Preset = Literal["default", "reference"]
Precision = Literal["bf16", "fp32"]


@dataclass(frozen=True)
class Case:
    """Settings of a trial that decide its speed."""

    preset: Preset
    precision: Precision
    cuda_graphs: bool = False

    @property
    def name(self) -> str:
        """Such as `default-bf16`."""
        return f"{self.preset}-{self.precision}{'-graphs' if self.cuda_graphs else ''}"

    @property
    def what(self) -> str:
        """For a reader."""
        return f"{self.preset}, {self.precision}{', CUDA graphs' if self.cuda_graphs else ''}"


def settings_of(case: Case, size: Size) -> Settings:
    """The preset's settings, with the case's changes."""
    values = json.loads(PRESETS.read_text())[case.preset]
    values["training"] |= {"precision": case.precision, "cuda_graphs": case.cuda_graphs}
    if size.batch_size is not None:
        values["training"]["batch_size"] = size.batch_size
        values["image_size_px"] = size.image_size_px
        values["neck_channels"] = values["neck_channels"] and 16
    return Settings.model_validate(values)


def spec_of(case: Case, size: Size, weights: str, weights_id: str, cache_dir: Path) -> ClipRpnSpec:
    """A trial with these settings and this CLIP, as a saved model records it."""
    return ClipRpnSpec.model_validate(
        {
            "trial_id": "0" * 16,
            "sources_sha256": "0" * 64,
            "kind": "cliprpn",
            "label": case.name,
            "preset": case.preset,
            "seed": 0,
            "num_threads": 2,
            "device": "cpu",
            "dataset": {"id": "made", "name": "made", "root": str(cache_dir), "split_by": "umd"},
            "backbone": {"name": size.backbone, "weights": weights, "weights_id": weights_id},
            "settings": settings_of(case, size).model_dump(),
            "cache_dir": str(cache_dir),
        }
    )
