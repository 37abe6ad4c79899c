"""Training and extraction at the size of RefCOCOg on a GPU, with synthetic features. Prints a markdown table.

`python -m bench.gpu [--device cuda] [--scale 1.0] [--epochs 2] [--out FILE]`, with python/, test/ and
test/python/ on the path. Needs neither Node nor a network.
`--scale 0.003 --device cpu --epochs 1` is a smoke test of two minutes.
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
from cliprpn.arithmetic import use_deterministic
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
from cliprpn.trials.step_data import TrainingData
from cliprpn.trials.training import train_model

# RefCOCOg (umd): images, sentences of train and val, tokens per sentence including start and end; sizes of CLIP RN50.
NUM_IMAGES, NUM_TRAIN, NUM_VAL, MEAN_TOKENS = 25_799, 80_512, 4_896, 10.5
MAP_CHANNELS, POOLED_DIM, WORD_DIM = 2048, 1024, 512
NUM_EXTRACTED = 4_096  # Images to extract features from, at scale 1.
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
    seed_everything(0, torch.get_num_threads())
    use_deterministic(True, device)  # As in a trial: deterministic algorithms are slower.
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
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of RefCOCOg's size")
    parser.add_argument("--epochs", type=int, default=2, help="the first epoch is a warm-up")
    parser.add_argument("--out", type=Path, default=None)
    return parser.parse_args(argv)


def _train(args: argparse.Namespace, device: torch.device, peak: Peak) -> Iterator[Result]:
    """Epochs of both models, including val, with the function that trials call."""
    data, where = synthetic_data(args.scale, device)
    models: dict[str, Callable[[], ClipRPN]] = {
        "ClipRPN (Trento) (cross_attention, no neck)": lambda: original_model(
            "cross_attention", MAP_CHANNELS, POOLED_DIM
        ),
        "default (token_attention, neck 256)": default_model,
    }
    for name, build in models.items():
        model = build().to(device)
        parameters = sum(parameter.numel() for parameter in model.parameters())
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
            f"training, {name}, {parameters / 1e6:.1f} M parameters, {where}",
            {
                "seconds per epoch": f"{epoch_s:.2f} ({epoch_s / num_steps * 1000:.2f} ms per step)",
                "share of the roofline": f"{least / epoch_s:.0%} ({flops / 1e9:.0f} GFLOP per step)",
                "peak memory": _peak_memory(device),
            },
        )
        del model, epochs


def _extract(args: argparse.Namespace, device: torch.device) -> list[Result]:
    """RN50 with random weights: the network alone, and from prepared images to the files on disk."""
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
        count = max(32, int(NUM_EXTRACTED * args.scale))
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
            f"{what} the network alone, {block} per pass",
            {"images per second": f"{alone:.0f}", "peak memory": memory},
        ),
        Result(
            f"{what} prepared images to the store",
            {"images per second": f"{whole:.0f}", "peak memory": memory},
        ),
    ]


def _context(device: torch.device) -> RunContext:
    return RunContext(device, Path("unused"), lambda event: None, lambda: False)


def default_model() -> ClipRPN:
    """The model of the default preset with the sizes of RN50."""
    fusion = SwitchedFusion(
        256, POOLED_DIM, WORD_DIM, text="words", interaction="multiplicative", coordinates="on"
    )
    return ClipRPN(fusion, MAP_CHANNELS, 256, RpnRules(), scales_px=(96, 144, 208, 304, 448))


def random_rn50() -> ClipBackbone:
    """RN50 as initialized by open_clip."""
    config = rn50_config()
    state = open_clip.create_model("RN50-quickgelu", pretrained=None).state_dict()
    return ClipBackbone(config, state, "random")


def synthetic_data(scale: float, device: torch.device) -> tuple[TrainingData, str]:
    """Random features of RefCOCOg's size, on the device if they fit. Also returns where they are, as text."""
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
        text.move_to(device)
    else:
        maps = _random_half(shape)
    image_rows = random.integers(0, num_images, num_sentences)
    index = _index(num_images, image_rows, random)
    frames = torch.tensor([[SIZE_PX / 640, SIZE_PX / 480, 0, 0]], dtype=torch.float64).expand(num_images, 4)
    features = FrozenFeatures(maps, text, image_rows, frames, SIZE_PX, [])
    rows = np.arange(num_sentences)
    return TrainingData(index, features, rows[:num_train], rows[num_train:]), where


def synthetic_images(folder: Path, count: int) -> Pixels:
    """Prepared images of noise, with as many images per shard as the command line writes."""
    random = np.random.default_rng(0)
    files = []
    for row in range(min(count, 64)):  # The same 64 files repeated: reading them costs the same.
        noise = random.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        files.append(folder / f"{row}.png")
        Image.fromarray(noise).save(files[-1])
    again = [files[row % len(files)] for row in range(count)]
    names = [f"{row}.png" for row in range(count)]
    write_pixels(again, names, folder / "pixels", SIZE_PX, per_shard=PER_SHARD)
    return open_pixels(folder / "pixels")


def _index(num_images: int, image_rows: np.ndarray, random: np.random.Generator) -> DatasetIndex:
    """An index with the columns that training reads."""
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
            "precision": "auto",
            "deterministic": True,
            "select_by": "miou",
            "views": 0,
        }
    )


def _random_half(shape: tuple[int, ...]) -> np.ndarray:
    """A repeated block of random numbers; their values do not affect the measurements."""
    block = torch.randn(min(shape[0], 512), *shape[1:]).relu_().half().numpy()
    return np.resize(block, shape)


def _fits(num_images: int, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return num_images * MAP_CHANNELS * 49 * 2 < free / 2  # The rule of FrozenFeatures.move_to.


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
    columns = ["seconds per epoch", "share of the roofline", "images per second", "peak memory"]
    lines = [
        "# Results of `npm run bench:gpu`",
        "",
        f"`python -m bench.gpu {' '.join(argv)}` on {name}, torch {torch.__version__}.",
        "",
        f"Synthetic features of RefCOCOg's size ({NUM_IMAGES:,} maps of {MAP_CHANNELS}x7x7 in float16, "
        f"{NUM_TRAIN:,} training sentences, {NUM_VAL:,} val sentences after each epoch, {MEAN_TOKENS} tokens each), "
        f"batches of {BATCH}, bfloat16 on CUDA. {peak.describe()}",
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
