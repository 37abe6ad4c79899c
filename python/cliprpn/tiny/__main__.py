"""Trains cliprpn-tiny contrastively on drawn scenes and writes weights, recipe and log.

First both towers together; then the text tower anew against the locked image tower (LiT, Zhai et al. 2022), from
wide token embeddings: a word that no caption holds keeps a vector of its own, where a narrow start drowns it in the
sentence (measured: "above" and "below" 0.4 of a vector's length apart from a narrow start, 1.4 from a wide one).

Three contrasts, all between images and caption-like texts: whole image with caption, object (the
map under its box, through the attention pool's value and output projections, as MaskCLIP does) with
phrase, and phrase with the cells of its own image.
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
from cliprpn.tiny.captions import Phrase, caption, describe, say, some_of, which_are_true
from cliprpn.tiny.losses import box_weights, multi_positive_contrast

MODEL_CFG: dict[str, Any] = {
    "embed_dim": 192,
    "quick_gelu": True,
    "vision_cfg": {"layers": [1, 1, 1, 1], "width": 16, "image_size": 224},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 48, "heads": 4, "layers": 2},
}
CLI = Path(__file__).parents[3] / "bin" / "cliprpn.js"
# Standard deviation of new token embeddings; open_clip's own start is 0.02.
TOKEN_STD = 1.5
MEAN, STD = (0.7, 0.7, 0.7), (0.25, 0.25, 0.25)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cliprpn.tiny", description=__doc__)
    parser.add_argument("--scenes", type=Path, default=Path("scenes"), help="drawn there when it is absent")
    parser.add_argument("--out", type=Path, default=Path("tiny"), help="folder for cliprpn-tiny.*")
    parser.add_argument("--num-epochs", type=int, default=7, help="of both towers")
    parser.add_argument("--num-text-epochs", type=int, default=3, help="of the text tower alone")
    parser.add_argument(
        "--pictures-of", type=Path, help="take a finished image tower from this .safetensors file"
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
    if args.images_of is None:
        both = list(model.parameters())
        log = train(model, both, scenes, lambda rows: look(model, images[rows]), args.num_epochs, args)
    else:
        log = read_pictures(model, args.images_of)
    renew_text(model)
    whole, cells = look_once(model, images)
    text = [p for name, p in model.named_parameters() if not name.startswith("visual.")]
    text_log = train(
        model,
        text,
        scenes,
        lambda rows: (whole[rows].float(), cells[rows].float()),
        args.num_text_epochs,
        args,
    )
    write(model, args, len(scenes), log, text_log)


def build() -> CLIP:
    """The architecture of RN50 in small, with random weights."""
    return CLIP(
        embed_dim=MODEL_CFG["embed_dim"],
        vision_cfg=CLIPVisionCfg(**MODEL_CFG["vision_cfg"]),
        text_cfg=CLIPTextCfg(**MODEL_CFG["text_cfg"]),
        quick_gelu=True,
    )


def renew_text(model: CLIP) -> None:
    """A text tower with new weights, its token embeddings wide."""
    fresh = build()
    state = fresh.state_dict()
    model.load_state_dict({k: v for k, v in state.items() if not k.startswith("visual.")}, strict=False)
    torch.nn.init.normal_(model.token_embedding.weight, std=TOKEN_STD)


def read_pictures(model: CLIP, weights: Path) -> list[dict[str, float]]:
    """Loads the image tower of earlier weights. Returns the log beside them."""
    pictures = {k: v.float() for k, v in load_file(weights).items() if k.startswith("visual.")}
    model.load_state_dict(pictures, strict=False)
    log: list[dict[str, float]] = json.loads(weights.with_suffix(".json").read_text())["log"]
    return log


@torch.no_grad()
def look_once(model: CLIP, images: Tensor) -> tuple[Tensor, Tensor]:
    """What the finished image tower sees in all images, as `look` gives it, in float16."""
    model.eval()
    parts = [look(model, some) for some in images.split(64)]
    return torch.cat([whole.half() for whole, _ in parts]), torch.cat([cells.half() for _, cells in parts])


def read_images(folder: Path, files: list[str]) -> Tensor:
    """All images, squashed: [N, 3, 224, 224], uint8."""
    images = torch.empty(len(files), 3, 224, 224, dtype=torch.uint8)
    for row, file in enumerate(files):
        with Image.open(folder / file) as image:
            small = image.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
            pixels = torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8)
        images[row] = pixels.view(224, 224, 3).permute(2, 0, 1)
    return images


def train(
    model: CLIP,
    parameters: list[torch.nn.Parameter],
    scenes: list[dict[str, Any]],
    look_at: Callable[[list[int]], tuple[Tensor, Tensor]],
    num_epochs: int,
    args: argparse.Namespace,
) -> list[dict[str, float]]:
    """Trains the parameters in place. Returns a row an epoch.

    Args:
        look_at: what `look` gives for the images of these rows.
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
            losses = contrasts(model, [scenes[row] for row in rows], *look_at(rows), rng)
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
        row = dict(zip(("loss_image", "loss_object", "loss_cell", "object_acc"), means, strict=True))
        log.append({"epoch": epoch, **row, "minutes": round((time.monotonic() - started) / 60, 2)})
        print(json.dumps(log[-1]), flush=True)
    return log


