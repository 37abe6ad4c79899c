"""Augmented views: boxes match the pixels, crops keep the required boxes, and a seed gives the same bits."""

from __future__ import annotations

import hashlib
import os
from collections import Counter

import pytest
import torch
from helpers import REPO, run_python
from torch import Tensor

from cliprpn.data.views.augmentation import CHANGES, Augmentation, augment_boxes, augment_pixels
from cliprpn.data.views.sampling import CROP_STRETCH, LARGEST_CROP, SMALLEST_CROP, sample_augmentation

SIZE = 96
ALL = frozenset(CHANGES)


def random_boxes(seed: int, num_boxes: int, largest: int = SIZE // 3) -> Tensor:
    """[N, 4], xyxy, integer pixels of the square, sides of at least 4 pixels."""
    draws = torch.Generator().manual_seed(seed)
    sides = torch.randint(4, largest, (num_boxes, 2), generator=draws)
    corners = (torch.rand(num_boxes, 2, generator=draws) * (SIZE - sides)).floor()
    return torch.cat([corners, corners + sides], dim=1)


def draw_box(box: Tensor) -> Tensor:
    """A black square image with a white box."""
    pixels = torch.zeros(3, SIZE, SIZE, dtype=torch.uint8)
    left, top, right, bottom = (int(side) for side in box)
    pixels[:, top:bottom, left:right] = 255
    return pixels


def extent(pixels: Tensor) -> Tensor:
    """Bounding box of the bright pixels, xyxy; a pixel counts if at least half covered."""
    rows, columns = torch.nonzero(pixels[0] >= 128, as_tuple=True)
    return torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()


@pytest.mark.parametrize("seed", range(40))
def test_boxes_move_with_the_pixels(seed: int) -> None:
    boxes = random_boxes(seed, 1)
    for number in range(3):
        augmentation = sample_augmentation(seed, "picture", number, [ALL], boxes, SIZE)
        geometry = Augmentation(SIZE, flip=augmentation.flip, crop_xyxy=augmentation.crop_xyxy)
        moved = augment_boxes(boxes, geometry)
        assert (extent(augment_pixels(draw_box(boxes[0]), geometry)) - moved[0]).abs().max() <= 1.0


@pytest.mark.parametrize("seed", range(40))
def test_a_crop_contains_the_required_boxes_and_nearly_keeps_the_aspect_ratio(seed: int) -> None:
    boxes = random_boxes(seed, 3)
    augmentation = sample_augmentation(seed, "picture", 0, [ALL], boxes, SIZE)
    if augmentation.crop_xyxy is None:
        return
    left, top, right, bottom = augmentation.crop_xyxy
    x, y = (boxes[:, [0, 2]], boxes[:, [1, 3]])
    assert left >= 0 and right <= SIZE and bool(((x >= left) & (x <= right)).all())
    assert top >= 0 and bottom <= SIZE and bool(((y >= top) & (y <= bottom)).all())
    width, height = right - left, bottom - top
    assert min(width, height) >= SMALLEST_CROP / CROP_STRETCH * SIZE - 1
    assert 1 / CROP_STRETCH - 0.05 <= width / height <= CROP_STRETCH + 0.05
    # No required box is clipped: its area grows exactly by the crop's scale.
    before, after = ((b[:, 2:] - b[:, :2]).prod(dim=1) for b in (boxes, augment_boxes(boxes, augmentation)))
    torch.testing.assert_close(after, before * SIZE**2 / (width * height))


def test_an_image_that_needs_nearly_all_of_itself_is_not_cropped() -> None:
    wide = torch.tensor([[1.0, 40, SIZE - 1, 50]])
    augmentations = [sample_augmentation(0, "picture", number, [ALL], wide, SIZE) for number in range(50)]
    assert {augmentation.crop_xyxy for augmentation in augmentations} == {None}
    assert LARGEST_CROP < 1


def test_a_box_outside_the_crop_has_no_area() -> None:
    augmentation = Augmentation(SIZE, crop_xyxy=(0, 0, 48, 48))
    moved = augment_boxes(
        torch.tensor([[60.0, 60, 80, 80], [40, 40, 60, 60], [10, 10, 20, 20]]), augmentation
    )
    assert (moved[:, 2:] - moved[:, :2]).prod(dim=1).tolist() == [0, 256, 400]


def test_an_augmentation_without_changes_returns_the_image() -> None:
    pixels = torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8)
    assert torch.equal(augment_pixels(pixels, Augmentation(SIZE)), pixels)
    assert Augmentation(SIZE).changes == frozenset()


