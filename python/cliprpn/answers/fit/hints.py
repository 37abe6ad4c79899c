"""The option that a message recommends."""

from __future__ import annotations

from cliprpn.answers.fit.box_table import BoxTable
from cliprpn.answers.fit.padded import lie_in_padded
from cliprpn.data.frames import Frame


def ask(names: list[str]) -> str:
    more = "" if len(names) == 1 else f" (or {', '.join(names[1:3])})"
    return f"are they {' or '.join(names[:3])}? Use --coordinates {names[0]}{more}"


def ask_frame(frame: Frame, table: BoxTable) -> str:
    size, order = round(frame.size), table.order
    options = {
        "square": f"{order}@{size}x{size}",
        "longer": f"{order}@long:{size}",
        "shorter": f"{order}@short:{size}",
        "qwen": f"{order}@smart:28:3136:1003520",
    }
    if frame.kind == "square" and size in (999, 1000):
        return ask([f"{order}_1000"])
    if frame.kind not in options:
        return f"are they of {frame.name}? Name the size, such as --coordinates {order}@1024x1024"
    names = [options[frame.kind]]
    if frame.kind == "square" and lie_in_padded(table, size):
        names.insert(0, f"{order}@padded:{size}")
    more = "".join(f" (or {name})" for name in names[1:])
    return f"are they of {frame.name}? Use --coordinates {names[0]}{more}"
