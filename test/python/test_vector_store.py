"""CLIP's vectors of boxes and texts: right, in full passes, made once, kept in half precision."""

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
from cliprpn.ranking import vector_store
from cliprpn.ranking.vector_store import box_vectors, text_vectors
from cliprpn.run_context import RunContext

DIM = 5
SILENT = run_context(Path("unused"))


def render(picture: Tensor, boxes: Tensor) -> Tensor:
    """The box's numbers and the image's mean, as the only things to be seen: [n, 3, 2, 2]."""
    mean = picture.float().mean().expand(len(boxes), 1)
    return torch.cat([boxes, mean], dim=1)[:, :, None].expand(-1, -1, 3)[..., None].permute(0, 2, 1, 3)


def encode(views: Tensor) -> Tensor:
    return views[:, 0, :, 0] / 300


class Clip:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.loads = 0
        self.passes: list[int] = []

    def load_views(self) -> Callable[[Tensor], Tensor]:
        self.loads += 1
        return lambda views: (self.passes.append(len(views)), encode(views))[1]

    def load_texts(self) -> Callable[[list[str]], Tensor]:
        self.loads += 1
        return lambda texts: (self.passes.append(len(texts)), vectors_of(texts))[1]


def vectors_of(texts: list[str]) -> Tensor:
    return torch.tensor([[len(text), *map(ord, (text + "    ")[:4])] for text in texts]) / 300


def ask(
    wanted: list[tuple[ImageFile, Tensor]],
    store: Path,
    clip: Clip,
    context: RunContext = SILENT,
    **changes: Any,
) -> list[Tensor]:
    asked: dict[str, Any] = {
        "view": "crop",
        "dim": DIM,
        "render": render,
        "load_encode": clip.load_views,
        "context": context,
    }
    return box_vectors(wanted, store=store, **asked | changes)


def ask_texts(
    texts: list[str], store: Path, clip: Clip, context: RunContext = SILENT, **changes: Any
) -> Tensor:
    asked: dict[str, Any] = {
        "dim": DIM,
        "load_encode": clip.load_texts,
        "context": context,
    }
    return text_vectors(texts, store, **asked | changes)


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


def test_each_box_has_the_vector_of_its_view(wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path) -> None:
    found = ask(wanted, tmp_path / "a.sqlite", Clip())
    for (file, boxes), own in zip(wanted, found, strict=True):
        expected = encode(render(images.load_image(file), boxes.float()))
        assert (own.shape, own.dtype) == ((len(boxes), DIM), torch.float32)
        # Half a step of float16 below 1, and half of a hundredth of a pixel over 300.
        torch.testing.assert_close(own, expected, atol=2.5e-4 + 1.7e-5, rtol=0)


def test_passes_are_full_across_images_but_for_the_last(
    wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path
) -> None:
    clip = Clip()
    ask(wanted, tmp_path / "a.sqlite", clip)
    assert (clip.loads, clip.passes) == (1, [64, 64, 64, 211 - 3 * 64])


