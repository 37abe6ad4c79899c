"""Builds a ClipRPN from a trial's settings."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from pathlib import Path

import torch
from torch import nn

from cliprpn.contract.generated import FileFusion, Settings
from cliprpn.contract.generated import SwitchedFusion as SwitchedSettings
from cliprpn.errors import CliprpnError
from cliprpn.inference.fusion_errors import check_shape_of_output, fusion_errors
from cliprpn.models import (
    ClipRPN,
    ConcatenationFusion,
    CrossAttentionFusion,
    RpnRules,
    SwitchedFusion,
)

# map_channels, pooled_dim and word_dim of the features that a fusion gets.
FeatureSizes = tuple[int, int, int]
MODULE_PREFIX = "cliprpn_fusion_"
SIGNATURE = (
    "__init__(self, map_channels, pooled_dim, word_dim, **params), "
    "forward(self, feature_map [B,C,h,w], words [B,L,Dw], mask [B,L], pooled [B,Dp]) -> [B,C,h,w]"
)


def build_model(settings: Settings, map_channels: int, pooled_dim: int, word_dim: int) -> ClipRPN:
    """Builds the model with random weights, drawn from torch's global generator.

    Raises:
        CliprpnError: fusion_invalid.
    """
    channels = settings.neck_channels or map_channels
    return ClipRPN(
        fusion=build_fusion(settings, (channels, pooled_dim, word_dim)),
        map_channels=map_channels,
        neck_channels=settings.neck_channels,
        rules=RpnRules(**settings.rpn.model_dump()),
        grid_size=settings.image_size_px // 32,
        frame_size_px=settings.frame_size_px,
        scales_px=settings.anchors.model_dump()["scales_px"],
        ratios=settings.anchors.model_dump()["ratios"],
        placement=settings.anchors.placement,
    )


def build_fusion(settings: Settings, sizes: FeatureSizes) -> nn.Module:
    """Builds the fusion of the settings.

    Raises:
        CliprpnError: fusion_invalid.
    """
    fusion = settings.fusion
    if isinstance(fusion, FileFusion):
        return build_file_fusion(fusion, sizes)
    if isinstance(fusion, SwitchedSettings):
        return SwitchedFusion(*sizes, **fusion.model_dump(exclude={"kind"}))
    if fusion.kind == "concatenation":
        return ConcatenationFusion(*sizes)
    return CrossAttentionFusion(*sizes)


def build_file_fusion(fusion: FileFusion, sizes: FeatureSizes) -> nn.Module:
    """Builds a fusion from a class in the user's file.

    Raises:
        CliprpnError: fusion_invalid, if the file has changed since the trial was planned, does not define the
            class, or the class cannot be instantiated.
    """
    cls = _load_class(fusion)
    with fusion_errors(fusion_path(fusion), f"{class_of(fusion)}: ", f"; expected {SIGNATURE}"):
        built = cls(*sizes, **fusion.params)
        # With every batch: the check before the trials sees only one.
        built.register_forward_hook(check_shape_of_output)
        return built


def fusion_path(fusion: FileFusion) -> Path:
    """The file of a custom fusion."""
    return Path(fusion.file.rsplit(":", 1)[0])


def class_of(fusion: FileFusion) -> str:
    """The name of a custom fusion's class."""
    return fusion.file.rsplit(":", 1)[1]


def custom_fusion_file(fusion: nn.Module) -> Path | None:
    """The file that the class of a fusion was loaded from; None for a fusion of the package."""
    module = type(fusion).__module__
    return Path(str(sys.modules[module].__file__)) if module.startswith(MODULE_PREFIX) else None


def with_fusion_file(settings: Settings, path: Path) -> Settings:
    """The same settings, with the source of a custom fusion in another file."""
    fusion = settings.fusion
    assert isinstance(fusion, FileFusion)
    moved = fusion.model_copy(update={"file": f"{path}:{class_of(fusion)}"})
    return settings.model_copy(update={"fusion": moved})


