"""`cliprpn.models` works without the rest of the project."""

from __future__ import annotations

import doctest

from helpers import run_python

import cliprpn.models.cliprpn


def test_the_example_in_the_docstring_of_cliprpn_runs() -> None:
    result = doctest.testmod(cliprpn.models.cliprpn)
    assert (result.failed, result.attempted > 3) == (0, True)


def test_models_import_neither_the_contract_nor_the_data() -> None:
    code = (
        "import sys; from cliprpn.models import ClipRPN; "
        "print(*(name for name in sys.modules if name.startswith('cliprpn.') and 'models' not in name))"
    )
    result = run_python("-c", code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []
