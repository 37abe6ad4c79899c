"""Starts an optional package and computes something small with it, for `doctor`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cliprpn.detectors.onnx_file import import_onnxruntime
from cliprpn.detectors.ultralytics_env import quiet_ultralytics
from cliprpn.errors import CliprpnError

# An .onnx file whose graph returns its input, of one float32.
IDENTITY = bytes.fromhex(
    "08083a3c0a120a017812017922084964656e746974793a0012046d6164655a0f0a017812"
    "0a0a08080112040a020801620f0a0179120a0a08080112040a0208014202100d"
)


def check_extra(name: str, cache_dir: Path) -> None:
    """Runs a graph in onnxruntime, or builds a YOLO and runs it.

    Args:
        name: onnx or yolo.
        cache_dir: for ultralytics' settings files.

    Raises:
        CliprpnError: package_missing, environment_broken.
    """
    try:
        if name == "onnx":
            _run_onnx()
        else:
            _run_yolo(cache_dir)
    except CliprpnError:
        raise
    except Exception as error:  # A package that is not built for this machine can raise anything.
        message = str(error).strip().partition("\n")[0]
        raise CliprpnError("environment_broken", f"{type(error).__name__}: {message}") from error


def _run_onnx() -> None:
    session = import_onnxruntime().InferenceSession(IDENTITY, providers=["CPUExecutionProvider"])
    (output,) = session.run(None, {"x": np.ones(1, dtype=np.float32)})
    if output.tolist() != [1.0]:
        raise CliprpnError("environment_broken", f"expected [1.0], found {output.tolist()}")


def _run_yolo(cache_dir: Path) -> None:
    with quiet_ultralytics(cache_dir), torch.inference_mode():
        from ultralytics.nn.tasks import DetectionModel

        DetectionModel("yolov8n.yaml", verbose=False).eval()(torch.zeros(1, 3, 64, 64))
