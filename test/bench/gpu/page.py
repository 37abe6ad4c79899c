"""Rows as lines, and as a page of markdown with a table for each kind of measurement."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from bench.gpu.features import BLOCK, Size
from bench.gpu.row import Row
from cliprpn.inference.predict import EVAL_BATCH_SIZE

# Hoped for on an H200, in seconds an epoch, by the start of the part's name.
HOPED_S = {"default": 2.0, "reference": 3.0}
GIB = 2**30

# By figure: the name of its column, and its text.
COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "epoch_s": ("s per epoch", lambda x: f"{x:.2f}"),
    "step_ms": ("ms per step", lambda x: f"{x:.2f}"),
    "val_s": ("of it val (s)", lambda x: f"{x:.2f}"),
    "times_faster": ("plain loop / this", lambda x: f"{x:.2f}"),
    "roofline_share": ("share of roofline", lambda x: f"{x:.0%}"),
    "operator_share": ("share with operators' traffic", lambda x: f"{x:.0%}"),
    "launches": ("launches", lambda x: f"{x:.0f}"),
    "waits": ("waits of the host", lambda x: f"{x:.2f}"),
    "images_per_s": ("images per s", lambda x: f"{x:.0f}"),
    "share_of_network": ("share of the network alone", lambda x: f"{x:.0%}"),
    "p50_ms": ("p50 (ms)", lambda x: f"{x:.1f}"),
    "p95_ms": ("p95 (ms)", lambda x: f"{x:.1f}"),
    "cold_ms": ("cold (ms)", lambda x: f"{x:.0f}"),
    "device_start_ms": ("start of the device (ms)", lambda x: f"{x:.0f}"),
    "bf16_flops_per_s": ("bf16 TFLOP/s", lambda x: f"{x / 1e12:.3g}"),
    "fp32_flops_per_s": ("fp32 TFLOP/s", lambda x: f"{x / 1e12:.3g}"),
    "bytes_per_s": ("memory GB/s", lambda x: f"{x / 1e9:.0f}"),
    "flops": ("GFLOP per step", lambda x: f"{x / 1e9:.0f}"),
    "least_bytes": ("least GB per step", lambda x: f"{x / 1e9:.2f}"),
    "operator_bytes": ("operators' GB per step", lambda x: f"{x / 1e9:.2f}"),
    "features_bytes": ("size (GB)", lambda x: f"{x / 1e9:.2f}"),
    "making_s": ("s to make", lambda x: f"{x:.1f}"),
    "peak_device_bytes": ("peak memory of the device (GiB)", lambda x: f"{x / GIB:.2f}"),
    "peak_process_bytes": ("of the process (GiB)", lambda x: f"{x / GIB:.2f}"),
}


COST = ("flops", "least_bytes", "operator_bytes")


def derive(rows: list[Row]) -> list[Row]:
    """The rows with the figures that depend on others: shares of the roofline, and the plain loop's time over ours."""
    peaks = next((row.figures for row in rows if row.part == "peaks" and row.figures), None)
    epochs = {row.part: row.figures["epoch_s"] for row in rows if "epoch_s" in row.figures}
    costs = {row.part: {key: row.figures[key] for key in COST} for row in rows if "flops" in row.figures}
    derived = []
    for row in rows:
        # The plain loop must compute and move what ours must.
        figures = costs.get(row.part.removesuffix("-plain"), {}) | row.figures
        if peaks is not None and "flops" in figures:
            flops_s = figures["flops"] / peaks[f"{_precision(row)}_flops_per_s"]
            step_s = figures["step_ms"] / 1000
            for name, kind in (("roofline_share", "least"), ("operator_share", "operator")):
                traffic_s = figures[f"{kind}_bytes"] / peaks["bytes_per_s"]
                figures[name] = max(flops_s, traffic_s) / step_s
        plain = epochs.get(f"{row.part.removesuffix('-graphs')}-plain")
        if plain is not None and "epoch_s" in figures:
            figures["times_faster"] = plain / figures["epoch_s"]
        derived.append(dataclasses.replace(row, figures=figures))
    return derived


