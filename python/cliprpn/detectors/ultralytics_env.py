"""Runs ultralytics offline, silently, and without side effects on the process."""

from __future__ import annotations

import importlib
import io
import logging
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision  # noqa: F401  # ultralytics uses torchvision's NMS only if torchvision is already imported.
from PIL import Image

from cliprpn.errors import CliprpnError

LOGGERS = ("clearml", "comet", "dvc", "mlflow", "raytune", "tensorboard", "wandb")


@contextmanager
def quiet_ultralytics(cache_dir: Path) -> Iterator[None]:
    """Context in which ultralytics may be imported, load weights and train.

    Settings files go below `cache_dir`. Everything that ultralytics changes is restored on exit: random states,
    number of threads, deterministic algorithms, environment variables, print options, `torch.save`, `PIL.Image.open`,
    warning filters, standard output.

    Raises:
        CliprpnError: package_missing.
    """
    with ExitStack() as stack:
        stack.callback(_save_globals())
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(redirect_stdout(io.StringIO()))
        _import_offline(cache_dir)
        yield


def _import_offline(cache_dir: Path) -> None:
    """Imports ultralytics, which reads the environment on its first import, with networking, installs and logging off.

    Raises:
        CliprpnError: package_missing.
    """
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
        # In memory only: another process may be using the settings file.
        dict.update(utils.SETTINGS, {"sync": False, **{name: False for name in LOGGERS}})
        importlib.import_module("ultralytics.utils.events").events.enabled = False
        # It would download yolov5su.pt for any file named yolov5s.pt, and weights whose path contains a quote.
        vars(importlib.import_module("ultralytics.utils.downloads"))["attempt_download_asset"] = _keep_path
    except ImportError as error:
        raise CliprpnError(
            "package_missing",
            "this detector needs the Python package ultralytics (license: AGPL-3.0), which is not installed "
            f"({error}); run `npx cliprpn setup --extra yolo` to install it",
        ) from error
    # No logging to standard output: errors are raised as exceptions.
    utils.LOGGER.handlers = [logging.NullHandler()]
    utils.LOGGER.setLevel(logging.CRITICAL)


def _keep_path(file: Any, *_: Any, **__: Any) -> str:
    """Replaces ultralytics' download: uses the file that was given."""
    return str(file)


def _save_globals() -> Callable[[], None]:
    """Returns a function that restores the process state which ultralytics is known to change (8.4.190)."""
    environment, np_printing = dict(os.environ), np.get_printoptions()
    image_open, torch_save = Image.open, torch.save
    torch_printing = dict(vars(torch._tensor_str.PRINT_OPTS))
    num_threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn_deterministic = torch.backends.cudnn.deterministic
    deterministic_module = vars(torch.utils)["deterministic"]
    fill_uninitialized = deterministic_module.fill_uninitialized_memory
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.is_initialized()
    gpu_states, gpu = (torch.cuda.get_rng_state_all(), torch.cuda.current_device()) if cuda else ([], None)
    cv2 = sys.modules.get("cv2")
    cv2_threads = cv2.getNumThreads() if cv2 else None

    def restore() -> None:
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)
        np.set_printoptions(**np_printing)
        Image.open, torch.save = image_open, torch_save
        vars(torch._tensor_str.PRINT_OPTS).update(torch_printing)
        torch.set_num_threads(num_threads)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.backends.cudnn.deterministic = cudnn_deterministic
        deterministic_module.fill_uninitialized_memory = fill_uninitialized
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if cuda:
            torch.cuda.set_rng_state_all(gpu_states)
            torch.cuda.set_device(gpu)
        if cv2 and cv2_threads is not None:
            cv2.setNumThreads(cv2_threads)

    return restore
