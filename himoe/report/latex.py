"""A table of the report for a paper, as LaTeX."""

from __future__ import annotations

import pandas as pd

WORDS = {"✓ ": "", "✗ ": "", "= ": "", "? ": "", "⊘ ": "", "◐ ": "", "– ": "", "−": "-", "–": "--", "·": ",", "≥": ">="}


def latex(columns: list[str], rows: list[list[str]], title: str, label: str) -> str:
    r"""``\begin{table}`` with booktabs rules; all that LaTeX would read as a command is escaped, signs beside words go."""
    plain = [[_plain(cell) for cell in row] for row in rows]
    frame = pd.DataFrame(plain, columns=[_plain(c) for c in columns])
    form = "l" * len(columns)
    return frame.to_latex(index=False, escape=True, caption=_escaped(title), label=f"tab:{label}", column_format=form)


def _plain(text: str) -> str:
    for sign, word in WORDS.items():
        text = text.replace(sign, word)
    return text


def _escaped(text: str) -> str:
    return "".join(
        "\\" + c if c in "&%$#_{}" else {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}.get(c, c) for c in text
    )
