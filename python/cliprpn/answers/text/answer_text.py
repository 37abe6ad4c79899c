"""The box in the text that a model wrote, in bounded time."""

from __future__ import annotations

import re

from cliprpn.answers.coordinates.coordinates import coordinates_of
from cliprpn.answers.text.answer_json import BOX_KEYS, GEMINI_KEY, box_in_json, gemini_box, has_fours
from cliprpn.answers.text.box_values import BRACKETED, NUMBER, SCALAR, TextBox, box_of
from cliprpn.detectors.results.box_forms import BoxForm
from cliprpn.detectors.results.texts import BARE_FORM, boxes_in_text, json_in_text

# The answer to "where is it" is short; what comes after it is not read.
MAX_CHARS = 20_000
# What models that think aloud write around their thoughts.
_THOUGHT = "think|thinking|thought|thoughts|reasoning"
THOUGHT_START = re.compile(rf"<(?:{_THOUGHT})>|◁think▷", re.IGNORECASE)
THOUGHT_END = re.compile(rf"</(?:{_THOUGHT})>|◁/think▷", re.IGNORECASE)
ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)
# A box under a usual key, in JSON that is broken or Python's notation.
KEYED = re.compile(rf"\b({'|'.join(BOX_KEYS)})['\"]?\s{{0,5}}[:=]\s{{0,5}}\[{{0,2}}{BRACKETED}")
FOUR = re.compile(BRACKETED)
PAIR = rf"\(\s*{NUMBER}\s*,\s*{NUMBER}\s*\)"
PAIRS = re.compile(rf"{PAIR}[\s,]{{0,5}}{PAIR}")
# Numbers with nothing but separators between them. It also takes what is no number, such as 1e300, so that none of
# its digits count as one.
RUN = re.compile(r"(?<![\w.])-?\d(?:[\w+\-]|\.(?=\d))*(?:[\s,;]{1,5}-?\d(?:[\w+\-]|\.(?=\d))*)*")
SEPARATOR = re.compile(r"[\s,;]+")


def box_in_text(text: str) -> TextBox | None:
    """The first box of a text; None if there is none. Known notations of models come first."""
    text = _final(text)[:MAX_CHARS]
    boxes = boxes_in_text(text)
    if boxes and boxes[0][1] is not BARE_FORM:
        numbers, form, _ = boxes[0]
        return _certain(numbers, form, len(boxes))
    text = SCALAR.sub(r"\1", text)
    value = json_in_text(text) if "{" in text else None
    found = None if value is None else box_in_json(value)
    if found is None:
        found = _keyed(text)
    if found is not None:
        return found
    if value is not None and has_fours(value):
        return None
    for pattern in (FOUR, PAIRS):
        matches = list(pattern.finditer(text))
        if matches:
            box = box_of(matches[0].groups())
            return None if box is None else TextBox(box, None, len(matches))
    return _run(text)


def _final(text: str) -> str:
    """What a model that thinks aloud says in the end; the boxes that it considered before are no answers."""
    ends = list(THOUGHT_END.finditer(text))
    after = text[ends[-1].end() :] if ends else text
    answer = ANSWER.search(after)
    # Thoughts that were cut off have no answer after them.
    return answer[1] if answer is not None else THOUGHT_START.split(after, maxsplit=1)[0]


def _keyed(text: str) -> TextBox | None:
    matches = list(KEYED.finditer(text))
    box = box_of(matches[0].groups()[1:]) if matches else None
    if box is None:
        return None
    found = TextBox(box, None, len(matches))
    return gemini_box(found) if matches[0][1] == GEMINI_KEY else found


def _run(text: str) -> TextBox | None:
    """Four numbers without brackets around them."""
    for match in RUN.finditer(text):
        sides = SEPARATOR.split(match[0])
        if len(sides) == 4 and all(re.fullmatch(NUMBER, side) for side in sides):
            box = None if _is_cut_off(text, match) else box_of(sides)
            return None if box is None else TextBox(box, None, 1)
    return None


def _is_cut_off(text: str, match: re.Match[str]) -> bool:
    """Whether the text ends within a bracket, after what may be a part of the last number."""
    before, after = text[: match.start()], text[match.end() :]
    is_open = any(before.count(start) > before.count(end) for start, end in ("[]", "()", "{}"))
    return not after.strip(" .") and (is_open or len(text) == MAX_CHARS)


def _certain(numbers: list[float], form: BoxForm, num_boxes: int) -> TextBox | None:
    """A box of a known notation, as coordinates of the contract."""
    if form.order == "yxyx":
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    if form.bins:
        numbers = [number + 0.5 for number in numbers]
    order = "xyxy" if form.order == "yxyx" else form.order
    full = form.full
    if full is not None and full not in (1, 1000):
        numbers, full = [number / full for number in numbers], 1
    box = box_of(numbers)
    if box is None:
        return None
    if not (form.known_order and form.known_scale) or form.unsure:
        return TextBox(box, None, num_boxes)
    suffix = "" if full is None else "_norm" if full == 1 else "_1000"
    return TextBox(box, coordinates_of(order + suffix), num_boxes)
