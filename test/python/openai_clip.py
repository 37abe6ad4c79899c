"""A second implementation of CLIP with a ResNet: random checkpoints in OpenAI's layout, and their forward pass.

Independent of open_clip, so that tests can compare the two. After the paper (Radford et al. 2021, section 2.4) and
OpenAI's released `model.py`.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

State = dict[str, Tensor]
# Float32 through fifty convolutions or twelve blocks, with sums in another order. Values are around 0.03 in a
# sentence's vector (1024 values, length 1) and around 1 in a word's.
POOLED = {"rtol": 1e-4, "atol": 3e-6}
WORDS = {"rtol": 1e-4, "atol": 1e-4}
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


@dataclass(frozen=True)
class Layout:
    """Architecture sizes of a CLIP; RN50 by default."""

    layers: tuple[int, ...] = (3, 4, 6, 3)
    width: int = 64
    embed_dim: int = 1024
    text_width: int = 512
    text_layers: int = 12
    text_heads: int = 8
    vocab_size: int = 49408
    context_length: int = 77
    image_size: int = 224


def random_state(layout: Layout, seed: int = 0) -> State:
    """Random weights under OpenAI's names, including its three extra entries.

    Scaled so that activations neither vanish nor explode.
    """
    draw = torch.Generator().manual_seed(seed)
    state: State = {}

    def normal(name: str, *shape: int, std: float) -> None:
        state[name] = torch.randn(shape, generator=draw) * std

    def conv(name: str, out: int, into: int, size: int) -> None:
        normal(f"{name}.weight", out, into, size, size, std=math.sqrt(2 / (into * size * size)))

    def norm(name: str, size: int) -> None:
        state[f"{name}.weight"] = 0.5 + torch.rand(size, generator=draw)
        normal(f"{name}.bias", size, std=0.2)

    def batch_norm(name: str, size: int) -> None:
        norm(name, size)
        normal(f"{name}.running_mean", size, std=0.2)
        state[f"{name}.running_var"] = 0.5 + torch.rand(size, generator=draw)
        state[f"{name}.num_batches_tracked"] = torch.tensor(1000)

    half = layout.width // 2
    for number, (out, into) in enumerate([(half, 3), (half, half), (layout.width, half)], start=1):
        conv(f"visual.conv{number}", out, into, 3)
        batch_norm(f"visual.bn{number}", out)
    into = layout.width
    for stage, count in enumerate(layout.layers, start=1):
        planes = layout.width * 2 ** (stage - 1)
        for block in range(count):
            name = f"visual.layer{stage}.{block}"
            for number, (out, inner, size) in enumerate(
                [(planes, into, 1), (planes, planes, 3), (4 * planes, planes, 1)], start=1
            ):
                conv(f"{name}.conv{number}", out, inner, size)
                batch_norm(f"{name}.bn{number}", out)
            state[f"{name}.bn3.weight"] *= 0.25  # Keeps the activations of sixteen blocks bounded.
            if block == 0:
                conv(f"{name}.downsample.0", 4 * planes, into, 1)
                batch_norm(f"{name}.downsample.1", 4 * planes)
            into = 4 * planes
    cells = (layout.image_size // 32) ** 2
    normal("visual.attnpool.positional_embedding", cells + 1, into, std=into**-0.5)
    for name, out in (("q", into), ("k", into), ("v", into), ("c", layout.embed_dim)):
        normal(f"visual.attnpool.{name}_proj.weight", out, into, std=into**-0.5)
        normal(f"visual.attnpool.{name}_proj.bias", out, std=0.1)

    width = layout.text_width
    normal("token_embedding.weight", layout.vocab_size, width, std=0.5)
    normal("positional_embedding", layout.context_length, width, std=0.3)
    for layer in range(layout.text_layers):
        name = f"transformer.resblocks.{layer}"
        norm(f"{name}.ln_1", width)
        norm(f"{name}.ln_2", width)
        for part, out, inner in (
            ("attn.in_proj_", 3 * width, width),
            ("attn.out_proj.", width, width),
            ("mlp.c_fc.", 4 * width, width),
            ("mlp.c_proj.", width, 4 * width),
        ):
            normal(f"{name}.{part}weight", out, inner, std=1.5 * inner**-0.5)
            normal(f"{name}.{part}bias", out, std=0.2)
    norm("ln_final", width)
    normal("text_projection", width, layout.embed_dim, std=width**-0.5)
    state["logit_scale"] = torch.tensor(4.6)
    extra = {
        "input_resolution": layout.image_size,
        "context_length": layout.context_length,
        "vocab_size": layout.vocab_size,
    }
    return state | {name: torch.tensor(value) for name, value in extra.items()}


def as_half(state: State) -> State:
    """Weights in float16, as released by OpenAI."""
    return {key: value.half() if value.is_floating_point() else value for key, value in state.items()}


def save_torchscript(state: State, path: Path) -> str:
    """Writes a TorchScript archive with these names, as OpenAI's is one. Returns its SHA-256."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit")
        torch.jit.save(torch.jit.script(_Script(state)), path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


class _Script(nn.Module):
    def __init__(self, state: State) -> None:
        super().__init__()
        for name, value in state.items():
            *path, last = name.split(".")
            parent: nn.Module = self
            for part in path:
                if not hasattr(parent, part):
                    parent.add_module(part, nn.Module())
                parent = getattr(parent, part)
            parent.register_buffer(last, value)

    def forward(self, values: Tensor) -> Tensor:
        return values


def image_map(state: State, pixels: Tensor) -> Tensor:
    """Maps [B, 3, H, W] in [0, 1] to the last stage's feature map [B, C, H / 32, W / 32]."""

    def conv(name: str, hidden: Tensor, padding: int = 0, stride: int = 1) -> Tensor:
        return functional.conv2d(hidden, state[f"{name}.weight"], padding=padding, stride=stride)

    def norm(name: str, hidden: Tensor) -> Tensor:
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        scale = state[f"{name}.weight"] / torch.sqrt(var + 1e-5)
        return (hidden - mean.view(-1, 1, 1)) * scale.view(-1, 1, 1) + state[f"{name}.bias"].view(-1, 1, 1)

    hidden = (pixels - MEAN) / STD
    for number, stride in ((1, 2), (2, 1), (3, 1)):
        convolved = conv(f"visual.conv{number}", hidden, padding=1, stride=stride)
        hidden = torch.relu(norm(f"visual.bn{number}", convolved))
    hidden = functional.avg_pool2d(hidden, 2)
    for stage in range(1, 5):
        block = 0
        while f"visual.layer{stage}.{block}.conv1.weight" in state:
            name = f"visual.layer{stage}.{block}"
            shrink = 2 if stage > 1 and block == 0 else 1
            inner = torch.relu(norm(f"{name}.bn1", conv(f"{name}.conv1", hidden)))
            inner = torch.relu(norm(f"{name}.bn2", conv(f"{name}.conv2", inner, padding=1)))
            inner = norm(f"{name}.bn3", conv(f"{name}.conv3", functional.avg_pool2d(inner, shrink)))
            if block == 0:
                hidden = functional.avg_pool2d(hidden, shrink)
                hidden = norm(f"{name}.downsample.1", conv(f"{name}.downsample.0", hidden))
            hidden = torch.relu(inner + hidden)
            block += 1
    return hidden


def pooled_image(state: State, feature_map: Tensor, num_heads: int) -> Tensor:
    """Maps the feature map of 224 px to image embeddings [B, D], not normalized: attention whose query is the mean."""
    cells = feature_map.flatten(2).transpose(1, 2)  # [B, h * w, C]
    tokens = torch.cat([cells.mean(dim=1, keepdim=True), cells], dim=1)
    tokens = tokens + state["visual.attnpool.positional_embedding"]

    def project(name: str, hidden: Tensor) -> Tensor:
        prefix = f"visual.attnpool.{name}_proj"
        return hidden @ state[f"{prefix}.weight"].T + state[f"{prefix}.bias"]

    query = project("q", tokens[:, :1]).unflatten(-1, (num_heads, -1)).transpose(1, 2)
    key, value = (project(name, tokens).unflatten(-1, (num_heads, -1)).transpose(1, 2) for name in "kv")
    weights = (query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])).softmax(
        dim=-1
    )  # [B, heads, 1, 1 + h * w]
    return project("c", (weights @ value).transpose(1, 2).flatten(2)[:, 0])


