"""Caption-like texts about drawn scenes; none of the demo's referring templates."""

from __future__ import annotations

import random
from dataclasses import astuple, dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Phrase:
    """What a text says of one object; None where it says nothing."""

    kind: str | None
    color: str | None
    mark: str | None
    size: str | None
    place: str | None


def which_are_true(phrases: list[Phrase], objects: list[Phrase]) -> Tensor:
    """Whether everything that a phrase says holds for a fully described object: [N objects, N phrases], bool."""
    numbers: dict[str | None, int] = {None: -1}
    said, full = (
        torch.tensor([[numbers.setdefault(value, len(numbers)) for value in astuple(one)] for one in group])
        for group in (phrases, objects)
    )
    return ((said[None] == full[:, None]) | (said[None] == -1)).all(dim=2)


def describe(item: dict[str, Any], width: int, height: int) -> Phrase:
    """Everything there is to say of an object of `scenes.jsonl`."""
    x1, y1, x2, y2 = item["box_xyxy"]
    area = (x2 - x1) * (y2 - y1) / (width * height)
    size = "big" if area > 0.09 else "little" if area < 0.045 else "medium"
    column = _third((x1 + x2) / 2 / width, ("left", "center", "right"))
    row = _third((y1 + y2) / 2 / height, ("upper", "middle", "lower"))
    return Phrase(item["kind"], item["color"], item["mark"], size, f"{row} {column}")


def some_of(full: Phrase, rng: random.Random) -> Phrase:
    """A phrase that says a part of the whole: always kind or colour, the rest by lot."""
    kind = full.kind if rng.random() < 0.88 else None
    return Phrase(
        kind=kind,
        color=full.color if kind is None or rng.random() < 0.65 else None,
        mark=full.mark if rng.random() < 0.35 else None,
        size=full.size if rng.random() < 0.25 else None,
        place=full.place if rng.random() < 0.2 else None,
    )


def say(phrase: Phrase, rng: random.Random) -> str:
    """The phrase in words: "a big red star showing a dot, drawn in the upper left"."""
    words = [word for word in (phrase.size, phrase.color) if word is not None and word != "medium"]
    text = " ".join([*words, phrase.kind or rng.choice(("thing", "shape", "object"))])
    if phrase.mark == "none":
        text = rng.choice((f"plain {text}", f"{text} showing nothing"))
    elif phrase.mark is not None:
        text = f"{text} {rng.choice(('showing', 'decorated by'))} a {phrase.mark}"
    if phrase.place is not None:
        text = f"{text} {rng.choice(('drawn in the', 'in the'))} {phrase.place} part"
    return rng.choice((text, f"there is a {text}", f"a {text}"))


def caption(objects: list[Phrase], rng: random.Random) -> str:
    """One text for the whole picture: some of its objects, in any order."""
    chosen = rng.sample(objects, k=min(len(objects), rng.randint(2, 4)))
    listed = " and ".join(say(some_of(item, rng), rng) for item in chosen)
    return f"{rng.choice(('a drawing of', 'a picture with', 'we see'))} {listed}"


def _third(share: float, names: tuple[str, str, str]) -> str:
    return names[min(2, int(share * 3))]