def test_color_and_blur_change_pixels_but_not_boxes() -> None:
    pixels = torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8)
    boxes = random_boxes(0, 4)
    for augmentation in (
        Augmentation(SIZE, brightness=0.9),
        Augmentation(SIZE, contrast=1.1),
        Augmentation(SIZE, saturation=0.8),
        Augmentation(SIZE, hue=0.02),
        Augmentation(SIZE, blur_px=0.5),
    ):
        assert len(augmentation.changes) == 1
        rendered = augment_pixels(pixels, augmentation)
        assert rendered.dtype == torch.uint8 and type(rendered) is Tensor
        assert not torch.equal(rendered, pixels)
        assert torch.equal(augment_boxes(boxes, augmentation), boxes)


def test_brightness_and_contrast_keep_gray_gray() -> None:
    gray = torch.randint(0, 256, (1, SIZE, SIZE), dtype=torch.uint8).expand(3, -1, -1)
    rendered = augment_pixels(gray, Augmentation(SIZE, brightness=0.85, contrast=1.2))
    assert torch.equal(rendered[0], rendered[1]) and torch.equal(rendered[0], rendered[2])


def test_a_change_that_most_sentences_forbid_is_not_used() -> None:
    boxes = random_boxes(0, 1)
    no_flip = ALL - {"flip"}
    for permitted, some in (([ALL, no_flip], True), ([ALL, no_flip, no_flip], False), ([no_flip], False)):
        augmentations = [
            sample_augmentation(0, "picture", number, permitted, boxes, SIZE) for number in range(50)
        ]
        assert any(augmentation.flip for augmentation in augmentations) is some
        assert any("light" in augmentation.changes for augmentation in augmentations)


def test_augmentations_depend_on_seed_image_and_number() -> None:
    boxes = random_boxes(0, 1)

    def sample(seed: int, image: str, number: int) -> Augmentation:
        return sample_augmentation(seed, image, number, [ALL], boxes, SIZE)

    first = sample(0, "a", 0)
    assert sample(0, "a", 0) == first
    assert len({first, sample(1, "a", 0), sample(0, "b", 0), sample(0, "a", 1)}) == 4
    counts = Counter(change for number in range(400) for change in sample(0, "a", number).changes)
    fractions = {change: round(counts[change] / 400, 1) for change in CHANGES}
    assert fractions == {"flip": 0.5, "crop": 0.7, "light": 0.8, "chroma": 0.8, "blur": 0.3}


def test_another_process_computes_the_same_bits() -> None:
    code = "import test_views; print(test_views.digest())"
    path = f"{REPO / 'python'}:{REPO / 'test' / 'python'}"
    result = run_python("-c", code, env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"})
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == digest()


def digest() -> str:
    """SHA-256 of the pixels and boxes of some views."""
    pixels = torch.arange(3 * SIZE * SIZE).reshape(3, SIZE, SIZE).mul(7).remainder(256).to(torch.uint8)
    boxes = random_boxes(3, 2)
    hashed = hashlib.sha256()
    for number in range(8):
        augmentation = sample_augmentation(5, "picture", number, [ALL], boxes, SIZE)
        hashed.update(augment_pixels(pixels, augmentation).numpy().tobytes())
        hashed.update(augment_boxes(boxes, augmentation).numpy().tobytes())
    return hashed.hexdigest()
