"""Pictures of every kind decode to what a person sees; broken ones are named."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
import torch
from PIL import Image

from cliprpn.data.images import load_squashed, load_upright, read_size
from cliprpn.errors import CliprpnError

# Left half dark red, right half blue, and twice as wide as high.
LEFT, RIGHT = (150, 10, 20), (10, 30, 200)


def picture() -> Image.Image:
    image = Image.new("RGB", (40, 20), RIGHT)
    image.paste(LEFT, (0, 0, 20, 20))
    return image


def halves(pixels: torch.Tensor) -> torch.Tensor:
    """Mean colour of both halves, the blurred seam left out: [2, 3]."""
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
        ("a.bmp", "RGB"),
        ("a.webp", "RGB"),
        ("a.jpg", "RGB"),
        ("a.jpg", "CMYK"),
        ("jpeg_named.png", "RGB"),
    ],
)
def test_colours_come_out_whatever_the_file(tmp_path: Path, name: str, mode: str) -> None:
    kind = "JPEG" if name.startswith("jpeg") else None
    picture().convert(mode).save(tmp_path / name, kind)
    assert read_size(tmp_path / name) == (40, 20)
    pixels = load_squashed(tmp_path / name, 64)
    assert (pixels.shape, pixels.dtype) == ((3, 64, 64), torch.uint8)
    # Palettes and lossy files are a little off; swapped or inverted channels are off by far more.
    torch.testing.assert_close(halves(pixels), torch.tensor([LEFT, RIGHT]).float(), atol=12, rtol=0)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16"])
def test_grey_pictures_have_three_equal_channels(tmp_path: Path, mode: str) -> None:
    grey = Image.new("L", (40, 20), 255)
    grey.paste(0, (0, 0, 20, 20))
    wide = grey.convert("I").point(lambda value: value * 257).convert("I;16")
    (wide if mode == "I;16" else grey.convert(mode)).save(tmp_path / "a.png")
    found = halves(load_squashed(tmp_path / "a.png", 64))
    torch.testing.assert_close(found, torch.tensor([[0.0] * 3, [255.0] * 3]), atol=2, rtol=0)


def test_sixteen_bits_keep_their_middle(tmp_path: Path) -> None:
    Image.new("I;16", (20, 20), 128 * 257).save(tmp_path / "a.png")
    assert (load_squashed(tmp_path / "a.png", 32).float() - 128).abs().max() <= 1


def test_a_rotation_flag_is_for_photos_of_ones_own_only(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn right to see it upright.
    picture().save(path, exif=exif, quality=95)
    assert read_size(path) == (40, 20)  # COCO's boxes are in the stored frame.
    stored = halves(load_squashed(path, 64))
    assert stored[0, 0] > 130 and stored[1, 2] > 180
    upright, size = load_upright(path, 64)
    assert size == (20, 40)
    top, bottom = upright[:, :28].float().mean(dim=(1, 2)), upright[:, 36:].float().mean(dim=(1, 2))
    assert top[0] > 130 and bottom[2] > 180


def test_the_whole_picture_is_squashed(tmp_path: Path) -> None:
    image = Image.new("RGB", (400, 100))
    image.paste((255, 255, 255), (350, 0, 400, 100))  # An eighth, at an edge that a centre crop would lose.
    image.save(tmp_path / "a.png")
    share = load_squashed(tmp_path / "a.png", 64).float().mean() / 255
    assert abs(share - 1 / 8) < 0.01


def broken_files(folder: Path) -> dict[str, Path]:
    picture().resize((400, 200)).save(folder / "whole.jpg")
    picture().save(folder / "whole.png")
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


def test_broken_pictures_are_named(tmp_path: Path) -> None:
    refused = {}
    for name, path in broken_files(tmp_path).items():
        try:
            load_squashed(path, 64)
        except CliprpnError as error:
            refused[name] = (error.code, name in error.message)
    assert refused == dict.fromkeys(broken_files(tmp_path), ("data_invalid", True))


def test_a_picture_too_large_to_decode_is_refused_by_its_header(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 10_000, 1, 0, 0, 0, 0)
    picture().save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    content = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(CliprpnError, match=r"bomb\.png") as caught:
        load_squashed(tmp_path / "bomb.png", 64)
    assert caught.value.code == "data_invalid"
