"""Small .onnx files with outputs and metadata as published exporters of YOLOs write them."""

from __future__ import annotations

from pathlib import Path

import onnx_graphs
import torch
from torch import Tensor

SIDE = 64
NUM_CELLS = 8 * 8 + 4 * 4 + 2 * 2
# What ultralytics writes into every export.
ULTRALYTICS = {
    "description": "Ultralytics YOLOv8n model trained on pets.yaml",
    "task": "detect",
    "names": "{0: 'cat', 1: 'dog'}",
    "stride": "32",
    "imgsz": "[64, 64]",
}


def write_export(
    path: Path,
    output: Tensor,
    metadata: dict[str, str],
    images: onnx_graphs.Shape | None = None,
    more: dict[str, onnx_graphs.Shape] | None = None,
    inputs: dict[str, onnx_graphs.Shape] | None = None,
    name: str = "output0",
) -> Path:
    """A graph with the same output for every image, in the precision of `output`.

    Args:
        images: shape of the input.
        more: further outputs, all zeros.
        inputs: further inputs, which the graph does not use.
        name: of the output.
    """
    dtype, more = output.dtype, more or {}
    zeros = {f"zeros of {each}": torch.zeros([int(side) for side in shape]) for each, shape in more.items()}
    constants = {"none": torch.zeros(1, dtype=dtype), "values": output} | zeros
    nodes = [
        onnx_graphs.node("ReduceMax", ["images"], "max", keepdims=0),
        onnx_graphs.node("Mul", ["max", "none"], "zero"),
        onnx_graphs.node("Add", ["zero", "values"], name),
        *(onnx_graphs.node("Identity", [f"zeros of {each}"], each) for each in more),
    ]
    content = onnx_graphs.model(
        {"images": images or [1, 3, SIDE, SIDE], **(inputs or {})},
        {name: list(output.shape), **more},
        nodes,
        [onnx_graphs.constant(each, tensor) for each, tensor in constants.items()],
        dtype,
    )
    path.write_bytes(content + metadata_props(metadata))
    return path


def write_channel_means(path: Path, batch_size: int | str) -> Path:
    """For each image one box, cxcywh 32, 32, 16, 8, of the class of the strongest channel; its score is the mean."""
    num_images = batch_size if isinstance(batch_size, int) else 1
    boxes = torch.tensor([32.0, 32, 16, 8])[:, None].expand(num_images, 4, NUM_CELLS)
    tensors = {
        "boxes": boxes,
        "row": torch.tensor([num_images, 3, 1]),
        "rows": torch.tensor([num_images, 3, NUM_CELLS]),
    }
    nodes = [
        onnx_graphs.node("GlobalAveragePool", ["images"], "mean"),
        onnx_graphs.node("Reshape", ["mean", "row"], "one"),
        onnx_graphs.node("Expand", ["one", "rows"], "all"),
        onnx_graphs.node("Concat", ["boxes", "all"], "output0", axis=1),
    ]
    content = onnx_graphs.model(
        {"images": [batch_size, 3, SIDE, SIDE]},
        {"output0": [batch_size, 7, NUM_CELLS]},
        nodes,
        [onnx_graphs.constant(name, tensor) for name, tensor in tensors.items()],
    )
    metadata = ULTRALYTICS | {"names": "{0: 'red', 1: 'green', 2: 'blue'}"}
    path.write_bytes(content + metadata_props(metadata))
    return path


def metadata_props(metadata: dict[str, str]) -> bytes:
    entries = [
        onnx_graphs.field(1, key.encode()) + onnx_graphs.field(2, value.encode())
        for key, value in metadata.items()
    ]
    return b"".join(onnx_graphs.field(14, entry) for entry in entries)


def cells_output(scores: list[float]) -> Tensor:
    """[1, 4 + C, N]: one box in the layout of ultralytics, cxcywh 32, 16, 24, 8."""
    output = torch.zeros(1, 4 + len(scores), NUM_CELLS)
    output[0, :, 5] = torch.tensor([32.0, 16, 24, 8, *scores])
    return output


def anchors_output(objectness: float, scores: list[float]) -> Tensor:
    """[1, 3 N, 5 + C]: the same box in the layout of the yolov5 and yolov7 repositories."""
    output = torch.zeros(1, 3 * NUM_CELLS, 5 + len(scores))
    output[0, 7] = torch.tensor([32.0, 16, 24, 8, objectness, *scores])
    return output


def final_output(score: float, label: int) -> Tensor:
    """[1, 300, 6]: the same box after NMS."""
    output = torch.zeros(1, 300, 6)
    output[0, 0] = torch.tensor([20.0, 12, 44, 20, score, label])
    return output