def quick_gelu(values: Tensor) -> Tensor:
    return values * torch.sigmoid(1.702 * values)


def text_outputs(
    state: State, tokens: Tensor, num_heads: int, activation: Callable[[Tensor], Tensor] = quick_gelu
) -> tuple[Tensor, Tensor]:
    """Maps tokens [B, L] to sentence embeddings [B, D], not normalized, and token embeddings [B, L, W]."""

    def linear(name: str, hidden: Tensor) -> Tensor:
        joint = "_" if name.endswith("in_proj") else "."
        return hidden @ state[f"{name}{joint}weight"].T + state[f"{name}{joint}bias"]

    def norm(name: str, hidden: Tensor) -> Tensor:
        centered = hidden - hidden.mean(dim=-1, keepdim=True)
        std = (centered.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()
        return centered / std * state[f"{name}.weight"] + state[f"{name}.bias"]

    positions = state["positional_embedding"][: tokens.shape[1]]
    hidden = state["token_embedding.weight"][tokens] + positions  # [B, L, W]
    length = tokens.shape[1]
    future = torch.ones(length, length, dtype=torch.bool).triu(1)
    layer = 0
    while f"transformer.resblocks.{layer}.ln_1.weight" in state:
        name = f"transformer.resblocks.{layer}"
        parts = linear(f"{name}.attn.in_proj", norm(f"{name}.ln_1", hidden)).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (num_heads, -1)).transpose(1, 2) for part in parts)
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])  # [B, heads, L, L]
        attended = scores.masked_fill(future, float("-inf")).softmax(dim=-1) @ value
        hidden = hidden + linear(f"{name}.attn.out_proj", attended.transpose(1, 2).flatten(2))
        expanded = activation(linear(f"{name}.mlp.c_fc", norm(f"{name}.ln_2", hidden)))
        hidden = hidden + linear(f"{name}.mlp.c_proj", expanded)
        layer += 1
    words = norm("ln_final", hidden)
    return words[torch.arange(len(tokens)), tokens.argmax(dim=1)] @ state["text_projection"], words
