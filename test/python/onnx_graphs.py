"""Writes small .onnx files byte by byte, as the test environment does not have the package onnx."""

from __future__ import annotations

import math

import torch
from torch import Tensor

ONNX_TYPES = {torch.float32: 1, torch.int64: 7, torch.float16: 10}
Shape = list[int | str]


def model(
    inputs: dict[str, Shape],
    outputs: dict[str, Shape],
    nodes: list[bytes],
    constants: list[bytes],
    dtype: torch.dtype = torch.float32,
    domains: tuple[str, ...] = (),
) -> bytes:
    """A serialized ModelProto whose inputs and outputs have one dtype."""
    graph = b"".join(field(1, content) for content in nodes) + field(2, b"made")
    graph += b"".join(field(5, content) for content in constants)
    graph += b"".join(field(11, _value(name, shape, dtype)) for name, shape in inputs.items())
    graph += b"".join(field(12, _value(name, shape, dtype)) for name, shape in outputs.items())
    opsets = b"".join(field(8, field(1, name.encode()) + number(2, 1)) for name in domains)
    return number(1, 8) + field(7, graph) + field(8, number(2, 13)) + opsets


def node(op: str, inputs: list[str], output: str, domain: str = "", **ints: int) -> bytes:
    attributes = [field(1, k.encode()) + number(3, v) + number(20, 2) for k, v in ints.items()]
    return (
        b"".join(field(1, name.encode()) for name in inputs)
        + field(2, output.encode())
        + field(4, op.encode())
        + b"".join(field(5, attribute) for attribute in attributes)
        + field(7, domain.encode())
    )


def constant(name: str, tensor: Tensor) -> bytes:
    data = tensor.contiguous().numpy().tobytes()
    return _tensor_head(name, tensor.shape, tensor.dtype) + field(9, data)


def external_constant(name: str, shape: list[int], location: str) -> bytes:
    """A constant with its values in another file."""
    entries = {"location": location, "offset": "0", "length": str(4 * math.prod(shape))}
    pairs = [field(1, key.encode()) + field(2, value.encode()) for key, value in entries.items()]
    head = _tensor_head(name, torch.Size(shape), torch.float32)
    return head + b"".join(field(13, pair) for pair in pairs) + number(14, 1)


def field(tag: int, data: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(data)) + data


def number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _tensor_head(name: str, shape: torch.Size, dtype: torch.dtype) -> bytes:
    dims = b"".join(number(1, side) for side in shape)
    return dims + number(2, ONNX_TYPES[dtype]) + field(8, name.encode())


def _value(name: str, shape: Shape, dtype: torch.dtype) -> bytes:
    sides = [number(1, side) if isinstance(side, int) else field(2, side.encode()) for side in shape]
    dims = field(2, b"".join(field(1, side) for side in sides))
    return field(1, name.encode()) + field(2, field(1, number(1, ONNX_TYPES[dtype]) + dims))


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 127
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)