def _load_class(fusion: FileFusion) -> type[nn.Module]:
    """Runs the user's file and returns the class that the fusion names.

    Raises:
        CliprpnError: fusion_invalid.
    """
    file_name, class_name = fusion.file.rsplit(":", 1)
    path, source = Path(file_name), read_fusion(fusion)
    # Named by its content: every copy of a fusion has the same file name.
    spec = importlib.util.spec_from_file_location(f"{MODULE_PREFIX}{fusion.source_sha256[:16]}", path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # As an import does; dataclasses look up their module there.
    with fusion_errors(path):
        # Not by the loader, which reads the file again, may run older bytecode and writes a `__pycache__` next to it.
        exec(compile(source, str(path), "exec"), module.__dict__)
    cls = getattr(module, class_name, None)
    if not (inspect.isclass(cls) and issubclass(cls, nn.Module)):
        raise CliprpnError(
            "fusion_invalid",
            f"{path}: expected a torch.nn.Module named {class_name}, found {cls!r}",
        )
    return cls


def read_fusion(fusion: FileFusion) -> bytes:
    """The source of a custom fusion, exactly as it was planned.

    Raises:
        CliprpnError: fusion_invalid, if the file is missing or has changed since.
    """
    path = fusion_path(fusion)
    if not path.is_file():
        raise CliprpnError("fusion_invalid", f"{path}: expected a Python file with a fusion, found no file")
    source = path.read_bytes()
    if hashlib.sha256(source).hexdigest() != fusion.source_sha256:
        raise CliprpnError(
            "fusion_invalid",
            f"{path}: the file has changed since the trial was planned; re-run the command to plan again",
        )
    return source


def check_fusion(settings: Settings, sizes: FeatureSizes, device: torch.device) -> int:
    """Runs the fusion forward and backward on random tensors. Returns its number of parameters.

    Args:
        device: of the trials: a fusion that makes a tensor on the CPU works only there.

    Raises:
        CliprpnError: fusion_invalid, with the expected and the actual output.
        torch.OutOfMemoryError: the device is full, which is not the fusion's fault.
    """
    map_channels, pooled_dim, word_dim = sizes
    channels = settings.neck_channels or map_channels
    fusion = build_fusion(settings, (channels, pooled_dim, word_dim))
    cells = settings.image_size_px // 32
    feature_map = torch.randn(2, channels, cells, cells).to(device)
    words, pooled = torch.randn(2, 5, word_dim).to(device), torch.randn(2, pooled_dim).to(device)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2], device=device)
    path = _fusion_path(settings)
    with fusion_errors(path, f"on {device}: ", f"; expected {SIGNATURE}"):
        fused = fusion.to(device)(feature_map, words, mask, pooled)
    _check_fused(fused, feature_map, settings)
    if any(True for _ in fusion.parameters()):
        with fusion_errors(path, "expected a gradient for its parameters, found none: "):
            fused.sum().backward()
    return sum(parameter.numel() for parameter in fusion.parameters())


def _check_fused(fused: object, feature_map: torch.Tensor, settings: Settings) -> None:
    """
    Raises:
        CliprpnError: fusion_invalid, if the output is not a finite tensor of the feature map's shape.
    """
    if not isinstance(fused, torch.Tensor) or fused.shape != feature_map.shape:
        actual = list(fused.shape) if isinstance(fused, torch.Tensor) else type(fused).__name__
        raise CliprpnError(
            "fusion_invalid",
            f"{_fusion_name(settings)}: expected a map {list(feature_map.shape)}, found {actual}",
        )
    if not fused.isfinite().all():
        raise CliprpnError(
            "fusion_invalid",
            f"{_fusion_name(settings)}: expected finite values, found inf or NaN in the output",
        )


def _fusion_path(settings: Settings) -> Path:
    """The person's file, or a name for a fusion of the package."""
    fusion = settings.fusion
    return fusion_path(fusion) if isinstance(fusion, FileFusion) else Path(fusion.kind)


def _fusion_name(settings: Settings) -> str:
    """The fusion's name in messages: its kind, or the user's file and class."""
    fusion = settings.fusion
    return fusion.file if isinstance(fusion, FileFusion) else fusion.kind
