"""Trains cliprpn-tiny contrastively on drawn scenes and writes weights, recipe and log.

First trains both towers together; then trains a new text tower with the image tower frozen (LiT, Zhai et al. 2022).
The new token embeddings have a large standard deviation, so that words that occur in no caption keep distinct
embeddings. (Measured: the distance of "above" and "below", relative to their norm, is 0.4 with a small deviation and
1.4 with this one.)

Three contrastive losses between images and texts: image with caption; object (the feature map inside its box, through
the value and output projections of the attention pool, as in MaskCLIP) with phrase; phrase with the cells of its image.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from cliprpn.memory import keep_freed_memory
from cliprpn.tiny.captions import describe, sample_phrase, true_phrases, write_caption, write_phrase
from cliprpn.tiny.losses import box_weights, multi_positive_contrast

MODEL_CFG: dict[str, Any] = {
    "embed_dim": 192,
    "quick_gelu": True,
    "vision_cfg": {"layers": [1, 1, 1, 1], "width": 16, "image_size": 224},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 48, "heads": 4, "layers": 2},
}
CLI = Path(__file__).parents[3] / "bin" / "cliprpn.js"
# Standard deviation of new token embeddings; open_clip uses 0.02.
TOKEN_STD = 1.5
MEAN, STD = (0.7, 0.7, 0.7), (0.25, 0.25, 0.25)


def main() -> None:
    """Trains both towers, then the text tower alone, and writes the files."""
    parser = argparse.ArgumentParser(prog="python -m cliprpn.tiny", description=__doc__)
    parser.add_argument(
        "--scenes", type=Path, default=Path("scenes"), help="folder of scenes; generated if missing"
    )
    parser.add_argument("--out", type=Path, default=Path("tiny"), help="folder for cliprpn-tiny.*")
    parser.add_argument("--num-epochs", type=int, default=7, help="epochs for both towers")
    parser.add_argument("--num-text-epochs", type=int, default=3, help="epochs for the text tower alone")
    parser.add_argument(
        "--pictures-of",
        dest="image_tower_of",
        type=Path,
        help="load a trained image tower from this .safetensors file",
    )
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    keep_freed_memory()
    torch.manual_seed(args.seed)
    if not args.scenes.exists():
        subprocess.run(["node", str(CLI), "scenes", "--out", str(args.scenes)], check=True)
    scenes = [json.loads(line) for line in (args.scenes / "scenes.jsonl").read_text().splitlines()]
    images = read_images(args.scenes / "images", [scene["file"] for scene in scenes])
    model = build()
    model.visual.to(memory_format=torch.channels_last)
    if args.image_tower_of is None:
        parameters = list(model.parameters())
        log = train(
            model, parameters, scenes, lambda rows: encode_images(model, images[rows]), args.num_epochs, args
        )
    else:
        log = load_image_tower(model, args.image_tower_of)
    reset_text_tower(model)
    image_embeddings, cells = encode_all_images(model, images)
    text_parameters = [
        parameter for name, parameter in model.named_parameters() if not name.startswith("visual.")
    ]
    text_log = train(
        model,
        text_parameters,
        scenes,
        lambda rows: (image_embeddings[rows].float(), cells[rows].float()),
        args.num_text_epochs,
        args,
    )
    write_files(model, args, len(scenes), log, text_log)


def build() -> CLIP:
    """A small version of the RN50 architecture, with random weights."""
    return CLIP(
        embed_dim=MODEL_CFG["embed_dim"],
        vision_cfg=CLIPVisionCfg(**MODEL_CFG["vision_cfg"]),
        text_cfg=CLIPTextCfg(**MODEL_CFG["text_cfg"]),
        quick_gelu=True,
    )


def reset_text_tower(model: CLIP) -> None:
    """Gives the text tower new random weights, with a large deviation of the token embeddings."""
    state = build().state_dict()
    model.load_state_dict({k: v for k, v in state.items() if not k.startswith("visual.")}, strict=False)
    torch.nn.init.normal_(model.token_embedding.weight, std=TOKEN_STD)


def load_image_tower(model: CLIP, weights: Path) -> list[dict[str, float]]:
    """Loads the image tower of earlier weights. Returns their training log."""
    state = {k: v.float() for k, v in load_file(weights).items() if k.startswith("visual.")}
    model.load_state_dict(state, strict=False)
    log: list[dict[str, float]] = json.loads(weights.with_suffix(".json").read_text())["log"]
    return log


@torch.no_grad()
def encode_all_images(model: CLIP, images: Tensor) -> tuple[Tensor, Tensor]:
    """The result of `encode_images` for all images, in float16."""
    model.eval()
    batches = [encode_images(model, batch) for batch in images.split(64)]
    embeddings = torch.cat([image_embeddings.half() for image_embeddings, _ in batches])
    return embeddings, torch.cat([cells.half() for _, cells in batches])


def read_images(folder: Path, files: list[str]) -> Tensor:
    """All images, resized without keeping the aspect ratio: [N, 3, 224, 224], uint8."""
    images = torch.empty(len(files), 3, 224, 224, dtype=torch.uint8)
    for row, file in enumerate(files):
        with Image.open(folder / file) as image:
            resized = image.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
            pixels = torch.frombuffer(bytearray(resized.tobytes()), dtype=torch.uint8)
        images[row] = pixels.view(224, 224, 3).permute(2, 0, 1)
    return images


def train(
    model: CLIP,
    parameters: list[torch.nn.Parameter],
    scenes: list[dict[str, Any]],
    encode_rows: Callable[[list[int]], tuple[Tensor, Tensor]],
    num_epochs: int,
    args: argparse.Namespace,
) -> list[dict[str, float]]:
    """Trains the parameters in place. Returns one log row per epoch.

    Args:
        encode_rows: returns the result of `encode_images` for the images of these rows.
    """
    optimizer = torch.optim.AdamW(parameters, lr=args.learning_rate, weight_decay=0.05)
    steps = num_epochs * (len(scenes) // args.batch_size)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=args.learning_rate, total_steps=steps, pct_start=0.1
    )
    rng = random.Random(args.seed)
    log: list[dict[str, float]] = []
    started = time.monotonic()
    for epoch in range(1, num_epochs + 1):
        model.train()
        order = list(range(len(scenes)))
        rng.shuffle(order)
        sums = torch.zeros(4)
        num_batches = len(order) // args.batch_size
        for batch in range(num_batches):
            rows = order[batch * args.batch_size : (batch + 1) * args.batch_size]
            losses = contrastive_losses(model, [scenes[row] for row in rows], *encode_rows(rows), rng)
            loss = losses[0] + losses[1] + 0.5 * losses[2]
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            scheduler.step()
            with torch.no_grad():
                model.logit_scale.clamp_(0, math.log(100))
            sums += torch.tensor([losses[0].item(), losses[1].item(), losses[2].item(), losses[3]])
        means = [round(value, 4) for value in (sums / num_batches).tolist()]
        values = dict(zip(("loss_image", "loss_object", "loss_cell", "object_acc"), means, strict=True))
        log.append({"epoch": epoch, **values, "minutes": round((time.monotonic() - started) / 60, 2)})
        print(json.dumps(log[-1]), flush=True)
    return log


def contrastive_losses(
    model: CLIP, scenes: list[dict[str, Any]], image_embeddings: Tensor, cells: Tensor, rng: random.Random
) -> tuple[Tensor, Tensor, Tensor, float]:
    """Image, object and cell loss, and the fraction of objects whose best phrase is true.

    Args:
        image_embeddings, cells: [B, E] and [B, 49, E], from `encode_images`.
    """
    descriptions = [[describe(item, s["width"], s["height"]) for item in s["objects"]] for s in scenes]
    objects = [item for group in descriptions for item in group]
    phrases = [sample_phrase(item, rng) for item in objects]
    caption_embeddings = encode_text(model, [write_caption(group, rng) for group in descriptions])
    phrase_embeddings = encode_text(model, [write_phrase(phrase, rng) for phrase in phrases])
    scale = model.logit_scale.exp()

    logits = scale * image_embeddings @ caption_embeddings.T
    same = torch.eye(len(scenes), dtype=torch.bool)
    image_loss = (multi_positive_contrast(logits, same) + multi_positive_contrast(logits.T, same)) / 2

    image_of_object = torch.tensor([row for row, group in enumerate(descriptions) for _ in group])
    boxes = torch.tensor([item["box_xyxy"] for s in scenes for item in s["objects"]]).float()
    sides = torch.tensor([[s["width"], s["height"]] * 2 for s in scenes]).float()[image_of_object]
    weights = box_weights(boxes / sides, 7)  # [N, 49]
    regions = torch.bmm(weights[:, None], cells[image_of_object]).squeeze(1)
    regions = functional.normalize(regions, dim=1)
    truth = true_phrases(phrases, objects)  # [N objects, N phrases]
    logits = scale * regions @ phrase_embeddings.T  # [N objects, N phrases]
    object_loss = multi_positive_contrast(logits, truth) + multi_positive_contrast(logits.T, truth.T)

    cell_logits = scale * torch.bmm(cells[image_of_object], phrase_embeddings[:, :, None]).squeeze(
        2
    )  # [N, 49]
    is_other_match = other_matches(image_of_object, weights, truth)
    inside = weights > 0.5 * weights.amax(dim=1, keepdim=True)
    cell_loss = multi_positive_contrast(cell_logits.masked_fill(is_other_match & ~inside, -1e4), inside)
    accuracy = truth[torch.arange(len(objects)), logits.argmax(dim=1)].float().mean().item()
    return image_loss, object_loss / 2, cell_loss, accuracy


def other_matches(image_of_object: Tensor, weights: Tensor, truth: Tensor) -> Tensor:
    """Cells of other objects in the image for which the phrase is true too: [N, 49], bool."""
    same_image = image_of_object[:, None] == image_of_object[None]  # [N phrases, N objects]
    matches = (truth.T & same_image).float()
    return (matches @ weights) > 0.2


def encode_text(model: CLIP, texts: list[str]) -> Tensor:
    """Embeddings of N texts: [N, E], L2-normalized.

    Computed up to the end of the longest text, which the causal mask makes exact.
    """
    tokens = open_clip.tokenize(texts)
    length = int((tokens != 0).sum(dim=1).max())
    tokens = tokens[:, :length]
    hidden = model.token_embedding(tokens) + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length])
    hidden = model.ln_final(hidden)
    pooled = hidden[torch.arange(len(texts)), tokens.argmax(dim=1)] @ model.text_projection
    return functional.normalize(pooled, dim=1)


def encode_images(model: CLIP, images: Tensor) -> tuple[Tensor, Tensor]:
    """[B, 3, 224, 224], uint8, to embeddings of images [B, E] and of their cells [B, 49, E], L2-normalized."""
    feature_map = compute_feature_map(model, images)
    image_embeddings = functional.normalize(model.visual.attnpool(feature_map), dim=1)
    return image_embeddings, functional.normalize(project_cells(model, feature_map), dim=2)


def compute_feature_map(model: CLIP, images: Tensor) -> Tensor:
    """[B, 3, 224, 224], uint8, to [B, C, 7, 7], before the attention pool."""
    visual = model.visual
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    hidden = ((images.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=model.training):
        hidden = visual.stem(hidden)
        for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            hidden = layer(hidden)
    return hidden.float()


def project_cells(model: CLIP, feature_map: Tensor) -> Tensor:
    """Applies the attention pool's value and output projections to each cell: [B, C, 7, 7] to [B, 49, E]."""
    pool = model.visual.attnpool
    return pool.c_proj(pool.v_proj(feature_map.flatten(2).transpose(1, 2)))


def write_files(
    model: CLIP,
    args: argparse.Namespace,
    num_scenes: int,
    log: list[dict[str, float]],
    text_log: list[dict[str, float]],
) -> None:
    """Writes `cliprpn-tiny.safetensors` (float16) and `cliprpn-tiny.json` (architecture, recipe, log)."""
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "cliprpn-tiny.safetensors"
    state = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    save_file(state, file)
    recipe = {
        "model_cfg": MODEL_CFG,
        "mean": MEAN,
        "std": STD,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "recipe": {
            "num_scenes": num_scenes,
            "num_epochs": len(log),
            "num_text_epochs": args.num_text_epochs,
            "batch_size": args.batch_size,
            "learning_rate": args.learning_rate,
            "seed": args.seed,
            "num_threads": torch.get_num_threads(),
            "torch": torch.__version__,
        },
        "log": log,
        "text_log": text_log,
    }
    (args.out / "cliprpn-tiny.json").write_text(json.dumps(recipe, indent=2) + "\n")


if __name__ == "__main__":
    main()
