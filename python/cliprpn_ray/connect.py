"""Connects to a Ray cluster, with a time limit and errors that say what to do."""

from __future__ import annotations

import logging
import os
import socket
import uuid

# Ray's variables, before it is imported. A class sent by value needs the same Python, but for its patch version.
os.environ.setdefault("RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL", "minor")
# Without GPUs asked for, older versions of Ray would hide them, and newer ones warn of it.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray
from ray.exceptions import RayError

from cliprpn_ray.explain import explain_refusal, explain_unreachable


def connect(address: str, timeout_s: float) -> str | None:
    """Connects this process to a cluster that runs.

    Args:
        address: HOST:PORT of the head, or `auto`.
        timeout_s: time for the head to accept a connection.

    Returns:
        What is wrong, for people; None if it is connected.
    """
    try:
        if address != "auto":
            _reach(address, timeout_s)
        ray.init(
            address=address,
            namespace=f"cliprpn-{uuid.uuid4().hex[:8]}",
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except OSError as error:  # Also ray's ConnectionError.
        return explain_unreachable(address, error)
    except (RayError, RuntimeError, ValueError, AssertionError) as error:
        return explain_refusal(address, error)
    return None


def _reach(address: str, timeout_s: float) -> None:
    """
    Raises:
        OSError: nobody accepts a connection in time; Ray itself would wait for minutes.
    """
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout_s).close()
