"""A table as LaTeX: nothing of it is a command."""

from himoe.report.latex import latex


def test_cells_and_title_are_text():
    made = latex(
        ["model", "CCC, 95% CI"], [["ridge_token", "−0.1 [−0.2, 0.0]"], ["\\input{x}", "✓ supported"]], "50% & more", "main"
    )
    assert r"ridge\_token & -0.1 [-0.2, 0.0] \\" in made
    assert r"\textbackslash input\{x\} & supported \\" in made
    assert r"CCC, 95\% CI" in made
    assert r"\caption{50\% \& more}" in made
    assert r"\label{tab:main}" in made
    assert made.isascii()
