"""CLIP's vectors of boxes and of texts, computed once and kept in half precision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cliprpn.data.images import ImageFile, image_keys, load_images
from cliprpn.errors import CliprpnError
from cliprpn.run_context import RunContext
from cliprpn.storage.durable import check_space
from cliprpn.storage.half import to_half
from cliprpn.storage.keyed_store import ColumnTypes, Put, Rows, get_or_compute

# Views in one pass of CLIP, of as many images as it takes.
VIEWS_A_PASS = 64
TEXTS_A_PASS = 256
# Boxes are known, and looked at, to a hundredth of a pixel.
STEPS_A_PIXEL = 100

VECTOR: ColumnTypes = {"vector": "blob"}

Render = Callable[[Tensor, Tensor], Tensor]
EncodeViews = Callable[[Tensor], Tensor]
EncodeTexts = Callable[[list[str]], Tensor]
Box = tuple[int, int, int, int]


def box_vectors(
    wanted: list[tuple[ImageFile, Tensor]],
    view: str,
    store: Path,
    dim: int,
    render: Render,
    load_encode: Callable[[], EncodeViews],
    context: RunContext,
) -> list[Tensor]:
    """CLIP's vector of each box, as it sees it.

    A box of an image is looked at once, and its image decoded once a call, however often they appear.

    Args:
        wanted: images, each with boxes [N, 4], xyxy, pixels; an image may come again.
        view: names what `render` shows of a box.
        store: the file of these CLIP weights.
        dim: D, the length of a vector.
        render: an image [3, H, W], uint8, and boxes [n, 4], float32, to views [n, 3, S, S].
        load_encode: called once, and only when something is missing; gives what turns views [b, 3, S, S] into
            vectors [b, D].

    Returns:
        for each image [N, D], float32.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid (naming the image or the store), weights_*.
    """
    pictures = image_keys(file for file, _ in wanted)
    file_of = dict(zip(pictures, (file for file, _ in wanted), strict=True))
    box_of: dict[str, tuple[str, Box]] = {}
    keys: list[list[str]] = []
    for picture, (_, boxes) in zip(pictures, wanted, strict=True):
        steps = (boxes.double() * STEPS_A_PIXEL).round().long().tolist()
        keys.append([f"{view} {picture} {x1},{y1},{x2},{y2}" for x1, y1, x2, y2 in steps])
        box_of.update((key, (picture, tuple(box))) for key, box in zip(keys[-1], steps, strict=True))

    def look(missing: list[str], put: Put) -> None:
        asked: dict[str, list[str]] = {}
        for key in missing:
            asked.setdefault(box_of[key][0], []).append(key)
        encode = load_encode()
        views = _views(asked, file_of, lambda key: box_of[key][1], render)
        done = len(box_of) - len(missing)
        context.progress("crops", done, len(box_of))
        for some, pixels in _passes(views):
            if context.should_stop():
                raise CliprpnError("interrupted", "stopped while encoding boxes")
            _put_vectors(some, encode(pixels), f"the vectors of boxes ({view})", put)
            done += len(some)
            context.progress("crops", done, len(box_of))

    kept = _kept_vectors(store, dim, list(box_of), look, context)
    return [_table(kept, own, dim, store) for own in keys]


def text_vectors(
    texts: list[str],
    store: Path,
    dim: int,
    load_encode: Callable[[], EncodeTexts],
    context: RunContext,
) -> Tensor:
    """CLIP's vector of each text; the same text is encoded once.

    Args:
        store: the file of these CLIP weights; it may be the boxes' too.
        dim: D, the length of a vector.
        load_encode: called once, and only when something is missing; gives what turns b texts into vectors [b, D].

    Returns:
        [T, D], float32.

    Raises:
        CliprpnError: interrupted, no_space, data_invalid (naming the store), weights_*.
    """
    keys = [f"text {text}" for text in texts]
    text_of = dict(zip(keys, texts, strict=True))

    def read(missing: list[str], put: Put) -> None:
        encode = load_encode()
        done = len(text_of) - len(missing)
        context.progress("text_features", done, len(text_of))
        by_length = sorted(missing, key=len)  # A pass takes as long as its longest text.
        for start in range(0, len(missing), TEXTS_A_PASS):
            if context.should_stop():
                raise CliprpnError("interrupted", "stopped while encoding texts")
            some = by_length[start : start + TEXTS_A_PASS]
            _put_vectors(some, encode([text_of[key] for key in some]), "the vectors of sentences", put)
            done += len(some)
            context.progress("text_features", done, len(text_of))

    kept = _kept_vectors(store, dim, list(text_of), read, context)
    return _table(kept, keys, dim, store)


def _kept_vectors(
    store: Path,
    dim: int,
    keys: list[str],
    make: Callable[[list[str], Put], None],
    context: RunContext,
) -> dict[str, Rows]:
    def with_room(missing: list[str], put: Put) -> None:
        check_space(store.parent, len(missing) * dim * 2)
        make(missing, put)

    return get_or_compute(
        store,
        VECTOR,
        keys,
        with_room,
        lambda: context.warn("waiting for vectors that another process is computing"),
        context.should_stop,
    )


def _views(
    asked: dict[str, list[str]],
    file_of: dict[str, ImageFile],
    box_of: Callable[[str], Box],
    render: Render,
) -> Iterator[tuple[list[str], Tensor]]:
    """Keys of boxes and their views, [n, 3, S, S], of one image after the other; n at most a pass.

    Args:
        asked: keys of boxes by their image's.
    """
    pictures = load_images(file_of[picture] for picture in asked)
    for keys, picture in zip(asked.values(), pictures, strict=True):
        for start in range(0, len(keys), VIEWS_A_PASS):
            some = keys[start : start + VIEWS_A_PASS]
            steps = torch.tensor([box_of(key) for key in some], dtype=torch.float64)
            yield some, render(picture, (steps / STEPS_A_PIXEL).float())


def _passes(views: Iterable[tuple[list[str], Tensor]]) -> Iterator[tuple[list[str], Tensor]]:
    """The same, gathered from several images into full passes; the last takes what is left."""
    keys: list[str] = []
    parts: list[Tensor] = []
    for some, pixels in views:
        keys += some
        parts.append(pixels)
        if len(keys) >= VIEWS_A_PASS:
            gathered = torch.cat(parts)
            yield keys[:VIEWS_A_PASS], gathered[:VIEWS_A_PASS]
            keys, parts = keys[VIEWS_A_PASS:], [gathered[VIEWS_A_PASS:]]
    if keys:
        yield keys, torch.cat(parts)


def _put_vectors(keys: list[str], vectors: Tensor, what: str, put: Put) -> None:
    for key, vector in zip(keys, to_half(vectors, what), strict=True):
        put(key, [(vector.tobytes(),)])


def _table(kept: dict[str, Rows], keys: list[str], dim: int, store: Path) -> Tensor:
    """The vectors of these keys, [N, D], float32."""
    blobs = [blob for key in keys if isinstance(blob := kept[key][0][0], bytes) and len(blob) == 2 * dim]
    if len(blobs) != len(keys):
        raise CliprpnError(
            "data_invalid",
            f"{store}: expected vectors of {dim} numbers, found others; delete {store} and run again",
        )
    table = np.frombuffer(b"".join(blobs), dtype=np.float16).reshape(-1, dim)
    return torch.from_numpy(table.astype(np.float32))
