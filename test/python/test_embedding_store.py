"""The cache of CLIP embeddings of boxes and texts: values, batching, reuse, half precision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import progress_of, run_context
from images import write_image
from torch import Tensor

from cliprpn.data import images
from cliprpn.data.images import ImageFile
from cliprpn.errors import CliprpnError
from cliprpn.ranking import embedding_store
from cliprpn.ranking.embedding_store import get_box_embeddings, get_text_embeddings
from cliprpn.run_context import RunContext

DIM = 5
SILENT = run_context(Path("unused"))


def render(image: Tensor, boxes: Tensor) -> Tensor:
    """A view that only contains the box's coordinates and the image's mean: [n, 3, 2, 2]."""
    mean = image.float().mean().expand(len(boxes), 1)
    return torch.cat([boxes, mean], dim=1)[:, :, None].expand(-1, -1, 3)[..., None].permute(0, 2, 1, 3)


def encode(views: Tensor) -> Tensor:
    return views[:, 0, :, 0] / 300


class FakeClip:
    """Counts its calls."""

    def __init__(self) -> None:
        self.loads = 0
        self.passes: list[int] = []

    def load_views(self) -> Callable[[Tensor], Tensor]:
        self.loads += 1
        return lambda views: (self.passes.append(len(views)), encode(views))[1]

    def load_texts(self) -> Callable[[list[str]], Tensor]:
        self.loads += 1
        return lambda texts: (self.passes.append(len(texts)), embeddings_of(texts))[1]


def embeddings_of(texts: list[str]) -> Tensor:
    return torch.tensor([[len(text), *map(ord, (text + "    ")[:4])] for text in texts]) / 300


def embed_boxes(
    wanted: list[tuple[ImageFile, Tensor]],
    store: Path,
    clip: FakeClip,
    context: RunContext = SILENT,
    **changes: Any,
) -> list[Tensor]:
    arguments: dict[str, Any] = {
        "view": "crop",
        "dim": DIM,
        "render": render,
        "load_encoder": clip.load_views,
        "context": context,
    }
    return get_box_embeddings(wanted, store=store, **arguments | changes)


def embed_texts(
    texts: list[str], store: Path, clip: FakeClip, context: RunContext = SILENT, **changes: Any
) -> Tensor:
    arguments: dict[str, Any] = {
        "dim": DIM,
        "load_encoder": clip.load_texts,
        "context": context,
    }
    return get_text_embeddings(texts, store, **arguments | changes)


def boxes_of(count: int, seed: int) -> Tensor:
    corners = torch.rand(count, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 20
    return torch.cat([corners, corners + 9], dim=1)


@pytest.fixture
def wanted(tmp_path: Path) -> list[tuple[ImageFile, Tensor]]:
    counts = (3, 0, 70, 8, 130)
    return [
        (write_image(tmp_path / f"{seed}.png", seed), boxes_of(count, seed))
        for seed, count in enumerate(counts)
    ]


def test_each_box_has_the_embedding_of_its_view(
    wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path
) -> None:
    embeddings = embed_boxes(wanted, tmp_path / "a.sqlite", FakeClip())
    for (file, boxes), embeddings_i in zip(wanted, embeddings, strict=True):
        expected = encode(render(images.load_image(file), boxes.float()))
        assert (embeddings_i.shape, embeddings_i.dtype) == ((len(boxes), DIM), torch.float32)
        # Half a float16 step below 1, plus half a hundredth of a pixel over 300.
        torch.testing.assert_close(embeddings_i, expected, atol=2.5e-4 + 1.7e-5, rtol=0)


def test_batches_are_filled_across_images(wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path) -> None:
    clip = FakeClip()
    embed_boxes(wanted, tmp_path / "a.sqlite", clip)
    assert (clip.loads, clip.passes) == (1, [64, 64, 64, 211 - 3 * 64])


def test_only_new_boxes_are_encoded(
    wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "a.sqlite"
    first, warm, more, other = FakeClip(), FakeClip(), FakeClip(), FakeClip()
    embeddings = embed_boxes(wanted, store, first)
    decoded: list[str] = []
    load = images.load_image
    monkeypatch.setattr(images, "load_image", lambda file: (decoded.append(file.path.name), load(file))[1])
    assert all(map(torch.equal, embed_boxes(wanted, store, warm), embeddings))
    assert (warm.loads, decoded) == (0, [])
    # The boxes of two sentences about one image, some of them shared.
    file, boxes = wanted[0]
    again = [(file, boxes[:2]), (file, torch.cat([boxes[2:], boxes_of(2, 9)])), (file, boxes_of(2, 9))]
    parts = embed_boxes(again, store, more)
    assert (more.passes, decoded) == ([2], ["0.png"])
    assert torch.equal(torch.cat([parts[0], parts[1][:1]]), embeddings[0])
    assert torch.equal(parts[1][1:], parts[2])
    embed_boxes(wanted[:1], store, other, view="blur")
    assert other.passes == [3]


def test_box_coordinates_are_rounded_to_a_hundredth_of_a_pixel(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a.png", 0)
    seen: list[list[float]] = []

    def record(image: Tensor, boxes: Tensor) -> Tensor:
        seen.extend(boxes.tolist())
        return render(image, boxes)

    boxes = torch.tensor([[1.001, 2, 3.499, 9], [0.999, 2, 3.501, 9], [1.0, 2, 3.51, 9]])
    embeddings = embed_boxes([(file, boxes)], tmp_path / "a.sqlite", FakeClip(), render=record)[0]
    assert seen == [pytest.approx([1, 2, 3.5, 9]), pytest.approx([1, 2, 3.51, 9])]
    assert torch.equal(embeddings[0], embeddings[1]) and not torch.equal(embeddings[1], embeddings[2])


def test_box_embeddings_are_kept_when_stopped(wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path) -> None:
    stops = iter([False, False, True])
    stopping = run_context(tmp_path, should_stop=lambda: next(stops))
    first, second = FakeClip(), FakeClip()
    with pytest.raises(CliprpnError) as caught:
        embed_boxes(wanted, tmp_path / "a.sqlite", first, stopping)
    assert caught.value.code == "interrupted"
    events: list[Any] = []
    embed_boxes(wanted, tmp_path / "a.sqlite", second, run_context(tmp_path, events.append))
    assert (sum(first.passes), sum(second.passes)) == (128, 83)
    assert progress_of(events) == [("crops", done, 211) for done in (128, 192, 211)]


def test_weights_that_give_nan_are_refused(wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path) -> None:
    with pytest.raises(CliprpnError) as caught:
        embed_boxes(
            wanted,
            tmp_path / "a.sqlite",
            FakeClip(),
            load_encoder=lambda: lambda views: encode(views) * torch.nan,
        )
    assert caught.value.code == "weights_mismatch"


def test_cached_embeddings_of_another_length_are_refused(
    wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path
) -> None:
    embed_boxes(wanted, tmp_path / "a.sqlite", FakeClip())
    with pytest.raises(CliprpnError, match=r"a\.sqlite") as caught:
        embed_boxes(wanted, tmp_path / "a.sqlite", FakeClip(), dim=DIM + 1)
    assert caught.value.code == "data_invalid"


def test_a_repeated_text_is_encoded_once(tmp_path: Path) -> None:
    store = tmp_path / "a.sqlite"
    first, second = FakeClip(), FakeClip()
    texts = ["a red cat", "", "ein Übermaß", "a red cat", "the man's left \n hand"]
    embeddings = embed_texts(texts, store, first)
    assert first.passes == [4]
    assert (embeddings.shape, embeddings.dtype) == ((5, DIM), torch.float32)
    torch.testing.assert_close(
        embeddings, embeddings_of(texts), atol=2.5e-4, rtol=0
    )  # Half a float16 step below 1.
    assert torch.equal(embed_texts([texts[4], "a dog", texts[0]], store, second)[[0, 2]], embeddings[[4, 0]])
    assert second.passes == [1]
    assert embed_texts([], store, second).shape == (0, DIM)


def test_texts_and_boxes_can_share_a_file(wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path) -> None:
    store = tmp_path / "a.sqlite"
    texts, vectors = embed_texts(["a", "b"], store, FakeClip()), embed_boxes(wanted, store, FakeClip())
    warm = FakeClip()
    assert torch.equal(embed_texts(["a", "b"], store, warm), texts)
    assert all(map(torch.equal, embed_boxes(wanted, store, warm), vectors))
    assert warm.loads == 0


def test_text_embeddings_are_kept_when_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_store, "TEXT_BATCH", 2)
    stops = iter([False, True])
    stopping = run_context(tmp_path, should_stop=lambda: next(stops))
    first, second = FakeClip(), FakeClip()
    with pytest.raises(CliprpnError) as caught:
        embed_texts(["aaa", "a", "aa"], tmp_path / "a.sqlite", first, stopping)
    assert caught.value.code == "interrupted"
    embeddings = embed_texts(["aaa", "a", "aa"], tmp_path / "a.sqlite", second)
    assert (first.passes, second.passes) == ([2], [1])
    torch.testing.assert_close(embeddings, embeddings_of(["aaa", "a", "aa"]), atol=2.5e-4, rtol=0)


def test_a_broken_image_is_named_and_embeddings_of_earlier_images_are_kept(
    wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path
) -> None:
    first, second = FakeClip(), FakeClip()
    broken = tmp_path / "broken.jpg"
    whole = wanted[4][0].path.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CliprpnError, match=r"broken\.jpg: expected an image") as caught:
        embed_boxes(
            [*wanted, (ImageFile(broken, False, 10**6), boxes_of(1, 7))], tmp_path / "a.sqlite", first
        )
    assert caught.value.code == "data_invalid"
    embed_boxes(wanted, tmp_path / "a.sqlite", second)
    # 211 boxes in whole batches of 64; the rest waited for the boxes of the broken image.
    assert (sum(first.passes), sum(second.passes)) == (192, 19)


def test_values_out_of_range_are_refused_with_the_image_and_the_box(
    wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path
) -> None:
    def encode_wrongly(views: Tensor) -> Tensor:
        embeddings = encode(views)
        embeddings[2] = torch.inf
        return embeddings

    with pytest.raises(CliprpnError, match=r"0\.png: the embedding of the box [\d., ]+ \(crop\)") as caught:
        embed_boxes(wanted, tmp_path / "a.sqlite", FakeClip(), load_encoder=lambda: encode_wrongly)
    assert caught.value.code == "weights_mismatch"
