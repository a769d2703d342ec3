"""Public names of a package, imported when they are first asked for (PEP 562): ``import himoe`` takes no torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def exports(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package whose public names stand in other modules.

    Parameters
    ----------
    package
        Its name.
    homes
        Public name -> ``module:attribute``, or ``module`` where the name is that module.

    Examples
    --------
    >>> look_up, names = exports("himoe", {"root": "math:sqrt"})
    >>> look_up("root")(9)
    3.0
    """

    def look_up(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, attribute = homes[name].partition(":")
        found = import_module(module)
        return getattr(found, attribute) if attribute else found

    def names() -> list[str]:
        return sorted({*homes, *vars(sys.modules[package])})

    return look_up, names
