"""Views of a box, compared with Pillow and OpenAI's preprocessing."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from helpers import REPO
from PIL import Image, ImageDraw, ImageFilter
from prepared import source_of
from torch import Tensor
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

from cliprpn.data.sources import read_source
from cliprpn.ranking import resample
from cliprpn.ranking.views import BoxView, render_views
from cliprpn.storage.weights_files import load_backbone

PHOTOS = REPO.parent / "shared" / "data" / "refcocog-photos"
OPENAI = Compose([Resize(224, InterpolationMode.BICUBIC), CenterCrop(224)])
VIEWS: tuple[BoxView, ...] = ("crop", "blur", "circle")
Box = list[float]


def as_tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def openai_crop(image: Image.Image, box: Box) -> Tensor:
    left, top, right, bottom = box
    return as_tensor(
        OPENAI(image.crop((math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))))
    )


def byte_difference(actual: Tensor, expected: Tensor) -> Tensor:
    return (actual * 255 - expected).abs()


@pytest.mark.parametrize(
    "box",
    [
        [100, 50, 324, 274],  # CLIP's input size: no resizing
        [0, 0, 640, 480],
        [20.3, 30.6, 61.2, 70.9],
        [600, 440, 640, 480],
        [0, 0, 3, 2],
        [10, 10, 11, 11],
        [5, 100, 405, 108],  # 50 : 1
        [100, 20, 109, 470],
        [3, 3, 300, 227],  # 297 : 224 leaves an odd number of columns around the center
        [3, 3, 298, 227],
        [50, 60, 410, 301],
    ],
)
def test_a_crop_equals_openais_preprocessing(box: Box) -> None:
    image = noise(640, 480)
    expected = openai_crop(image, box)
    rendered = render_views(as_tensor(image), torch.tensor([box]), "crop")[0]
    off = byte_difference(rendered, expected)
    # Pillow's weights have 22 bits, torch's 24, so a value near a rounding boundary may round differently and affect a
    # few values of the second pass. On noise, the worst case, up to 0.04% of the bytes differed by one.
    assert off.max() <= 1.001 and (off > 0.5).float().mean() < 0.001


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="../shared/data is missing")
def test_on_photos_clip_ranks_crops_as_with_openais_preprocessing() -> None:
    names, boxes = photos_and_boxes()
    sentences: dict[int, list[str]] = {}
    for row in read_source(source_of(PHOTOS)).annotations.sentences:
        sentences.setdefault(row.image_id, []).append(row.sentence)
    backbone = load_backbone("cliprpn-tiny", "shipped")
    off, cosines, ranked = [], [], 0
    for image_id in sorted(sentences)[:16]:
        image = Image.open(PHOTOS / "images" / names[image_id]).convert("RGB")
        expected = torch.stack([openai_crop(image, box) for box in boxes[image_id]])
        rendered = render_views(as_tensor(image), torch.tensor(boxes[image_id]), "crop")
        off.append(byte_difference(rendered, expected).flatten())
        vectors, expected_vectors = (backbone.encode_image(views) for views in (rendered, expected / 255))
        cosines.append((vectors * expected_vectors).sum(dim=1))
        texts, _, _ = backbone.encode_text(backbone.tokenize(sentences[image_id]))
        assert torch.equal((texts @ vectors.T).argmax(dim=1), (texts @ expected_vectors.T).argmax(dim=1))
        ranked += len(texts)
    assert ranked > 30
    # Of all 939 boxes in the 128 photos, 4 had a quarter of their bytes differ, by up to 7: downscaled boxes more than
    # twice as high as wide, which Pillow 13 resizes vertically first. Of the other boxes' bytes, 4 in 100,000 differed
    # by one. No cosine was below 0.999997.
    assert (torch.cat(off) > 0.5).float().mean() < 0.01
    assert torch.cat(cosines).min() > 0.9999


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="../shared/data is missing")
def test_on_photos_the_blur_matches_reclip() -> None:
    names, boxes = photos_and_boxes()
    for image_id in sorted(boxes)[:3]:
        image = Image.open(PHOTOS / "images" / names[image_id]).convert("RGB")
        rendered = render_views(as_tensor(image), torch.tensor(boxes[image_id]), "blur")
        background = image.filter(ImageFilter.GaussianBlur(100))
        for view, box in zip(rendered, boxes[image_id], strict=True):
            mask = Image.new("L", image.size)
            ImageDraw.Draw(mask).rectangle([math.floor(box[0]), math.floor(box[1]), *box[2:]], fill=255)
            expected = background.copy()
            expected.paste(image, mask=mask)
            off = byte_difference(view, as_tensor(expected.resize((224, 224), Image.Resampling.BICUBIC)))
            # Pillow approximates the Gaussian by three box blurs, with edge handling in each: over 25 photos, the mean
            # difference was 2.2, at most 6.4.
            assert off.mean() < 8


@pytest.mark.parametrize("view", VIEWS)
def test_views_do_not_depend_on_other_boxes(view: BoxView, monkeypatch: pytest.MonkeyPatch) -> None:
    image = as_tensor(noise(90, 60))
    boxes = torch.tensor([[0, 0, 90, 60], [10, 10, 11, 12], [0, 20, 80, 22.5], [50, 30, 90, 60]])
    together = render_views(image, boxes, view, 64)
    monkeypatch.setattr(resample, "PIXELS_AT_ONCE", 1)
    for box, expected in zip(boxes, together, strict=True):
        # The order of summation depends on the batch, so a byte may round differently.
        torch.testing.assert_close(
            render_views(image, box[None], view, 64)[0], expected, rtol=0, atol=1.01 / 255
        )


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("width", "height", "box"),
    [
        (1, 1, [0, 0, 1, 1]),
        (300, 2, [0, 0, 300, 2]),
        (2, 300, [0, 299, 2, 300]),
        (40, 30, [39.5, 29.5, 40, 30]),
        (40, 30, [40, 30, 40, 30]),
        (40, 30, [0, 0, 0, 0]),
    ],
)
def test_tiny_boxes_have_a_view(view: BoxView, width: int, height: int, box: Box) -> None:
    image = torch.full((3, height, width), 51, dtype=torch.uint8)
    rendered = render_views(image, torch.tensor([box]), view)
    assert rendered.shape == (1, 3, 224, 224) and rendered.dtype == torch.float32
    assert rendered.isfinite().all() and rendered.min() >= -1e-6 and rendered.max() <= 1 + 1e-6
    if view != "circle":
        torch.testing.assert_close(rendered, torch.full_like(rendered, 0.2), rtol=0, atol=1e-5)


@pytest.mark.parametrize("view", VIEWS)
def test_no_boxes_give_no_views(view: BoxView) -> None:
    rendered = render_views(as_tensor(noise(50, 40)), torch.empty(0, 4), view)
    assert rendered.shape == (0, 3, 224, 224)


def test_blur_keeps_only_the_box_sharp() -> None:
    stripes = torch.zeros(3, 448, 672, dtype=torch.uint8)
    stripes[:, :, ::24] = stripes[:, :, 1::24] = stripes[:, :, 2::24] = 255  # 1 in 8 pixels of the square
    left, top, right, bottom = 66, 100, 132, 160
    rendered = render_views(stripes, torch.tensor([[left * 3.0, top * 2, right * 3, bottom * 2]]), "blur")[0]
    expected = as_tensor(
        Image.fromarray(stripes.permute(1, 2, 0).numpy()).resize((224, 224), Image.Resampling.BICUBIC)
    )
    inside = rendered[:, top:bottom, left:right]
    # torch's resizing of bytes may differ from Pillow's by one more.
    assert byte_difference(inside, expected[:, top:bottom, left:right]).max() < 1.01
    assert inside.std() > 0.2
    columns = rendered[:, 0, : left - 1]  # The row above the box has no stripes either.
    assert columns.diff(dim=1).abs().max() < 0.02 < inside.diff(dim=2).abs().mean()
    assert rendered[:, :, 180].mean() == pytest.approx(1 / 8, abs=0.03)


def test_circle_draws_a_red_line_around_the_box() -> None:
    image = torch.full((3, 448, 672), 128, dtype=torch.uint8)
    left, top, right, bottom = 50, 80, 150, 120  # pixels of the square; the line is 2.24 px further out
    rendered = render_views(image, torch.tensor([[left * 3.0, top * 2, right * 3, bottom * 2]]), "circle")[0]
    red = rendered[0] - rendered[1]
    middle_x, middle_y = (left + right) // 2, (top + bottom) // 2
    for x, y in ((left - 3, middle_y), (right + 2, middle_y), (middle_x, top - 3), (middle_x, bottom + 2)):
        assert red[y, x] > 0.9
    columns, rows = torch.arange(224.0) + 0.5, torch.arange(224.0)[:, None] + 0.5
    x, y = (columns - 100) / (50 + 2.24), (rows - 100) / (20 + 2.24)
    around = (x**2 + y**2).sqrt()
    gray = torch.tensor(128 / 255)
    for part in (around < 0.9, around > 1.1):  # 2 px along the shorter radius
        torch.testing.assert_close(rendered[:, part], gray.expand_as(rendered[:, part]))
    # Along the shorter radius, where distances are exact, the line width is the sum of red.
    assert red[:middle_y, middle_x].sum() == pytest.approx(2.24, abs=0.02)


@pytest.mark.parametrize("box", [[0, 0, 672, 448], [0, 0, 60, 60], [600, 400, 672, 448]])
def test_a_circle_at_the_image_edge_is_complete(box: Box) -> None:
    image = torch.zeros(3, 448, 672, dtype=torch.uint8)
    red = render_views(image, torch.tensor([box]), "circle")[0, 0]
    columns, rows = (red.amax(dim=axis).nonzero()[:, 0] for axis in (0, 1))
    middle = (rows[0] + rows[-1]) // 2, (columns[0] + columns[-1]) // 2
    for line in (red[middle[0]], red[:, middle[1]]):
        gap = line[line.nonzero()[0, 0] : line.nonzero()[-1, 0] + 1]
        assert gap[:4].max() > 0.9 and gap[-4:].max() > 0.9 and gap[len(gap) // 2] == 0
        assert line.sum() == pytest.approx(2 * 2.24, abs=0.25)


def photos_and_boxes() -> tuple[dict[int, str], dict[int, list[Box]]]:
    """File names and all COCO boxes (xyxy) of the photos, by image_id."""
    instances = json.loads((PHOTOS / "annotations" / "instances.json").read_text())
    boxes: dict[int, list[Box]] = {}
    for annotation in instances["annotations"]:
        x, y, width, height = annotation["bbox"]
        boxes.setdefault(annotation["image_id"], []).append([x, y, x + width, y + height])
    return {image["id"]: image["file_name"] for image in instances["images"]}, boxes
