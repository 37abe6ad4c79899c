"""Boxes in the answers of language models.

Read are Qwen-VL (`<ref>..</ref><box>(x1,y1),(x2,y2)</box>`, its later `<|box_start|>` tokens, and JSON with
`bbox_2d`), InternVL (`<box>[[x1, y1, x2, y2]]</box>`), DeepSeek-VL2 (`<|det|>[[..]]<|/det|>`), Florence-2 (`<loc_0>`),
PaliGemma (`<loc0000>`), and any JSON of detections in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cliprpn.detectors.results.box_forms import BoxForm

NUMBER = r"\s*(-?\d{1,7}(?:\.\d{1,9})?)\s*"
FOUR = rf"\[{NUMBER},{NUMBER},{NUMBER},{NUMBER}\]"
PAIRS = re.compile(rf"\({NUMBER},{NUMBER}\)\s*,\s*\({NUMBER},{NUMBER}\)")
# One bracket: `[[..], [..]]` contains several.
BRACKETS = re.compile(FOUR)
TAGGED = re.compile(
    r"(?:<ref>([^<]*)</ref>\s*|<\|object_ref_start\|>([^<]*)<\|object_ref_end\|>\s*|<\|ref\|>([^<]*)<\|/ref\|>\s*)?"
    r"(<box>|<\|box_start\|>|<\|det\|>)([^<]*)"
)
FLORENCE = re.compile(r"(?:<loc_\d{1,4}>){4,400}")
LOC = re.compile(r"<loc_(\d{1,4})>")
PALIGEMMA = re.compile(r"<loc(\d{4})><loc(\d{4})><loc(\d{4})><loc(\d{4})>(?:\s*<seg\d{3}>)*\s*([^<;]{0,300})")
QWEN_FORM = BoxForm("xyxy", 1000, known_order=True, known_scale=True)
DEEPSEEK_FORM = BoxForm("xyxy", 999, known_order=True, known_scale=True)
FLORENCE_FORM = BoxForm("xyxy", 1000, known_order=True, known_scale=True, bins=True)
PALIGEMMA_FORM = BoxForm("yxyx", 1024, known_order=True, known_scale=True)
BARE_FORM = BoxForm("xyxy", unsure=True)
MAX_JSON_STARTS = 20
MAX_NAME_CHARS = 300

TextBox = tuple[list[float], BoxForm, str | None]


def boxes_in_text(text: str) -> list[TextBox]:
    """The boxes of the first notation that the text has, with their form and class name; empty if it has none."""
    for read in (_tagged, _paligemma, _florence, _bare):
        boxes = list(read(text))
        if boxes:
            return boxes
    return []


def json_in_text(text: str) -> Any:
    """The first JSON list or object of the text, as in a fenced block; None if there is none."""
    decoder = json.JSONDecoder()
    starts = (match.start() for match in re.finditer(r"[\[{]", text))
    for _, start in zip(range(MAX_JSON_STARTS), starts, strict=False):
        try:
            value, _ = decoder.raw_decode(text, start)
        except RecursionError:
            return None
        except ValueError:
            continue
        if isinstance(value, dict) or (
            isinstance(value, list) and any(isinstance(item, dict) for item in value)
        ):
            return value
    return None


def _tagged(text: str) -> Iterator[TextBox]:
    for match in TAGGED.finditer(text):
        *names, tag, content = match.groups()
        name = next((each.strip() for each in names if each and each.strip()), None)
        for pattern in (PAIRS, BRACKETS):
            for box in pattern.finditer(content):
                yield _numbers(box), DEEPSEEK_FORM if tag == "<|det|>" else QWEN_FORM, name


def _paligemma(text: str) -> Iterator[TextBox]:
    for match in PALIGEMMA.finditer(text):
        *bins, name = match.groups()
        yield [float(each) for each in bins], PALIGEMMA_FORM, name.strip() or None


def _florence(text: str) -> Iterator[TextBox]:
    """A name and the boxes of it, four tokens each; other polygons are left out."""
    for match in FLORENCE.finditer(text):
        bins = [float(each) for each in LOC.findall(match[0])]
        before = text[max(0, match.start() - MAX_NAME_CHARS) : match.start()]
        name = before.rpartition(">")[2].strip() or None
        if len(bins) % 4 == 0:
            for start in range(0, len(bins), 4):
                yield bins[start : start + 4], FLORENCE_FORM, name


def _bare(text: str) -> Iterator[TextBox]:
    for match in BRACKETS.finditer(text):
        yield _numbers(match), BARE_FORM, None


def _numbers(match: re.Match[str]) -> list[float]:
    return [float(each) for each in match.groups()]
