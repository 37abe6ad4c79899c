"""Small .onnx files with the output of a YOLOX of three classes, and invalid variants."""

from __future__ import annotations

from typing import Any

import onnx_graphs
import torch
from torch import Tensor

from cliprpn.detectors.yolox import grid_cells

SIDE = 64
COLORS = ["blue", "green", "red"]
NUM_CELLS = 8 * 8 + 4 * 4 + 2 * 2
IMAGES: onnx_graphs.Shape = [1, 3, SIDE, SIDE]
OUTPUT: onnx_graphs.Shape = [1, NUM_CELLS, 5 + 3]


def no_detections() -> Tensor:
    """[N, 8]: a raw output of zeros."""
    return torch.zeros(NUM_CELLS, 8)


def cell_output(
    x: float,
    y: float,
    w: float,
    h: float,
    objectness: float,
    blue: float = 0,
    green: float = 0,
    red: float = 0,
) -> Tensor:
    """[8]: the raw output of one cell."""
    return torch.tensor([x, y, w, h, objectness, blue, green, red])


def constant_graph(raw: Tensor, **changes: Any) -> bytes:
    """A graph with the same output for every image.

    Args:
        raw: [N, C].
    """
    return graph(constant=onnx_graphs.constant("constant", raw[None]), **changes)


def graph(
    images: onnx_graphs.Shape = IMAGES,
    outputs: dict[str, onnx_graphs.Shape] | None = None,
    op: str = "Identity",
    domain: str = "",
    constant: bytes | None = None,
    dtype: torch.dtype = torch.float32,
) -> bytes:
    outputs = outputs or {"output": OUTPUT}
    constant = constant or onnx_graphs.constant("constant", no_detections()[None].to(dtype))
    nodes = [onnx_graphs.node(op, ["constant"], name, domain) for name in outputs]
    domains = (domain,) if domain else ()
    return onnx_graphs.model({"images": images}, outputs, nodes, [constant], dtype, domains)


def strongest_channel() -> bytes:
    """One box larger than the image, of the class of the strongest channel; its score is the channel's mean."""
    raw = torch.zeros(1, NUM_CELLS, 5)
    raw[0, 0] = torch.tensor([0.0, 0.0, 5.0, 5.0, 1.0])
    tensors = {
        "raw": raw,
        "unit": torch.tensor([1 / 255]),
        "row": torch.tensor([1, 1, 3]),
        "rows": torch.tensor([1, NUM_CELLS, 3]),
    }
    nodes = [
        onnx_graphs.node("GlobalAveragePool", ["images"], "mean"),
        onnx_graphs.node("Mul", ["mean", "unit"], "strength"),
        onnx_graphs.node("Reshape", ["strength", "row"], "one"),
        onnx_graphs.node("Expand", ["one", "rows"], "all"),
        onnx_graphs.node("Concat", ["raw", "all"], "output", axis=2),
    ]
    constants = [onnx_graphs.constant(name, tensor) for name, tensor in tensors.items()]
    return onnx_graphs.model({"images": ["batch", 3, SIDE, SIDE]}, {"output": OUTPUT}, nodes, constants)


def out_of_memory() -> bytes:
    """A graph that requests more memory than there is when it runs."""
    shape = onnx_graphs.constant("shape", torch.tensor([10**7, 10**7, 1, 8]))
    nodes = [
        onnx_graphs.node("GlobalAveragePool", ["images"], "mean"),
        onnx_graphs.node("ReduceMax", ["mean"], "one", keepdims=1),
        onnx_graphs.node("Expand", ["one", "shape"], "output"),
    ]
    return onnx_graphs.model({"images": IMAGES}, {"output": ["a", "b", "c", "d"]}, nodes, [shape])


def decoded_output() -> Tensor:
    """[N, 8]: the output of an export with decoding, centers and sizes in pixels."""
    cells = grid_cells(SIDE, SIDE)
    raw = no_detections()
    raw[:, :2] = (cells[:, :2] + 0.5) * cells[:, 2:]
    raw[:, 2:4] = 20
    return raw
