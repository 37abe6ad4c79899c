"""Opens an .onnx file as a function of one tensor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cliprpn.errors import CliprpnError

Shape = list[int | str]


class OnnxFile:
    """A graph with one input and one output, both float32.

    Attributes:
        file: where it came from.
        input_shape: a side that the graph leaves open is a name.
        warning: for a person, where it does not run on the device that was asked for; else None.
    """

    def __init__(self, file: Path, session: Any, device: torch.device) -> None:
        self.file = file
        self.input_shape: Shape = _float_shape(file, "input", session.get_inputs())
        self.warning = _warning(session.get_providers(), device)
        _float_shape(file, "output", session.get_outputs())
        self._input_name: str = session.get_inputs()[0].name
        self._session = session

    def __call__(self, tensor: Tensor) -> Tensor:
        """What the graph makes of a float32 tensor on the CPU; one on the CPU too.

        Raises:
            CliprpnError: weights_mismatch, where the graph breaks over it.
        """
        try:
            (output,) = self._session.run(None, {self._input_name: tensor.numpy()})
        except Exception as error:  # Classes of onnxruntime's own, which share no base.
            shape = "x".join(str(side) for side in tensor.shape)
            raise CliprpnError(
                "weights_mismatch",
                f"{self.file}: expected a graph that takes {shape}, found one that breaks over it: "
                f"{_short(error)}",
            ) from error
        return torch.from_numpy(output)


def open_onnx(file: Path, device: torch.device) -> OnnxFile:
    """Loads a graph, with torch's number of threads on the CPU, or on a GPU that onnxruntime can use.

    A stranger's file is safe to open: a graph is data, of operators that onnxruntime has compiled in. Those of
    other libraries are refused, for none is registered. Numbers in other files are refused too, wherever these
    lie: the path below which they are looked for is the .onnx itself, and onnxruntime (tried with 1.32) lets
    none out of it, by `..`, absolutely, by link or by address in memory. So the file's SHA-256 covers all that
    is computed. What remains is a graph that asks for more memory or time than there is.

    Raises:
        CliprpnError: package_missing, weights_missing, weights_mismatch.
    """
    ort = _onnxruntime()
    if not file.is_file():
        raise CliprpnError("weights_missing", f"{file}: expected an .onnx, found no file")
    options = ort.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # Errors come as exceptions.
    options.use_deterministic_compute = True
    # Waiting threads sleep: torch's work comes between two graphs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(file))
    try:
        session = ort.InferenceSession(file.read_bytes(), options, providers=_providers(ort, device))
    except Exception as error:  # Classes of onnxruntime's own, which share no base.
        raise CliprpnError(
            "weights_mismatch",
            f"{file}: expected an .onnx that onnxruntime can run, all its weights in the file itself, found: "
            f"{_short(error)}; export it again",
        ) from error
    return OnnxFile(file, session, device)


def describe(shape: Shape) -> str:
    """A shape for a person: 1x3x416x416."""
    return "x".join(str(side) for side in shape) or "a single number"


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise CliprpnError(
            "package_missing",
            f"an .onnx detector needs the Python package onnxruntime, which is not there: {error}",
        ) from error
    return onnxruntime


def _providers(ort: Any, device: torch.device) -> list[Any]:
    if device.type != "cuda" or "CUDAExecutionProvider" not in ort.get_available_providers():
        return ["CPUExecutionProvider"]
    return [("CUDAExecutionProvider", {"device_id": device.index or 0}), "CPUExecutionProvider"]


def _warning(providers: list[str], device: torch.device) -> str | None:
    """CUDA that is there may still not start: what counts is what the session took."""
    if device.type == "cpu" or "CUDAExecutionProvider" in providers:
        return None
    return (
        f"the detector runs on the CPU, not on {device}: the installed onnxruntime has no such provider"
        + ("; the package onnxruntime-gpu has it" if device.type == "cuda" else "")
    )


def _float_shape(file: Path, what: str, found: list[Any]) -> Shape:
    if len(found) == 1 and found[0].type == "tensor(float)":
        return list(found[0].shape)
    listed = ", ".join(f"{each.name}: {each.type} {describe(each.shape)}" for each in found) or "none"
    raise CliprpnError(
        "weights_mismatch", f"{file}: expected one {what}, of tensor(float), found {listed[:300]}"
    )


def _short(error: Exception) -> str:
    """The first line of onnxruntime's words, without its codes."""
    first = str(error).partition("\n")[0]
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", first)[:300]
