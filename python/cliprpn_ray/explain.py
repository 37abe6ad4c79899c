"""Says what is wrong when there is no connection to a cluster, and what to do."""

from __future__ import annotations

import re
import socket
import sys


def explain_missing(error: ImportError) -> str:
    """For an interpreter without Ray."""
    return (
        f"expected an interpreter with the package ray, found none in {sys.executable} ({error}); give the cluster's "
        "interpreter with --ray-python"
    )


def explain_unreachable(address: str, error: OSError) -> str:
    """For an address where nobody answers."""
    if address == "auto":
        return (
            "expected a Ray cluster that runs on this machine, found none; start one, or give its address with "
            "--ray-address HOST:PORT"
        )
    return (
        f"expected the head of a Ray cluster at {address}, found nobody that answers ({_text(error)}); check "
        "--ray-address, and that the cluster runs"
    )


def explain_refusal(address: str, error: Exception) -> str:
    """For what Ray raises when it has reached the cluster."""
    text = _text(error)
    found = re.search(r"Ray: (\S+) Python: (\S+) .*Ray: (\S+) Python: (\S+)", text)
    if "Version mismatch" in text and found is not None:
        ray_there, python_there, ray_here, python_here = found.groups()
        return (
            f"expected Ray {ray_there} and Python {python_there}, which the cluster at {address} has, found Ray "
            f"{ray_here} and Python {python_here} in {sys.executable}; give the cluster's interpreter with --ray-python"
        )
    if "node" in text and "address" in text and address != "auto":
        return (
            f"expected this machine ({socket.gethostname()}) to be a node of the cluster at {address}, but Ray said: "
            f"{text}; run cliprpn on a node of the cluster, such as its head, or make this machine one: "
            f"`ray start --address {address} --num-cpus 0`"
        )
    return f"the cluster at {address} refused the connection: {text}"


def explain_options(version: str, error: Exception) -> str:
    """For options of actors that Ray does not take."""
    return (
        f"Ray {version} refused what actors are asked for with: {_text(error)}; check resources and label_selector "
        "in engine.ray"
    )


def explain_silence(error: Exception) -> str:
    """For a cluster that does not list its nodes any more."""
    return f"the cluster does not say what nodes it has ({_text(error)}); check that its head runs"


def _text(error: Exception) -> str:
    return " ".join(str(error).split())
