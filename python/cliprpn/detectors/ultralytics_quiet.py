"""The one door to ultralytics: it stays offline, installs and prints nothing, and leaves the process as it was."""

from __future__ import annotations

import importlib
import io
import logging
import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision  # noqa: F401  # ultralytics suppresses by torchvision's NMS only where it is loaded already.
from PIL import Image

from cliprpn.errors import CliprpnError

LOGGERS = ("clearml", "comet", "dvc", "mlflow", "raytune", "tensorboard", "wandb")


@contextmanager
def quiet_ultralytics(cache_dir: Path) -> Iterator[None]:
    """Only within may ultralytics be imported, load weights or train.

    Its own files (settings) go below `cache_dir`. What it changes of the process is put back: seeds' states,
    threads, deterministic algorithms, environment variables, print options, `torch.save`, `PIL.Image.open`,
    warning filters, standard output.

    Raises:
        CliprpnError: package_missing.
    """
    with ExitStack() as stack:
        stack.callback(_globals())
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(redirect_stdout(io.StringIO()))
        _load(cache_dir)
        yield


def _load(cache_dir: Path) -> None:
    """Imports it, once per process; what it reads from the environment it reads then."""
    os.environ.update(
        YOLO_OFFLINE="true",
        YOLO_AUTOINSTALL="false",
        YOLO_VERBOSE="false",
        YOLO_CONFIG_DIR=str(cache_dir / "ultralytics"),
        MPLCONFIGDIR=str(cache_dir / "ultralytics"),
        NO_ALBUMENTATIONS_UPDATE="1",
    )
    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    try:
        utils = importlib.import_module("ultralytics.utils")
        # In memory only: its file may be another process's at this moment.
        dict.update(utils.SETTINGS, {"sync": False, **{name: False for name in LOGGERS}})
        importlib.import_module("ultralytics.utils.events").events.enabled = False
        # It would fetch yolov5su.pt for any file named yolov5s.pt, and weights anew whose path has a quote in it.
        vars(importlib.import_module("ultralytics.utils.downloads"))["attempt_download_asset"] = _as_named
    except ImportError as error:
        raise CliprpnError(
            "package_missing",
            "this detector needs the Python package ultralytics, whose licence is AGPL-3.0, and which is not there "
            f"({error}); `npx cliprpn setup --extra yolo` installs it",
        ) from error
    # Not even errors to standard output: they come as exceptions.
    utils.LOGGER.handlers = [logging.NullHandler()]
    utils.LOGGER.setLevel(logging.CRITICAL)


def _as_named(file: Any, *_: Any, **__: Any) -> str:
    return str(file)


def _globals() -> Any:
    """A function that puts back what ultralytics is known to change (8.4.190)."""
    environment, printing = dict(os.environ), np.get_printoptions()
    opened, saved = Image.open, torch.save
    torch_printing = dict(vars(torch._tensor_str.PRINT_OPTS))
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn, filling = torch.backends.cudnn.deterministic, vars(torch.utils)["deterministic"]
    fill = filling.fill_uninitialized_memory
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.is_initialized()
    gpu_states, gpu = (torch.cuda.get_rng_state_all(), torch.cuda.current_device()) if cuda else ([], None)
    cv2 = sys.modules.get("cv2")
    cv2_threads = cv2.getNumThreads() if cv2 else None

    def restore() -> None:
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)
        np.set_printoptions(**printing)
        Image.open, torch.save = opened, saved
        vars(torch._tensor_str.PRINT_OPTS).update(torch_printing)
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.backends.cudnn.deterministic = cudnn
        filling.fill_uninitialized_memory = fill
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if cuda:
            torch.cuda.set_rng_state_all(gpu_states)
            torch.cuda.set_device(gpu)
        if cv2 and cv2_threads is not None:
            cv2.setNumThreads(cv2_threads)

    return restore