def test_only_boxes_that_are_new_are_looked_at(
    wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "a.sqlite"
    first, warm, more, other = Clip(), Clip(), Clip(), Clip()
    found = ask(wanted, store, first)
    decoded: list[str] = []
    load = images.load_image
    monkeypatch.setattr(images, "load_image", lambda file: (decoded.append(file.path.name), load(file))[1])
    assert all(map(torch.equal, ask(wanted, store, warm), found))
    assert (warm.loads, decoded) == (0, [])
    # One sentence's boxes of an image, and another's, with some in common.
    file, boxes = wanted[0]
    again = [(file, boxes[:2]), (file, torch.cat([boxes[2:], boxes_of(2, 9)])), (file, boxes_of(2, 9))]
    parts = ask(again, store, more)
    assert (more.passes, decoded) == ([2], ["0.png"])
    assert torch.equal(torch.cat([parts[0], parts[1][:1]]), found[0])
    assert torch.equal(parts[1][1:], parts[2])
    ask(wanted[:1], store, other, view="blur")
    assert other.passes == [3]


def test_a_box_is_known_to_a_hundredth_of_a_pixel(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a.png", 0)
    seen: list[list[float]] = []

    def told(picture: Tensor, boxes: Tensor) -> Tensor:
        seen.extend(boxes.tolist())
        return render(picture, boxes)

    boxes = torch.tensor([[1.001, 2, 3.499, 9], [0.999, 2, 3.501, 9], [1.0, 2, 3.51, 9]])
    found = ask([(file, boxes)], tmp_path / "a.sqlite", Clip(), render=told)[0]
    assert seen == [pytest.approx([1, 2, 3.5, 9]), pytest.approx([1, 2, 3.51, 9])]
    assert torch.equal(found[0], found[1]) and not torch.equal(found[1], found[2])


def test_asked_to_stop_it_keeps_what_is_done(wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path) -> None:
    asked = iter([False, False, True])
    stopping = run_context(tmp_path, should_stop=lambda: next(asked))
    first, second = Clip(), Clip()
    with pytest.raises(CliprpnError) as caught:
        ask(wanted, tmp_path / "a.sqlite", first, stopping)
    assert caught.value.code == "interrupted"
    events: list[Any] = []
    ask(wanted, tmp_path / "a.sqlite", second, run_context(tmp_path, events.append))
    assert (sum(first.passes), sum(second.passes)) == (128, 83)
    assert progress_of(events) == [("crops", done, 211) for done in (128, 192, 211)]


def test_weights_that_give_no_numbers_are_refused(
    wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path
) -> None:
    with pytest.raises(CliprpnError) as caught:
        ask(
            wanted, tmp_path / "a.sqlite", Clip(), load_encode=lambda: lambda views: encode(views) * torch.nan
        )
    assert caught.value.code == "weights_mismatch"


def test_vectors_of_another_length_are_refused(
    wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path
) -> None:
    ask(wanted, tmp_path / "a.sqlite", Clip())
    with pytest.raises(CliprpnError, match=r"a\.sqlite") as caught:
        ask(wanted, tmp_path / "a.sqlite", Clip(), dim=DIM + 1)
    assert caught.value.code == "data_invalid"


def test_the_same_text_is_encoded_once(tmp_path: Path) -> None:
    store = tmp_path / "a.sqlite"
    first, second = Clip(), Clip()
    texts = ["a red cat", "", "ein Übermaß", "a red cat", "the man's left \n hand"]
    found = ask_texts(texts, store, first)
    assert first.passes == [4]
    assert (found.shape, found.dtype) == ((5, DIM), torch.float32)
    torch.testing.assert_close(
        found, vectors_of(texts), atol=2.5e-4, rtol=0
    )  # Half a step of float16 below 1.
    assert torch.equal(ask_texts([texts[4], "a dog", texts[0]], store, second)[[0, 2]], found[[4, 0]])
    assert second.passes == [1]
    assert ask_texts([], store, second).shape == (0, DIM)


def test_texts_and_boxes_share_a_file(wanted: list[tuple[ImageFile, Tensor]], tmp_path: Path) -> None:
    store = tmp_path / "a.sqlite"
    texts, vectors = ask_texts(["a", "b"], store, Clip()), ask(wanted, store, Clip())
    warm = Clip()
    assert torch.equal(ask_texts(["a", "b"], store, warm), texts)
    assert all(map(torch.equal, ask(wanted, store, warm), vectors))
    assert warm.loads == 0


def test_asked_to_stop_texts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_store, "TEXTS_A_PASS", 2)
    asked = iter([False, True])
    stopping = run_context(tmp_path, should_stop=lambda: next(asked))
    first, second = Clip(), Clip()
    with pytest.raises(CliprpnError) as caught:
        ask_texts(["aaa", "a", "aa"], tmp_path / "a.sqlite", first, stopping)
    assert caught.value.code == "interrupted"
    found = ask_texts(["aaa", "a", "aa"], tmp_path / "a.sqlite", second)
    assert (first.passes, second.passes) == ([2], [1])
    torch.testing.assert_close(found, vectors_of(["aaa", "a", "aa"]), atol=2.5e-4, rtol=0)
