"""Tells when annotated boxes are likely in another format, or of images of another size, than was said.

A wrong format gives no error by itself: normalized coordinates are valid pixels, and so are coordinates from 0 to 1000
in large images. The evidence is what wrong boxes have in common: nearly all of them lie outside their images, within
one pixel, or within a frame that is not the image, whose edges they touch.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import torch
from torch import Tensor

from cliprpn.data.annotations import Box, BoxFormat
from cliprpn.data.box_table import NORM_LIMIT, BoxTable
from cliprpn.data.boxes import FORMAT_NAMES, format_scale, format_shape
from cliprpn.data.frames import find_frame

# Formats that people have and cliprpn does not read, and what to do.
OTHER_FORMATS = {
    "yxyx": "top, left, bottom, right in pixels; reorder the numbers to xyxy, or see --orientation for EXIF rotations",
    "cxcywh": "center, width and height in pixels; subtract half of the size from the center for xywh",
}
# Of the boxes: valid as given, and valid in the likely format, when the format is another one.
MAX_VALID_AS_GIVEN = 0.9
MIN_VALID_AS_LIKELY = 0.95
# Log-likelihood ratios of "all boxes lie within the first 1000 px by chance": 3 is 5 %, 9 is 1 in 8,000.
LIKELY, CERTAIN = 3.0, 9.0


@dataclass(frozen=True)
class Finding:
    """Why boxes are likely not what was said.

    Attributes:
        message: sentences; the last one asks for the likely format, or says what to do.
        is_certain: whether it is a problem; otherwise it is a warning, since it cannot be known.
        rows: positions of the first boxes that show it.
    """

    message: str
    is_certain: bool
    rows: list[int]


def find_other_reading(
    boxes: Sequence[Box],
    box_format: BoxFormat,
    sizes: Sequence[tuple[float, float] | None],
    images: Sequence[Hashable],
) -> Finding | None:
    """The likely format of boxes of annotated objects, if it is probably not the given one; None otherwise.

    Args:
        boxes: in the source's format; a box that several expressions refer to counts once.
        sizes: width and height of each box's image in pixels, if known.
        images: what identifies each box's image.
    """
    first_rows: dict[tuple[Hashable, Box], int] = {}
    for row, (image, box) in enumerate(zip(images, boxes, strict=True)):
        if all(map(isfinite, box)):
            first_rows.setdefault((image, box), row)
    rows = list(first_rows.values())
    if not rows:
        return None
    table = BoxTable.of([boxes[row] for row in rows], [sizes[row] for row in rows])
    findings = [
        _within_one_pixel(table, box_format),
        _from_0_to_1000(table, box_format),
        _mostly_invalid(table, box_format),
        _pixels_read_as_1000(table, box_format),
        _of_another_frame(table, box_format, [images[row] for row in rows]),
        _in_a_corner(table, box_format),
        _fits_two_shapes(table, box_format),
    ]
    likely = [finding for finding in findings if finding is not None]
    likely.sort(key=lambda finding: not finding.is_certain)
    return replace(likely[0], rows=[rows[i] for i in likely[0].rows]) if likely else None


def _within_one_pixel(table: BoxTable, box_format: BoxFormat) -> Finding | None:
    """Normalized coordinates as pixels, or from 0 to 1000."""
    if format_scale(box_format) == 1:
        return None
    within = (table.values.abs() <= NORM_LIMIT).all(dim=1)
    num = int(within.sum())
    if num == 0:
        return None
    small = BoxTable(table.values[within], table.limits[within])
    unit = "one pixel" if format_scale(box_format) is None else "1 of 1000"
    what = f"{num:,} of {table.num:,} boxes lie within {unit} as {box_format}"
    if num < table.num / 2:
        return Finding(f"{what}: are they in normalized coordinates?", False, _first(within))
    names = [name for name in FORMAT_NAMES if format_scale(name) == 1]
    likely = [name for name in names if small.valid(name).double().mean() >= MIN_VALID_AS_LIKELY]
    # The shape that was given comes first.
    likely.sort(key=lambda name: format_shape(name) != format_shape(box_format))
    return Finding(f"{what}: {_ask(likely or names)}", True, _first(within))


def _mostly_invalid(table: BoxTable, box_format: BoxFormat) -> Finding | None:
    """Many boxes are invalid in the given format, and nearly all are valid in another."""
    as_given = table.valid(box_format)
    fraction, num_invalid = as_given.double().mean().item(), int((~as_given).sum())
    is_mostly_invalid = fraction < 0.5
    if not is_mostly_invalid and (fraction >= MAX_VALID_AS_GIVEN or num_invalid < 3):
        return None
    # Pixels first: what lies inside the images is also from 0 to 1000 in images of up to 1000 px.
    names = sorted(
        FORMAT_NAMES, key=lambda name: (format_scale(name) == 1000, format_scale(name) is not None)
    )
    candidates = [*(name for name in names if format_scale(name) != 1000), *OTHER_FORMATS]
    candidates += [name for name in names if format_scale(name) == 1000 and _reaches_1000(table, name)]
    fractions = {name: table.valid(name).double().mean().item() for name in candidates if name != box_format}
    least = MIN_VALID_AS_LIKELY if is_mostly_invalid else 0.98
    likely = [name for name, value in fractions.items() if value >= least]
    if not likely:
        return None
    if not table.limits.isfinite().any():
        # Without sizes, everything fits into the images: name all that fit.
        likely = [name for name in likely if name in FORMAT_NAMES]
    else:
        likely = [max(likely, key=lambda name: fractions[name])]
    if not likely:
        return None
    what = (
        f"{1 - fraction:.0%} of {table.num:,} boxes are not valid as {box_format}, and {fractions[likely[0]]:.0%} are "
        f"valid as {likely[0]}"
    )
    return Finding(f"{what}: {_ask(likely)}", True, _first(~as_given))


def _reaches_1000(table: BoxTable, box_format: str) -> bool:
    """Whether boxes come close to the edge of a frame of 1000, or many stick out of their images."""
    right_bottom = table.corners(box_format)[:, 2:]
    num_outside = int((right_bottom > table.limits + 1).any(dim=1).sum())
    return bool((right_bottom.max(dim=0).values >= 900).any()) or num_outside >= 5


def _from_0_to_1000(table: BoxTable, box_format: BoxFormat) -> Finding | None:
    """Coordinates from 0 to 1000 that fit as pixels, since the images are larger."""
    if format_scale(box_format) is not None:
        return None
    shapes = sorted(["xywh", "xyxy"], key=lambda shape: shape != box_format)
    likely = [f"{shape}_1000" for shape in shapes if table.valid(f"{shape}_1000").all()]
    if not likely:
        return None
    right_bottom = table.corners(likely[0])[:, 2:]
    ends = right_bottom.max(dim=0).values
    if not 850 <= ends.max() <= 1001:
        return None
    is_whole = bool((table.values == table.values.round()).all())
    if not table.all_sizes_known:
        if not (is_whole and table.num >= 5 and ends.min() >= 980):
            return None
        what = f"{table.num:,} boxes end at {ends[0]:g} and {ends[1]:g} at most, and image sizes are unknown"
        return Finding(f"{what}: {_ask(likely)}", False, _first((right_bottom >= 980).any(dim=1)))
    # How unlikely it is that no box lies beyond 1000 px, if boxes are anywhere in the images.
    evidence = -(1000 / table.limits).clamp(max=1).log().sum().item()
    touches = ((right_bottom >= 999) & (table.limits > 1010)).any(dim=1)
    if evidence < (LIKELY if is_whole else 2 * LIKELY):
        return None
    is_certain = (evidence >= CERTAIN and ends.min().item() >= 970) or (is_whole and bool(touches.any()))
    is_certain &= ends.min().item() >= 800
    what = (
        f"no coordinate of {table.num:,} boxes is above {ends.max():g}, although their images have up to "
        f"{table.limits.max():.0f} px"
    )
    beyond = (table.limits > 1010).any(dim=1)
    return Finding(f"{what}: {_ask(likely)}", is_certain, _first(touches if touches.any() else beyond))


def _in_a_corner(table: BoxTable, box_format: BoxFormat) -> Finding | None:
    """All boxes lie in the left and top part of larger images."""
    if format_scale(box_format) is not None or table.num < 5 or not table.all_sizes_known:
        return None
    right_bottom = table.corners(box_format)[:, 2:]
    ends = right_bottom.max(dim=0).values
    evidence = -(ends.max() / table.limits).clamp(max=1).log().sum().item()
    if evidence < 2 * CERTAIN or (right_bottom / table.limits).max() > 0.75:
        return None
    what = (
        f"no coordinate of {table.num:,} boxes is above {ends.max():g}, although their images have up to "
        f"{table.limits.max():.0f} px: are the boxes in percent, or of smaller images?"
    )
    return Finding(what, False, list(range(min(3, table.num))))


def _pixels_read_as_1000(table: BoxTable, box_format: BoxFormat) -> Finding | None:
    """Pixels that fit as coordinates from 0 to 1000, since the images are smaller."""
    name = format_shape(box_format)
    if format_scale(box_format) != 1000 or name not in FORMAT_NAMES or not table.all_sizes_known:
        return None
    if not table.valid(name).all():
        return None
    evidence = -(table.limits / 1000).clamp(max=1).log().sum().item()
    touches = ((table.corners(name)[:, 2:] - table.limits).abs() <= 1).any(dim=1)
    is_certain = evidence >= CERTAIN and int(touches.sum()) >= max(2, 0.03 * table.num)
    if not is_certain and evidence < 2 * LIKELY:
        return None
    what = f"all {table.num:,} boxes lie inside their images of at most {table.limits.max():.0f} px as {name}, too"
    shown = touches if touches.any() else torch.ones_like(touches)
    return Finding(f"{what}: {_ask([name])}", is_certain, _first(shown))


def _of_another_frame(table: BoxTable, box_format: BoxFormat, images: Sequence[Hashable]) -> Finding | None:
    """Boxes of resized images: they end at the edges of a frame that is not the image."""
    if format_scale(box_format) is not None or not table.all_sizes_known:
        return None
    corners = table.corners(box_format)
    if not (corners[:, 2:] > corners[:, :2]).all():
        return None
    frame = find_frame(corners.numpy(), table.limits.numpy(), num_images=len(set(images)))
    if frame is None:
        return None
    return Finding(
        f"the boxes end at the edges of {frame.name}, not of their images ({frame.num_touching} of {table.num:,} touch "
        f"them, and {frame.num_touching_image} touch the edges of the images): {frame.advice}.",
        True,
        frame.rows,
    )


def _fits_two_shapes(table: BoxTable, box_format: BoxFormat) -> Finding | None:
    """All boxes are valid as xywh and as xyxy."""
    other = {"xywh": "xyxy", "xyxy": "xywh"}.get(format_shape(box_format), "") + box_format.removeprefix(
        format_shape(box_format)
    )
    if (
        other not in FORMAT_NAMES
        or table.num < 3
        or not (table.valid(box_format).all() and table.valid(other).all())
    ):
        return None
    what = f"all {table.num:,} boxes are valid as {box_format} and as {other}"
    everything = list(range(min(3, table.num)))
    scale = format_scale(box_format)
    limits = table.limits if scale is None else torch.full_like(table.limits, scale)
    if not limits.isfinite().all():
        if box_format == "xyxy":  # Every such box is valid as xywh in an image that is large enough.
            return None
        # The right edge moves with the left one; the width does not.
        is_certain = table.num >= 30 and _correlation(table.values) > 0.5
        return Finding(
            f"{what}, and image sizes are unknown: is {other} their format?", is_certain, everything
        )
    touching, touching_as_other = (
        ((table.corners(name)[:, 2:] - limits).abs() <= 0.005 * limits).any(dim=1)
        for name in (box_format, other)
    )
    num, num_as_other = int(touching.sum()), int(touching_as_other.sum())
    if num >= max(2, num_as_other):
        return None
    is_certain = num == 0 and num_as_other >= max(3, 0.05 * table.num) and table.num >= 20
    question = _ask([other]) if is_certain else "a wrong --box-format would not show."
    return Finding(f"{what}: {question}", is_certain, everything)


def _correlation(values: Tensor) -> float:
    """The smaller one of the correlations of the first and third, and of the second and fourth number."""
    return min(torch.corrcoef(values[:, [axis, axis + 2]].T)[0, 1].nan_to_num().item() for axis in (0, 1))


def _ask(likely: Sequence[str]) -> str:
    names = " or ".join(filter(None, (", ".join(likely[:-1]), likely[-1])))
    descriptions = [f"{name} is {OTHER_FORMATS[name]}" for name in likely if name in OTHER_FORMATS]
    if "xyxy_1000" in likely:
        descriptions.append("boxes of Gemini and PaliGemma begin with top, left: reorder them first")
    more = f" ({'; '.join(descriptions)})" if descriptions else ""
    use = f" Use --box-format {likely[0]}." if len(likely) == 1 and likely[0] in FORMAT_NAMES else ""
    return f"is {names} their format?{more}{use}"


def _first(mask: Tensor) -> list[int]:
    return mask.nonzero()[:3, 0].tolist()