def line(row: Row) -> str:
    """One line for a terminal."""
    if row.problem is not None:
        return f"{row.part}: {row.problem}"
    texts = [
        f"{name} {text(row.figures[key])}" for key, (name, text) in COLUMNS.items() if key in row.figures
    ]
    hoped = _hoped(row)
    return "; ".join([f"{row.what}: {', '.join(texts)}", *([hoped] if hoped else []), *row.notes])


def page(rows: list[Row], size: Size, command: str, elapsed_s: float) -> str:
    """Everything, as markdown."""
    machine = next((row.notes for row in rows if row.part == "machine"), [])
    measured = [row for row in rows if row.problem is None and row.part != "machine"]
    problems = [row for row in rows if row.problem is not None]
    tables = [
        ("Training", [row for row in measured if "epoch_s" in row.figures]),
        ("Extraction", [row for row in measured if row.part == "extraction"]),
        ("`ground`", [row for row in measured if row.part == "ground"]),
        ("Calls of CUDA in a training step", [row for row in measured if "launches" in row.figures]),
        ("Features", [row for row in measured if row.part == "features"]),
        ("Peaks of the device", [row for row in measured if row.part == "peaks"]),
    ]
    lines = ["# Results of `npm run bench:gpu`", "", f"`{command}`, {elapsed_s / 60:.1f} minutes.", ""]
    lines += [f"- {fact}" for fact in machine]
    lines += ["", _explain(size)]
    for title, part in tables:
        if part:
            lines += ["", f"## {title}", "", *_table(part)]
    if problems:
        lines += ["", "## Not measured", "", *(f"- {row.part}: {row.problem}" for row in problems)]
    return "\n".join(lines) + "\n"


def _explain(size: Size) -> str:
    return (
        f"Made features: {sum(size.num_images):,} maps of {size.features[0]} x {size.grid} x {size.grid} in float16, "
        f"{size.num_sentences[0]:,} training and {size.num_sentences[1]:,} val expressions with 10.5 tokens on "
        f"average; values repeat after {BLOCK}. An epoch ends with its pass over val, in batches of "
        f"{EVAL_BATCH_SIZE}. The plain loop has the same modules, losses and optimizer, a DataLoader with pinned "
        "memory, and the same float32 without TF32. Share of roofline: the larger of FLOPs over the measured peak of "
        "the precision, and least traffic over the measured bandwidth, relative to the time of a step; least traffic "
        "is the batch's features and 40 bytes per parameter."
    )


def _table(rows: list[Row]) -> list[str]:
    keys = [key for key in COLUMNS if any(key in row.figures for row in rows)]
    names = [COLUMNS[key][0] for key in keys]
    lines = [f"| what | {' | '.join(names)} | notes |", f"|---|{'---|' * (len(keys) + 1)}"]
    for row in rows:
        cells = [COLUMNS[key][1](row.figures[key]) if key in row.figures else "" for key in keys]
        notes = "; ".join([*row.notes, *([hoped] if (hoped := _hoped(row)) else [])])
        lines.append(f"| {row.what} | {' | '.join(cells)} | {notes} |")
    return lines


def _hoped(row: Row) -> str | None:
    """Of cliprpn's epochs, at full size."""
    limit = HOPED_S.get(row.part.split("-")[0])
    if limit is None or row.part.endswith("-plain") or "epoch_s" not in row.figures:
        return None
    if row.figures["num_steps"] < 1000:
        return None  # Not RefCOCOg's size.
    met = row.figures["epoch_s"] <= limit
    return f"hoped for on an H200: <= {limit:g} s, {'met' if met else 'missed'}"


def _precision(row: Row) -> str:
    return "bf16" if "bf16" in row.part else "fp32"


def as_json(rows: list[Row], facts: dict[str, Any]) -> dict[str, Any]:
    """Everything, for programs."""
    return {**facts, "rows": [dataclasses.asdict(row) for row in rows]}
