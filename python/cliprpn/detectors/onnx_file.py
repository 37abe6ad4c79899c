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
        file: the .onnx that was opened.
        input_shape: the input's sides; dynamic ones are names.
        warning: message for the user if the graph does not run on the requested device; else None.
    """

    def __init__(self, file: Path, session: Any, device: torch.device) -> None:
        self.file = file
        self.input_shape: Shape = _float_shape(file, "input", session.get_inputs())
        self.warning = _device_warning(session.get_providers(), device)
        _float_shape(file, "output", session.get_outputs())
        self._input_name: str = session.get_inputs()[0].name
        self._session = session

    def __call__(self, tensor: Tensor) -> Tensor:
        """Runs the graph on a float32 CPU tensor and returns a CPU tensor.

        Raises:
            CliprpnError: weights_mismatch, if the graph fails.
        """
        try:
            (output,) = self._session.run(None, {self._input_name: tensor.numpy()})
        except Exception as error:  # onnxruntime's exceptions share no base class.
            raise CliprpnError(
                "weights_mismatch",
                f"{self.file}: expected a graph that accepts an input of {format_shape(list(tensor.shape))}, "
                f"found one that fails on it: {_first_line(error)}",
            ) from error
        return torch.from_numpy(output)


def open_onnx(file: Path, device: torch.device) -> OnnxFile:
    """Loads a graph to run on the CPU with torch's number of threads, or on a GPU if onnxruntime supports it.

    Opening an untrusted file is safe: a graph is data that can use only operators compiled into onnxruntime. Custom
    operators are refused, as no library is registered. External weights are refused too: onnxruntime (tested with
    1.32) only reads below `external_initializers_file_folder_path`, which is set to the .onnx itself, and allows
    no way out of it (`..`, absolute paths, links, memory addresses). So the file's SHA-256 covers everything that is
    computed. A graph can still request more memory or time than there is.

    Raises:
        CliprpnError: package_missing, weights_missing, weights_mismatch.
    """
    ort = _import_onnxruntime()
    if not file.is_file():
        raise CliprpnError("weights_missing", f"{file}: expected an .onnx, found no file")
    options = ort.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # Errors are raised as exceptions.
    options.use_deterministic_compute = True
    # Idle threads sleep: torch computes between two runs of the graph.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(file))
    try:
        session = ort.InferenceSession(file.read_bytes(), options, providers=_providers(ort, device))
    except Exception as error:  # onnxruntime's exceptions share no base class.
        raise CliprpnError(
            "weights_mismatch",
            f"{file}: expected an .onnx that onnxruntime can run, with all weights in the file itself, found: "
            f"{_first_line(error)}; export it again",
        ) from error
    return OnnxFile(file, session, device)


def format_shape(shape: Shape) -> str:
    """Formats a shape for messages: 1x3x416x416."""
    return "x".join(str(side) for side in shape) or "a scalar"


def _import_onnxruntime() -> Any:
    """
    Raises:
        CliprpnError: package_missing.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise CliprpnError(
            "package_missing",
            f"an .onnx detector needs the Python package onnxruntime, which is not installed: {error}",
        ) from error
    return onnxruntime


def _providers(ort: Any, device: torch.device) -> list[Any]:
    if device.type != "cuda" or "CUDAExecutionProvider" not in ort.get_available_providers():
        return ["CPUExecutionProvider"]
    return [("CUDAExecutionProvider", {"device_id": device.index or 0}), "CPUExecutionProvider"]


def _device_warning(providers: list[str], device: torch.device) -> str | None:
    """A warning if the session does not run on the device: an available CUDA provider may still fail to start."""
    if device.type == "cpu" or "CUDAExecutionProvider" in providers:
        return None
    return (
        f"the detector runs on the CPU, not on {device}: the installed onnxruntime has no provider for it"
        + ("; the package onnxruntime-gpu has one" if device.type == "cuda" else "")
    )


def _float_shape(file: Path, what: str, nodes: list[Any]) -> Shape:
    """Shape of the graph's only input or output.

    Raises:
        CliprpnError: weights_mismatch.
    """
    if len(nodes) == 1 and nodes[0].type == "tensor(float)":
        return list(nodes[0].shape)
    found = ", ".join(f"{node.name}: {node.type} {format_shape(node.shape)}" for node in nodes) or "none"
    raise CliprpnError(
        "weights_mismatch", f"{file}: expected one {what}, of tensor(float), found {found[:300]}"
    )


def _first_line(error: Exception) -> str:
    """First line of onnxruntime's message, without its codes."""
    first = str(error).partition("\n")[0]
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", first)[:300]
