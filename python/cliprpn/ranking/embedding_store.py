"""Cached CLIP embeddings of boxes and texts, in half precision."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from cliprpn.data.image_keys import image_keys
from cliprpn.data.images import ImageFile, load_images
from cliprpn.errors import CliprpnError
from cliprpn.pipeline.copies import Copies, HostCopy
from cliprpn.pipeline.stages import run_pipeline
from cliprpn.run_context import RunContext
from cliprpn.storage.durable import check_space
from cliprpn.storage.half import check_range, to_half
from cliprpn.storage.keyed_store import ColumnTypes, Put, Rows, get_or_compute, written_store

# Batch sizes of CLIP's encoders. A batch of views may come from several images.
VIEW_BATCH = 64
TEXT_BATCH = 256
# Box coordinates are rounded to a hundredth of a pixel, in keys and for rendering.
STEPS_PER_PX = 100

EMBEDDING_COLUMNS: ColumnTypes = {"vector": "blob"}

Batch = TypeVar("Batch")
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
        render: turns an image [3, H, W], uint8, on the context's device, and boxes [n, 4], float32, on the CPU, into
            views [n, 3, S, S] on the device.
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
        copies = Copies(context.device)
        views = _render_views(keys_by_image, file_of, lambda key: box_of[key][1], render, copies)

        def name_of(key: str) -> str:
            image_key, steps = box_of[key]
            box = ", ".join(f"{step / STEPS_PER_PX:g}" for step in steps)
            return f"{file_of[image_key].path}: the embedding of the box {box} ({view})"

        if not _encode_all(
            "crops",
            _fill_batches(views),
            lambda batch: batch.keys,
            lambda batch: copies.to_host(to_half(encode(batch.views))),
            name_of,
            len(box_of) - len(missing),
            len(box_of),
            put,
            context,
        ):
            raise CliprpnError("interrupted", "stopped while encoding boxes")

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
        copies = Copies(context.device)
        by_length = sorted(missing, key=len)  # A batch takes as long as its longest text.
        if not _encode_all(
            "text_features",
            (by_length[start : start + TEXT_BATCH] for start in range(0, len(missing), TEXT_BATCH)),
            lambda batch: batch,
            lambda batch: copies.to_host(to_half(encode([text_of[key] for key in batch]))),
            lambda key: f"the embedding of {text_of[key]!r}",
            len(text_of) - len(missing),
            len(text_of),
            put,
            context,
        ):
            raise CliprpnError("interrupted", "stopped while encoding texts")

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
        check_space(written_store(store, context.own_stores).parent, len(missing) * dim * 2)
        compute(missing, put)

    return get_or_compute(
        store,
        EMBEDDING_COLUMNS,
        keys,
        check_and_compute,
        lambda: context.warn("another process is computing the same embeddings; waiting for it"),
        context.should_stop,
        context.own_stores,
    )


def _encode_all(
    phase: str,
    batches: Generator[Batch, None, None],
    keys_of: Callable[[Batch], list[str]],
    encode: Callable[[Batch], HostCopy],
    name_of: Callable[[str], str],
    done: int,
    total: int,
    put: Put,
    context: RunContext,
) -> bool:
    """Encodes batches and stores the embeddings. Returns False if it was asked to stop.

    Args:
        encode: returns embeddings [n, D] and their largest magnitudes, as `to_half` does.
        name_of: names a key in errors.
        done, total: keys that are stored already, and all keys.
    """

    def write(batch: Batch, result: HostCopy) -> None:
        embeddings, largest = result.wait()
        keys = keys_of(batch)
        check_range(largest, lambda row: name_of(keys[row]))
        for key, embedding in zip(keys, embeddings, strict=True):
            put(key, [(embedding.tobytes(),)])

    def on_computed(batch: Batch) -> None:
        nonlocal done
        done += len(keys_of(batch))
        context.progress(phase, done, total)

    context.progress(phase, done, total)
    return run_pipeline(batches, encode, write, on_computed, context.should_stop)


class _Views(NamedTuple):
    """Boxes and their views, [n, 3, S, S], on the device."""

    keys: list[str]
    views: Tensor


def _render_views(
    keys_by_image: dict[str, list[str]],
    file_of: dict[str, ImageFile],
    steps_of: Callable[[str], BoxSteps],
    render: Render,
    copies: Copies,
) -> Generator[_Views, None, None]:
    """Views of boxes, image by image; n <= VIEW_BATCH."""
    with closing(load_images(file_of[image_key] for image_key in keys_by_image)) as images:
        for keys, image in zip(keys_by_image.values(), images, strict=True):
            (on_device,) = copies.to_device([image])
            for start in range(0, len(keys), VIEW_BATCH):
                batch = keys[start : start + VIEW_BATCH]
                steps = torch.tensor([steps_of(key) for key in batch], dtype=torch.float64)
                yield _Views(batch, render(on_device, (steps / STEPS_PER_PX).float()))


def _fill_batches(parts: Generator[_Views, None, None]) -> Generator[_Views, None, None]:
    """Regroups views of several images into full batches; the last one may be smaller."""
    keys: list[str] = []
    waiting: list[Tensor] = []
    with closing(parts):
        for part in parts:
            keys += part.keys
            waiting.append(part.views)
            if len(keys) >= VIEW_BATCH:
                gathered = torch.cat(waiting)
                yield _Views(keys[:VIEW_BATCH], gathered[:VIEW_BATCH])
                keys, waiting = keys[VIEW_BATCH:], [gathered[VIEW_BATCH:]]
    if keys:
        yield _Views(keys, torch.cat(waiting))


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
