"""RefCOCOg-shaped training and extraction on an accelerator, on synthetic features: a markdown table on stdout.

`python -m bench.gpu [--device cuda] [--scale 1.0] [--epochs 2] [--out FILE]`, with python/, test/ and
test/python/ on the path; no Node, no network.
`--scale 0.003 --device cpu --epochs 1` shows in two minutes that it runs.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import open_clip
import pyarrow as pa
import torch
from PIL import Image
from prepared import write_pixels
from torch import Tensor

from bench.roofline import Peak, find_peak, step_flops
from cliprpn.contract.generated import Training
from cliprpn.data.index import DatasetIndex
from cliprpn.data.pixels import Pixels, open_pixels
from cliprpn.devices import peak_process_bytes, resolve_device
from cliprpn.features.frozen import FrozenFeatures
from cliprpn.features.image_features import extract_maps
from cliprpn.features.text_features import TextFeatures
from cliprpn.models import ClipRPN, RpnRules, SwitchedFusion
from cliprpn.models.backbone import ClipBackbone, rn50_config
from cliprpn.models.original import original_model
from cliprpn.run_context import RunContext
from cliprpn.seeding import seed_everything
from cliprpn.trials.training import TrainingData, train_model

# RefCOCOg (umd): its images, its training and val sentences, tokens of a sentence with both marks; CLIP RN50's sizes.
NUM_IMAGES, NUM_TRAIN, NUM_VAL, MEAN_TOKENS = 25_799, 80_512, 4_896, 10.5
MAP_CHANNELS, POOLED_DIM, WORD_DIM = 2048, 1024, 512
NUM_PICTURES = 4_096  # To extract from, at scale 1.
BATCH, SIZE_PX = 50, 224
PER_SHARD = 64_000_000 // (3 * SIZE_PX**2)


@dataclass(frozen=True)
class Result:
    """A row of the table."""

    what: str
    figures: dict[str, str]


def main(argv: list[str]) -> int:
    """Measures and prints. Returns 0."""
    args = _arguments(argv)
    device = resolve_device(args.device)
    seed_everything(0, torch.get_num_threads())  # As a trial does: deterministic algorithms cost something.
    peak = find_peak(device)
    results = list(_train(args, device, peak))
    results += _extract(args, device)
    text = _page(results, argv, device, peak)
    print(text)
    if args.out is not None:
        args.out.write_text(text + "\n")
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--scale", type=float, default=1.0, help="share of RefCOCOg's size")
    parser.add_argument("--epochs", type=int, default=2, help="the first one warms up")
    parser.add_argument("--out", type=Path, default=None)
    return parser.parse_args(argv)


def _train(args: argparse.Namespace, device: torch.device, peak: Peak) -> Iterator[Result]:
    """Both models' epochs, val included, through the function that trials use."""
    data, kept = synthetic_data(args.scale, device)
    models: dict[str, Callable[[], ClipRPN]] = {
        "the original's (cross_attention, no neck)": lambda: original_model(
            "cross_attention", MAP_CHANNELS, POOLED_DIM
        ),
        "default (token_attention, neck 256)": default_model,
    }
    for name, build in models.items():
        model = build().to(device)
        parameters = sum(each.numel() for each in model.parameters())
        flops = step_flops(model, data.features.batch(data.train_rows[:BATCH], device))
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        seconds = []
        epochs = train_model(model, data, _training(args.epochs), 0, _context(device))
        for epoch in epochs:
            seconds.append(epoch.duration_ms / 1000)
        num_steps = -(-len(data.train_rows) // BATCH)
        least = num_steps * peak.least_seconds(flops, parameters)
        epoch_s = min(seconds[1:] or seconds)
        yield Result(
            f"training, {name}, {parameters / 1e6:.1f} M parameters, {kept}",
            {
                "seconds an epoch": f"{epoch_s:.2f} ({epoch_s / num_steps * 1000:.2f} ms a step)",
                "share of the roofline": f"{least / epoch_s:.0%} ({flops / 1e9:.0f} GFLOP a step)",
                "peak memory": _peak_memory(device),
            },
        )
        del model, epochs


def _extract(args: argparse.Namespace, device: torch.device) -> list[Result]:
    """RN50 with random weights: the network alone, and from prepared images to the store on the disk."""
    backbone = random_rn50().to(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    block = 64 if device.type != "cpu" else 16
    pixels = torch.rand(block, 3, SIZE_PX, SIZE_PX, device=device)
    repeats = max(2, int(100 * args.scale))
    backbone.feature_map(pixels)
    _wait(device)
    started = time.perf_counter()
    for _ in range(repeats):
        backbone.feature_map(pixels)
    _wait(device)
    alone = repeats * block / (time.perf_counter() - started)

    with tempfile.TemporaryDirectory() as folder:
        count = max(32, int(NUM_PICTURES * args.scale))
        prepared = synthetic_images(Path(folder), count)
        started = time.perf_counter()
        extract_maps(
            Path(folder) / "maps",
            lambda start, end: (prepared.batch(np.arange(start, end)), {}),
            count,
            SIZE_PX,
            backbone,
            {},
            _context(device),
        )
        whole = count / (time.perf_counter() - started)
    memory = _peak_memory(device)
    what = "extraction, RN50 with random weights, float32 without TF32,"
    return [
        Result(
            f"{what} the network alone, {block} in a pass",
            {"images a second": f"{alone:.0f}", "peak memory": memory},
        ),
        Result(
            f"{what} prepared images to the store",
            {"images a second": f"{whole:.0f}", "peak memory": memory},
        ),
    ]


def _context(device: torch.device) -> RunContext:
    return RunContext(device, Path("unused"), lambda event: None, lambda: False)


def default_model() -> ClipRPN:
    """The default preset's model at RN50's sizes."""
    fusion = SwitchedFusion(
        256, POOLED_DIM, WORD_DIM, text="words", interaction="multiplicative", coordinates="on"
    )
    return ClipRPN(fusion, MAP_CHANNELS, 256, RpnRules(), scales_px=(96, 144, 208, 304, 448))


def random_rn50() -> ClipBackbone:
    """RN50 as open_clip initialises it."""
    config = rn50_config()
    state = open_clip.create_model("RN50-quickgelu", pretrained=None).state_dict()
    return ClipBackbone(config, state, "random")


def synthetic_data(scale: float, device: torch.device) -> tuple[TrainingData, str]:
    """Random features in RefCOCOg's numbers, on the device where they fit, and where they are."""
    random = np.random.default_rng(0)
    num_images = max(2, int(NUM_IMAGES * scale))
    num_train, num_val = max(BATCH, int(NUM_TRAIN * scale)), max(1, int(NUM_VAL * scale))
    num_sentences = num_train + num_val
    lengths = np.clip(random.poisson(MEAN_TOKENS - 4, num_sentences + 1) + 4, 4, 77).astype(np.int64)
    text = TextFeatures(
        {
            "pooled": _random_half((num_sentences + 1, POOLED_DIM)),
            "words": _random_half((int(lengths.sum()), WORD_DIM)),
            "lengths": lengths,
        }
    )
    on_device, where = _fits(num_images, device), "features in the machine's memory"
    shape = (num_images, MAP_CHANNELS, 7, 7)
    maps: np.ndarray | Tensor
    if on_device:
        maps, where = torch.empty(shape, dtype=torch.float16, device=device), "features on the device"
        for start in range(0, num_images, 256):
            part = maps[start : start + 256]
            part.copy_(torch.randn(part.shape, device=device).relu_())
        text.keep_on(device)
    else:
        maps = _random_half(shape)
    image_rows = random.integers(0, num_images, num_sentences)
    index = _index(num_images, image_rows, random)
    frames = torch.tensor([[SIZE_PX / 640, SIZE_PX / 480, 0, 0]], dtype=torch.float64).expand(num_images, 4)
    features = FrozenFeatures(maps, text, image_rows, frames, SIZE_PX, [])
    rows = np.arange(num_sentences)
    return TrainingData(index, features, rows[:num_train], rows[num_train:]), where


def synthetic_images(folder: Path, count: int) -> Pixels:
    """Prepared images of noise, smoothed, as many to a shard as the command line's."""
    random = np.random.default_rng(0)
    files = []
    for row in range(min(count, 64)):  # The same few again and again: reading them costs the same.
        noise = random.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        files.append(folder / f"{row}.png")
        Image.fromarray(noise).save(files[-1])
    again = [files[row % len(files)] for row in range(count)]
    names = [f"{row}.png" for row in range(count)]
    write_pixels(again, names, folder / "pixels", SIZE_PX, per_shard=PER_SHARD)
    return open_pixels(folder / "pixels")


def _index(num_images: int, image_rows: np.ndarray, random: np.random.Generator) -> DatasetIndex:
    """An index with what training reads of it."""
    images = pa.table(
        {
            "image_id": np.arange(num_images),
            "file_name": [f"{row}.jpg" for row in range(num_images)],
            "width": np.full(num_images, 640),
            "height": np.full(num_images, 480),
        }
    )
    corners = random.uniform(0, 300, (len(image_rows), 2))
    sizes = random.uniform(100, 180, (len(image_rows), 2))
    boxes = np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)
    none = pa.table({"split": []})
    return DatasetIndex("synthetic", Path("/none"), None, images, none, none, "xyxy", image_rows, boxes)


def _training(num_epochs: int) -> Training:
    return Training.model_validate(
        {
            "num_epochs": num_epochs,
            "batch_size": BATCH,
            "batch_by": "sentence",
            "optimizer": "adam",
            "learning_rate": 2.708e-4,
            "weight_decay": 0,
            "schedule": "constant",
            "warmup_fraction": 0,
            "grad_clip_norm": None,
            "amp": True,
            "select_by": "miou",
            "views": 0,
        }
    )


def _random_half(shape: tuple[int, ...]) -> np.ndarray:
    """A block of random numbers, repeated: what they are matters to nothing measured here."""
    block = torch.randn(min(shape[0], 512), *shape[1:]).relu_().half().numpy()
    return np.resize(block, shape)


def _fits(num_images: int, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return num_images * MAP_CHANNELS * 49 * 2 < free / 2  # As FrozenFeatures.keep_on decides.


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _peak_memory(device: torch.device) -> str:
    process = f"process {peak_process_bytes() / 2**30:.1f} GiB"
    if device.type != "cuda":
        return process
    return f"device {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB, {process}"


def _page(results: list[Result], argv: list[str], device: torch.device, peak: Peak) -> str:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "a CPU"
    columns = ["seconds an epoch", "share of the roofline", "images a second", "peak memory"]
    lines = [
        "# Figures by `npm run bench:gpu`",
        "",
        f"`python -m bench.gpu {' '.join(argv)}` on {name}, torch {torch.__version__}.",
        "",
        f"Synthetic features in RefCOCOg's numbers ({NUM_IMAGES:,} maps of {MAP_CHANNELS}x7x7 in float16, "
        f"{NUM_TRAIN:,} sentences to train on, {NUM_VAL:,} of val after each epoch, {MEAN_TOKENS} tokens each), "
        f"batches of {BATCH}, bfloat16 on CUDA. {peak.told()}",
        "",
        f"| what | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    lines += [
        f"| {row.what} | {' | '.join(row.figures.get(key, '') for key in columns)} |" for row in results
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
