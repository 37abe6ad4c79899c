"""Errors of the Ray driver, without Ray."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cliprpn_ray.explain import explain_refusal, explain_unreachable

MISMATCH = """Version mismatch: The cluster was started with:
    Ray: 2.59.0
    Python: 3.12.3
This process on node 10.0.0.7:6379 was started with:
    Ray: 2.60.0
    Python: 3.11.7
"""


def test_other_versions_are_named_with_what_to_do() -> None:
    text = explain_refusal("head:6379", RuntimeError(MISMATCH))
    assert text.startswith(
        "expected Ray 2.59.0 and Python 3.12.3, which the cluster at head:6379 has, found Ray 2.60.0"
    )
    assert f"Python 3.11.7 in {sys.executable}; give the cluster's interpreter with --ray-python" in text


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("auto", "runs on this machine, found none.*--ray-address"),
        ("head:6379", r"at head:6379.*\(timed out\)"),
    ],
)
def test_an_address_where_nobody_answers(address: str, message: str) -> None:

    assert re.search(message, explain_unreachable(address, TimeoutError("timed out")))


def test_an_interpreter_without_ray_says_so(tmp_path: Path) -> None:
    """With a module that stands for a missing Ray, since the tests' interpreter may have it."""
    (tmp_path / "ray.py").write_text("raise ImportError('no Ray here')\n")
    python = Path(__file__).parents[2] / "python"
    result = subprocess.run(
        [sys.executable, "-m", "cliprpn_ray"],
        env={"PYTHONPATH": f"{tmp_path}:{python}"},
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert '"type": "failed"' in result.stdout
    assert "no Ray here" in result.stdout
    assert "--ray-python" in result.stdout
    assert result.stderr == ""


# As much of Ray as the driver calls before it has actors.
RAY = """
import os
from ray.exceptions import RayError
class cloudpickle:
    register_pickle_by_value = staticmethod(lambda module: None)
class Remote:
    def options(self, **options):
        if os.environ["FAULT"] == "options":
            raise ValueError("Invalid label key value `a b`.")
        return self
    def remote(self):
        raise ValueError("must be whole numbers")
__version__ = "2.0"
remote = lambda cls: Remote()
def init(**options):
    if os.environ["FAULT"] == "init":
        raise RayError("Token authentication is enabled but no token was found")
available_resources = dict
def nodes():
    if os.environ["FAULT"] == "nodes":
        raise RayError("GCS is gone")
    return []
"""


@pytest.mark.parametrize(
    ("fault", "types", "message"),
    [
        ("init", ["failed"], "refused the connection: Token authentication is enabled"),
        ("options", ["failed"], "Ray 2.0 refused .*: Invalid label key value `a b`.*check resources"),
        ("nodes", ["failed"], r"does not say what nodes it has \(GCS is gone\)"),
        ("remote", ["connected", "failed"], "Ray 2.0 refused .*must be whole numbers"),
    ],
)
def test_what_ray_refuses_is_no_stack_trace(
    tmp_path: Path, fault: str, types: list[str], message: str
) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray/__init__.py").write_text(RAY)
    (tmp_path / "ray/exceptions.py").write_text("class RayError(Exception): pass\n")
    python = Path(__file__).parents[2] / "python"
    actor = {"num_cpus": 1, "num_gpus": 0, "resources": {}, "label_selector": {}}
    requests = [
        {"address": "auto", "connect_s": 1, "actor": actor, "worker": None},
        {"type": "start", "ids": ["ab.1"], "without_nodes": []},
    ]
    result = subprocess.run(
        [sys.executable, "-m", "cliprpn_ray"],
        env={"PYTHONPATH": f"{tmp_path}:{python}", "FAULT": fault},
        input="".join(f"{json.dumps(request)}\n" for request in requests),
        capture_output=True,
        text=True,
        check=False,
    )
    messages = [json.loads(line) for line in result.stdout.splitlines()]
    assert [told["type"] for told in messages] == types
    assert re.search(message, messages[-1]["message"])
    assert result.stderr == ""
