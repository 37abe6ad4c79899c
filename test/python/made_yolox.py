"""Small .onnx files that say what YOLOX would, of three classes, and some that no YOLOX would."""

from __future__ import annotations

from typing import Any

import made_onnx
import torch
from torch import Tensor

from cliprpn.detectors.yolox import grid_cells

SIDE = 64
COLOURS = ["blue", "green", "red"]
NUM_CELLS = 8 * 8 + 4 * 4 + 2 * 2
IMAGES: made_onnx.Shape = [1, 3, SIDE, SIDE]
OUTPUT: made_onnx.Shape = [1, NUM_CELLS, 5 + 3]


def silence() -> Tensor:
    """[N, 8]: nothing anywhere."""
    return torch.zeros(NUM_CELLS, 8)


def row(
    x: float,
    y: float,
    w: float,
    h: float,
    objectness: float,
    blue: float = 0,
    green: float = 0,
    red: float = 0,
) -> Tensor:
    """What a cell says."""
    return torch.tensor([x, y, w, h, objectness, blue, green, red])


def says(raw: Tensor, **changes: Any) -> bytes:
    """A graph that says the same of every image.

    Args:
        raw: [N, C].
    """
    return graph(constant=made_onnx.constant("made", raw[None]), **changes)


def graph(
    images: made_onnx.Shape = IMAGES,
    outputs: dict[str, made_onnx.Shape] | None = None,
    op: str = "Identity",
    domain: str = "",
    constant: bytes | None = None,
    dtype: torch.dtype = torch.float32,
) -> bytes:
    outputs = outputs or {"output": OUTPUT}
    constant = constant or made_onnx.constant("made", silence()[None].to(dtype))
    nodes = [made_onnx.node(op, ["made"], name, domain) for name in outputs]
    domains = (domain,) if domain else ()
    return made_onnx.model({"images": images}, outputs, nodes, [constant], dtype, domains)


def strongest_channel() -> bytes:
    """One box, larger than all, of the class of the strongest channel; its score is the channel's mean."""
    raw = torch.zeros(1, NUM_CELLS, 5)
    raw[0, 0] = torch.tensor([0.0, 0.0, 5.0, 5.0, 1.0])
    constants = {
        "raw": raw,
        "unit": torch.tensor([1 / 255]),
        "row": torch.tensor([1, 1, 3]),
        "rows": torch.tensor([1, NUM_CELLS, 3]),
    }
    nodes = [
        made_onnx.node("GlobalAveragePool", ["images"], "mean"),
        made_onnx.node("Mul", ["mean", "unit"], "strength"),
        made_onnx.node("Reshape", ["strength", "row"], "one"),
        made_onnx.node("Expand", ["one", "rows"], "all"),
        made_onnx.node("Concat", ["raw", "all"], "output", axis=2),
    ]
    made = [made_onnx.constant(name, tensor) for name, tensor in constants.items()]
    return made_onnx.model({"images": ["batch", 3, SIDE, SIDE]}, {"output": OUTPUT}, nodes, made)


def asks_for_too_much() -> bytes:
    """More memory than there is, as soon as it runs."""
    shape = made_onnx.constant("shape", torch.tensor([10**7, 10**7, 1, 8]))
    nodes = [
        made_onnx.node("GlobalAveragePool", ["images"], "mean"),
        made_onnx.node("ReduceMax", ["mean"], "one", keepdims=1),
        made_onnx.node("Expand", ["one", "shape"], "output"),
    ]
    return made_onnx.model({"images": IMAGES}, {"output": ["a", "b", "c", "d"]}, nodes, [shape])


def decoded() -> Tensor:
    """[N, 8], as an export with decoding has it: centres and sides in pixels."""
    cells = grid_cells(SIDE, SIDE)
    raw = silence()
    raw[:, :2] = (cells[:, :2] + 0.5) * cells[:, 2:]
    raw[:, 2:4] = 20
    return raw
