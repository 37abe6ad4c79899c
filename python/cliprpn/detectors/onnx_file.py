"""Opens an .onnx file as a function of one tensor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cliprpn.detectors.onnx_repositories import name_exporter, name_missing_operator
from cliprpn.errors import CliprpnError

Shape = list[int | str]
# onnxruntime's name of a type -> torch's.
FLOAT_TYPES = {
    "tensor(float)": torch.float32,
    "tensor(float16)": torch.float16,
    "tensor(double)": torch.float64,
}
# An untrusted file may request more memory than there is. A side of 4096 is the limit of image_size_px in the schema.
MAX_BATCH_SIZE = 64
MAX_SIDE_PX = 4096


class OnnxFile:
    """A graph with one input and one output, of floats of any precision.

    Attributes:
        file: the .onnx that was opened.
        input_shape: the input's sides; dynamic ones are names.
        batch_size: images that the graph takes at a time; 1 if it takes any number.
        metadata: what the exporter wrote into the file, as text.
        warning: message for the user if the graph does not run on the requested device; else None.
    """

    def __init__(self, file: Path, session: Any, device: torch.device) -> None:
        inputs, outputs = session.get_inputs(), session.get_outputs()
        self.file = file
        self.metadata = _read_metadata(session)
        exporter = name_exporter(
            [node.name for node in inputs], {node.name: len(node.shape) for node in outputs}
        )
        if exporter is not None:
            raise CliprpnError("weights_mismatch", f"{file}: {exporter}")
        image, output = (
            _float_node(file, "input", inputs),
            _float_node(file, "output", _main_outputs(outputs)),
        )
        self.input_shape: Shape = list(image.shape)
        self.batch_size = _check_size(file, self.input_shape)
        self.warning = _device_warning(session.get_providers(), device)
        self._dtype = FLOAT_TYPES[image.type]
        self._input_name: str = image.name
        self._output_name: str = output.name
        self._session = session

    def __call__(self, tensor: Tensor) -> Tensor:
        """Runs the graph on a float32 CPU tensor and returns a float32 CPU tensor.

        A graph for a fixed number of images gets the missing ones as zeros.

        Args:
            tensor: [B, ...], B at most `batch_size`, unless that is 1.

        Returns:
            one row per image, unless the graph's output has less than three axes.

        Raises:
            CliprpnError: weights_mismatch, if the graph fails.
        """
        num_images = len(tensor)
        padding = tensor.new_zeros(max(0, self.batch_size - num_images), *tensor.shape[1:])
        inputs = torch.cat([tensor, padding]).to(self._dtype)
        try:
            (output,) = self._session.run([self._output_name], {self._input_name: inputs.numpy()})
        except Exception as error:  # onnxruntime's exceptions share no base class.
            raise CliprpnError(
                "weights_mismatch",
                f"{self.file}: expected a graph that accepts an input of {format_shape(list(inputs.shape))}, "
                f"found one that fails on it: {_first_line(error)}",
            ) from error
        outputs = torch.from_numpy(output).float()
        if outputs.ndim < 3:
            return outputs
        if len(outputs) != len(inputs):
            raise CliprpnError(
                "weights_mismatch",
                f"{self.file}: expected one output per image, found {format_shape(list(outputs.shape))} for "
                f"{len(inputs)} images",
            )
        return outputs[:num_images]


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
    ort = import_onnxruntime()
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
        exporter = name_missing_operator(str(error))
        raise CliprpnError(
            "weights_mismatch",
            f"{file}: {exporter}"
            if exporter is not None
            else f"{file}: expected an .onnx that onnxruntime can run, with all weights in the file itself, found: "
            f"{_first_line(error)}; export it again",
        ) from error
    return OnnxFile(file, session, device)


def format_shape(shape: Shape) -> str:
    """Formats a shape for messages: 1x3x416x416."""
    return "x".join(str(side) for side in shape) or "a scalar"


def import_onnxruntime() -> Any:
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


def _read_metadata(session: Any) -> dict[str, str]:
    try:
        return dict(session.get_modelmeta().custom_metadata_map)
    except UnicodeDecodeError:  # Without metadata, a message says what is missing.
        return {}


def _main_outputs(outputs: list[Any]) -> list[Any]:
    """The predictions, without the raw maps per stride, [B, anchors, h, w, C], that early YOLOv5 exports add."""
    predictions = [node for node in outputs if len(node.shape) != 5]
    return predictions if len(predictions) == 1 else outputs


def _float_node(file: Path, what: str, nodes: list[Any]) -> Any:
    """The graph's only input or output.

    Raises:
        CliprpnError: weights_mismatch.
    """
    if len(nodes) == 1 and nodes[0].type in FLOAT_TYPES:
        return nodes[0]
    found = ", ".join(f"{node.name}: {node.type} {format_shape(node.shape)}" for node in nodes) or "none"
    raise CliprpnError(
        "weights_mismatch",
        f"{file}: expected one {what}, of tensor(float) or tensor(float16), found {found[:300]}",
    )


def _check_size(file: Path, shape: Shape) -> int:
    """Number of images in an input of a fixed size; 1 if it is dynamic.

    Raises:
        CliprpnError: weights_mismatch, if the input is too large.
    """
    batch_size = shape[0] if shape and isinstance(shape[0], int) else 1
    sides = [side for side in shape[1:] if isinstance(side, int)]
    if 1 <= batch_size <= MAX_BATCH_SIZE and all(1 <= side <= MAX_SIDE_PX for side in sides):
        return batch_size
    raise CliprpnError(
        "weights_mismatch",
        f"{file}: expected an input of at most {MAX_BATCH_SIZE} images with sides of at most {MAX_SIDE_PX} px, "
        f"found {format_shape(shape)}",
    )


def _first_line(error: Exception) -> str:
    """First line of onnxruntime's message, without its codes."""
    first = str(error).partition("\n")[0]
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", first)[:300]
