"""Images of every format are decoded correctly; broken files are reported by name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
import torch
from PIL import Image

from cliprpn.data.image_keys import image_key
from cliprpn.data.images import (
    FORMATS,
    MAX_PIXELS,
    ImageFile,
    load_image,
    load_images,
)
from cliprpn.errors import CliprpnError

# Left half dark red, right half blue; twice as wide as high.
LEFT, RIGHT = (150, 10, 20), (10, 30, 200)


def red_blue_image() -> Image.Image:
    image = Image.new("RGB", (40, 20), RIGHT)
    image.paste(LEFT, (0, 0, 20, 20))
    return image


def halves(pixels: torch.Tensor) -> torch.Tensor:
    """Mean color of both halves, without the blurred border between them: [2, 3]."""
    width = pixels.shape[2]
    sides = (pixels[..., : width // 2 - 4], pixels[..., width // 2 + 4 :])
    return torch.stack([side.float().mean(dim=(1, 2)) for side in sides])


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.png", "RGB"),
        ("a.png", "RGBA"),
        ("a.png", "P"),
        ("a.gif", "P"),
        ("a.tiff", "RGB"),
        ("a.webp", "RGB"),
        ("a.jpg", "RGB"),
        ("a.jpg", "CMYK"),
        ("jpeg_named.png", "RGB"),
    ],
)
def test_colors_are_right_in_every_format(tmp_path: Path, name: str, mode: str) -> None:
    kind = "JPEG" if name.startswith("jpeg") else None
    red_blue_image().convert(mode).save(tmp_path / name, kind)
    pixels = load_image(file_of(tmp_path / name))
    assert (pixels.shape, pixels.dtype) == ((3, 20, 40), torch.uint8)
    # Palettes and lossy compression change colors a little; swapped or inverted channels far more.
    torch.testing.assert_close(halves(pixels), torch.tensor([LEFT, RIGHT]).float(), atol=12, rtol=0)


def file_of(path: Path, upright: bool = False) -> ImageFile:
    return ImageFile(path, upright, MAX_PIXELS)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16"])
def test_gray_images_have_three_equal_channels(tmp_path: Path, mode: str) -> None:
    gray = Image.new("L", (40, 20), 255)
    gray.paste(0, (0, 0, 20, 20))
    wide = gray.convert("I").point(lambda value: value * 257).convert("I;16")
    (wide if mode == "I;16" else gray.convert(mode)).save(tmp_path / "a.png")
    pixels = load_image(file_of(tmp_path / "a.png"))
    torch.testing.assert_close(halves(pixels), torch.tensor([[0.0] * 3, [255.0] * 3]), atol=2, rtol=0)


def test_16_bit_values_are_scaled_not_clipped(tmp_path: Path) -> None:
    Image.new("I;16", (20, 20), 128 * 257).save(tmp_path / "a.png")
    assert (load_image(file_of(tmp_path / "a.png")).float() - 128).abs().max() <= 1


def test_a_box_is_that_of_the_image_before_or_after_its_rotation_flag_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # Rotate clockwise to display: the stored left side becomes the top.
    red_blue_image().resize((400, 200)).save(path, exif=exif, quality=95)
    expected = torch.tensor([LEFT, RIGHT]).float()
    # COCO's boxes refer to the stored, unrotated pixels.
    stored = colors_of(load_image(file_of(path)), STORED_LEFT, STORED_RIGHT)
    torch.testing.assert_close(stored, expected, atol=12, rtol=0)
    upright = colors_of(load_image(file_of(path, upright=True)), TOP, BOTTOM)
    torch.testing.assert_close(upright, expected, atol=12, rtol=0)
    turned = load_image(file_of(path, upright=True))
    assert torch.equal(turned, load_image(file_of(path)).rot90(-1, (1, 2)))
    # Without a flag both are equal.
    red_blue_image().save(tmp_path / "plain.png")
    assert torch.equal(*(load_image(file_of(tmp_path / "plain.png", turn)) for turn in (False, True)))


def colors_of(image: torch.Tensor, *boxes: tuple[int, int, int, int]) -> torch.Tensor:
    """Mean color of each box, [N, 3]."""
    return torch.stack([image[:, y1:y2, x1:x2].float().mean(dim=(1, 2)) for x1, y1, x2, y2 in boxes])


STORED_LEFT, STORED_RIGHT = (10, 10, 180, 190), (220, 10, 390, 190)
TOP, BOTTOM = (10, 10, 190, 180), (10, 220, 190, 390)


def broken_files(folder: Path) -> dict[str, Path]:
    red_blue_image().resize((400, 200)).save(folder / "whole.jpg")
    red_blue_image().save(folder / "whole.png")
    jpeg, png = (folder / "whole.jpg").read_bytes(), (folder / "whole.png").read_bytes()
    contents = {
        "truncated.jpg": jpeg[: len(jpeg) // 2],
        "truncated.png": png[: len(png) - 40],
        "flipped.png": png[:50] + bytes(255 - byte for byte in png[50:60]) + png[60:],
        "empty.jpg": b"",
        "text.jpg": b"<html>not found</html>",
        "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in [*contents, "none.jpg"]}


def test_broken_images_are_reported_by_name(tmp_path: Path) -> None:
    errors = {}
    for name, path in broken_files(tmp_path).items():
        try:
            load_image(file_of(path))
        except CliprpnError as error:
            errors[name] = (error.code, name in error.message)
    assert errors == dict.fromkeys(broken_files(tmp_path), ("data_invalid", True))


def test_an_image_too_large_is_rejected_from_its_header(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 10_000, 1, 0, 0, 0, 0)
    red_blue_image().save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    content = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(CliprpnError, match=r"bomb\.png") as caught:
        load_image(file_of(tmp_path / "bomb.png"))
    assert caught.value.code == "data_invalid"
    with pytest.raises(CliprpnError, match=r"799 pixels.* 40 x 20"):
        load_image(ImageFile(tmp_path / "a.png", False, 799))


def test_a_dataset_may_allow_larger_images_than_pillow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow raises for twice as many.
    red_blue_image().save(tmp_path / "a.png")
    assert load_image(ImageFile(tmp_path / "a.png", False, 800)).shape == (3, 20, 40)


def test_formats_that_run_other_programs_are_not_supported() -> None:
    assert not {"EPS", "WMF", "MPEG"} & set(FORMATS)


def test_the_key_of_an_image_depends_on_its_bytes_and_orientation(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        red_blue_image().save(tmp_path / name)
    red_blue_image().convert("L").save(tmp_path / "gray.png")
    key = image_key(file_of(tmp_path / "a.png"))
    assert image_key(file_of(tmp_path / "b.png")) == key
    others = {
        image_key(file_of(tmp_path / "gray.png")),
        image_key(file_of(tmp_path / "a.png", upright=True)),
    }
    assert len(others | {key}) == 3
    red_blue_image().rotate(180).save(tmp_path / "a.png")
    assert image_key(file_of(tmp_path / "a.png")) != key
    with pytest.raises(CliprpnError, match=r"none\.png: .*no file"):
        image_key(file_of(tmp_path / "none.png"))


def test_images_are_yielded_in_order_and_errors_when_their_turn_comes(tmp_path: Path) -> None:
    files = []
    for number in range(40):
        Image.new("L", (number % 7 + 1, 5), number).save(tmp_path / f"{number}.png")
        files.append(file_of(tmp_path / f"{number}.png"))
    assert [int(image[0, 0, 0]) for image in load_images(files)] == list(range(40))
    files[30].path.write_bytes(b"")
    seen = []
    with pytest.raises(CliprpnError, match=r"30\.png"):
        for image in load_images(files):
            seen.append(int(image[0, 0, 0]))
    assert seen == list(range(30))
