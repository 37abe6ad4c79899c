"""Cached CLIP embeddings of boxes and texts, in half precision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.data.image_keys import image_keys
from cliprpn.data.images import ImageFile, load_images
from cliprpn.errors import CliprpnError
from cliprpn.run_context import RunContext
from cliprpn.storage.durable import check_space
from cliprpn.storage.half import to_half
from cliprpn.storage.keyed_store import ColumnTypes, Put, Rows, get_or_compute

# Batch sizes of CLIP's encoders. A batch of views may come from several images.
VIEW_BATCH = 64
TEXT_BATCH = 256
# Box coordinates are rounded to a hundredth of a pixel, in keys and for rendering.
STEPS_PER_PX = 100

EMBEDDING_COLUMNS: ColumnTypes = {"vector": "blob"}

Render = Callable[[Tensor, Tensor], Tensor]
EncodeViews = Callable[[Tensor], Tensor]
EncodeTexts = Callable[[list[str]], Tensor]
# A box in steps of 1 / STEPS_PER_PX pixels, xyxy.
BoxSteps = tuple[int, int, int, int]


def get_box_embeddings(
    boxes_of_files: list[tuple[ImageFile, Tensor]],
    view: str,
    store: Path,
    dim: int,
    render: Render,
    load_encoder: Callable[[], EncodeViews],
    context: RunContext,
) -> list[Tensor]:
    """CLIP's embedding of each box, from the cache or computed.

    A box of an image is encoded once, and its image decoded once per call, however often they occur.

    Args:
        boxes_of_files: images, each with boxes [N, 4], xyxy, pixels; an image may occur several times.
        view: name of the views that `render` makes.
        store: the cache file of these CLIP weights.
        dim: D, the embedding's size.
        render: turns an image [3, H, W], uint8, and boxes [n, 4], float32, into views [n, 3, S, S].
        load_encoder: called once, and only if something is not cached; returns a function from views [b, 3, S, S] to
            embeddings [b, D].

    Returns:
        per image [N, D], float32.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid (names the image or the store), weights_*.
    """
    image_key_list = image_keys(file for file, _ in boxes_of_files)
    file_of = dict(zip(image_key_list, (file for file, _ in boxes_of_files), strict=True))
    box_of: dict[str, tuple[str, BoxSteps]] = {}
    keys: list[list[str]] = []
    for image_key, (_, boxes) in zip(image_key_list, boxes_of_files, strict=True):
        steps = (boxes.double() * STEPS_PER_PX).round().long().tolist()
        keys.append([f"{view} {image_key} {x1},{y1},{x2},{y2}" for x1, y1, x2, y2 in steps])
        box_of.update((key, (image_key, tuple(box))) for key, box in zip(keys[-1], steps, strict=True))

    def compute(missing: list[str], put: Put) -> None:
        keys_by_image: dict[str, list[str]] = {}
        for key in missing:
            keys_by_image.setdefault(box_of[key][0], []).append(key)
        encode = load_encoder()
        views = _render_views(keys_by_image, file_of, lambda key: box_of[key][1], render)
        done = len(box_of) - len(missing)
        context.progress("crops", done, len(box_of))
        for batch, pixels in _fill_batches(views):
            if context.should_stop():
                raise CliprpnError("interrupted", "stopped while encoding boxes")
            _put_embeddings(batch, encode(pixels), f"the embeddings of boxes ({view})", put)
            done += len(batch)
            context.progress("crops", done, len(box_of))

    rows = _get_or_compute(store, dim, list(box_of), compute, context)
    return [_to_tensor(rows, keys_i, dim, store) for keys_i in keys]


def get_text_embeddings(
    texts: list[str],
    store: Path,
    dim: int,
    load_encoder: Callable[[], EncodeTexts],
    context: RunContext,
) -> Tensor:
    """CLIP's embedding of each text, from the cache or computed. A text is encoded once.

    Args:
        texts: T texts; repetitions are allowed.
        store: the cache file of these CLIP weights; may be shared with boxes.
        dim: D, the embedding's size.
        load_encoder: called once, and only if something is not cached; returns a function from b texts to embeddings
            [b, D].

    Returns:
        [T, D], float32.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid (names the store), weights_*.
    """
    keys = [f"text {text}" for text in texts]
    text_of = dict(zip(keys, texts, strict=True))

    def compute(missing: list[str], put: Put) -> None:
        encode = load_encoder()
        done = len(text_of) - len(missing)
        context.progress("text_features", done, len(text_of))
        by_length = sorted(missing, key=len)  # A batch takes as long as its longest text.
        for start in range(0, len(missing), TEXT_BATCH):
            if context.should_stop():
                raise CliprpnError("interrupted", "stopped while encoding texts")
            batch = by_length[start : start + TEXT_BATCH]
            _put_embeddings(
                batch, encode([text_of[key] for key in batch]), "the embeddings of sentences", put
            )
            done += len(batch)
            context.progress("text_features", done, len(text_of))

    rows = _get_or_compute(store, dim, list(text_of), compute, context)
    return _to_tensor(rows, keys, dim, store)


def _get_or_compute(
    store: Path,
    dim: int,
    keys: list[str],
    compute: Callable[[list[str], Put], None],
    context: RunContext,
) -> dict[str, Rows]:
    """`get_or_compute` after checking that there is space for the missing embeddings."""

    def check_and_compute(missing: list[str], put: Put) -> None:
        check_space(store.parent, len(missing) * dim * 2)
        compute(missing, put)

    return get_or_compute(
        store,
        EMBEDDING_COLUMNS,
        keys,
        check_and_compute,
        lambda: context.warn("another process is computing the same embeddings; waiting for it"),
        context.should_stop,
    )


def _render_views(
    keys_by_image: dict[str, list[str]],
    file_of: dict[str, ImageFile],
    steps_of: Callable[[str], BoxSteps],
    render: Render,
) -> Iterator[tuple[list[str], Tensor]]:
    """Keys of boxes and their views, [n, 3, S, S], image by image; n <= VIEW_BATCH."""
    images = load_images(file_of[image_key] for image_key in keys_by_image)
    for keys, image in zip(keys_by_image.values(), images, strict=True):
        for start in range(0, len(keys), VIEW_BATCH):
            batch = keys[start : start + VIEW_BATCH]
            steps = torch.tensor([steps_of(key) for key in batch], dtype=torch.float64)
            yield batch, render(image, (steps / STEPS_PER_PX).float())


def _fill_batches(views: Iterable[tuple[list[str], Tensor]]) -> Iterator[tuple[list[str], Tensor]]:
    """Regroups views of several images into full batches; the last one may be smaller."""
    keys: list[str] = []
    parts: list[Tensor] = []
    for part_keys, pixels in views:
        keys += part_keys
        parts.append(pixels)
        if len(keys) >= VIEW_BATCH:
            gathered = torch.cat(parts)
            yield keys[:VIEW_BATCH], gathered[:VIEW_BATCH]
            keys, parts = keys[VIEW_BATCH:], [gathered[VIEW_BATCH:]]
    if keys:
        yield keys, torch.cat(parts)


def _put_embeddings(keys: list[str], embeddings: Tensor, name: str, put: Put) -> None:
    """Stores the embeddings [n, D] of n keys in half precision; `name` names them in errors."""
    for key, embedding in zip(keys, to_half(embeddings, name), strict=True):
        put(key, [(embedding.tobytes(),)])


def _to_tensor(rows: dict[str, Rows], keys: list[str], dim: int, store: Path) -> Tensor:
    """The embeddings of these keys, [N, D], float32.

    Raises:
        CliprpnError: data_invalid.
    """
    blobs = [blob for key in keys if isinstance(blob := rows[key][0][0], bytes) and len(blob) == 2 * dim]
    if len(blobs) != len(keys):
        raise CliprpnError(
            "data_invalid",
            f"{store}: expected embeddings of {dim} numbers, found others; delete {store} and re-run the command",
        )
    table = np.frombuffer(b"".join(blobs), dtype=np.float16).reshape(-1, dim)
    return torch.from_numpy(table.astype(np.float32))