def contrasts(
    model: CLIP, scenes: list[dict[str, Any]], whole: Tensor, cells: Tensor, rng: random.Random
) -> tuple[Tensor, Tensor, Tensor, float]:
    """Image, object and cell contrast, and how often an object's best phrase is true of it.

    Args:
        whole: [B, E], and cells [B, 49, E], from `look`.
    """
    full = [[describe(item, s["width"], s["height"]) for item in s["objects"]] for s in scenes]
    objects = [item for group in full for item in group]
    phrases = [some_of(item, rng) for item in objects]
    captions = encode_text(model, [caption(group, rng) for group in full])
    said = encode_text(model, [say(phrase, rng) for phrase in phrases])
    scale = model.logit_scale.exp()

    logits = scale * whole @ captions.T
    same = torch.eye(len(scenes), dtype=torch.bool)
    picture = (multi_positive_contrast(logits, same) + multi_positive_contrast(logits.T, same)) / 2

    owner = torch.tensor([row for row, group in enumerate(full) for _ in group])
    boxes = torch.tensor([item["box_xyxy"] for s in scenes for item in s["objects"]]).float()
    sides = torch.tensor([[s["width"], s["height"]] * 2 for s in scenes]).float()[owner]
    weights = box_weights(boxes / sides, 7)  # [N, 49]
    regions = torch.bmm(weights[:, None], cells[owner]).squeeze(1)
    regions = functional.normalize(regions, dim=1)
    truth = which_are_true(phrases, objects)  # [N objects, N phrases]
    logits = scale * regions @ said.T  # [N objects, N phrases]
    on_object = multi_positive_contrast(logits, truth) + multi_positive_contrast(logits.T, truth.T)

    in_image = scale * torch.bmm(cells[owner], said[:, :, None]).squeeze(2)  # [N, 49]
    others = other_matches(phrases, full, owner, weights, truth)
    inside = weights > 0.5 * weights.amax(dim=1, keepdim=True)
    on_cell = multi_positive_contrast(in_image.masked_fill(others & ~inside, -1e4), inside)
    right = truth[torch.arange(len(objects)), logits.argmax(dim=1)].float().mean().item()
    return picture, on_object / 2, on_cell, right


def other_matches(
    phrases: list[Phrase], full: list[list[Phrase]], owner: Tensor, weights: Tensor, truth: Tensor
) -> Tensor:
    """Cells of other objects of the image that the phrase is true of too: [N, 49], bool."""
    same_image = owner[:, None] == owner[None]  # [N phrases, N objects]
    matches = (truth.T & same_image).float()
    return (matches @ weights) > 0.2


def encode_text(model: CLIP, texts: list[str]) -> Tensor:
    """[N, E], L2-normalised; cut to the longest text, which the causal mask makes exact."""
    tokens = open_clip.tokenize(texts)
    length = int((tokens != 0).sum(dim=1).max())
    tokens = tokens[:, :length]
    hidden = model.token_embedding(tokens) + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length])
    hidden = model.ln_final(hidden)
    pooled = hidden[torch.arange(len(texts)), tokens.argmax(dim=1)] @ model.text_projection
    return functional.normalize(pooled, dim=1)


def look(model: CLIP, images: Tensor) -> tuple[Tensor, Tensor]:
    """[B, 3, 224, 224], uint8, to the whole image's vector [B, E] and each cell's [B, 49, E], L2-normalised."""
    feature_map = map_of(model, images)
    whole = functional.normalize(model.visual.attnpool(feature_map), dim=1)
    return whole, functional.normalize(project_cells(model, feature_map), dim=2)


def map_of(model: CLIP, images: Tensor) -> Tensor:
    """[B, 3, 224, 224], uint8, to [B, C, 7, 7]: the trunk without its attention pool."""
    visual = model.visual
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    hidden = ((images.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=model.training):
        hidden = visual.stem(hidden)
        for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            hidden = layer(hidden)
    return hidden.float()


def project_cells(model: CLIP, feature_map: Tensor) -> Tensor:
    """Each cell through the pool's value and output projections: [B, C, 7, 7] to [B, 49, E]."""
    pool = model.visual.attnpool
    return pool.c_proj(pool.v_proj(feature_map.flatten(2).transpose(1, 2)))


def write(
    model: CLIP,
    args: argparse.Namespace,
    num_scenes: int,
    log: list[dict[str, float]],
    text_log: list[dict[str, float]],
) -> None:
    """`cliprpn-tiny.safetensors` (fp16) and `cliprpn-tiny.json` (how to build it, recipe, log)."""
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
