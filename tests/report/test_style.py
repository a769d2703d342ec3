"""Figures for a page and for a phone: rows that go on below themselves, text that can be read, the same bytes twice."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from himoe.config.contents import PICTURES, Entry
from himoe.config.load import load_config
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.report.items import draw_figure
from tests.report.scores import scores

SHOWN, LEAST = 355, 9  # px: a column on a phone of 390, and the smallest text there


def smallest_text(svg: str) -> float:
    """Pixels of the smallest text of a picture that is shown in one column on a phone."""
    wide = float(re.search(r'viewBox="0 0 ([\d.]+) ', svg)[1])
    return min(map(float, re.findall(r'font(?:-size)?: [^;"]*?([\d.]+)px', svg))) * SHOWN / wide


def drawn(entry: Entry, evidence: Evidence, folder) -> dict[str, str]:
    """Every file of a figure."""
    names = ("svg", "dark", "phone", "phone_dark", "png", "pdf")
    outputs = {name: str(folder / f"a.{form}") for name, form in zip(names, PICTURES, strict=True)}
    outputs |= {"csv": str(folder / "a.csv"), "item": str(folder / "a.json")}
    draw_figure(entry, evidence, "code", outputs)
    return outputs


@pytest.fixture
def evidence():
    settings = {"datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]}, "models": ["ridge", "late_fusion", "himoe"]}
    made = Evidence({}, load_config(settings | {"conditions": {"missing_rate": [0, 0.5]}}))
    made.__dict__["scores"] = scores({"ridge": 0.4, "late_fusion": 0.45, "himoe": 0.5})
    return made


def test_every_form_is_written_and_equal_input_gives_equal_bytes(tmp_path, evidence):
    entry, files = Entry("figures", "condition_curve", "missing_rate"), []
    for name in ("first", "again"):
        (tmp_path / name).mkdir()
        files.append(drawn(entry, evidence, tmp_path / name))
    first, again = ({k: Path(path).read_bytes() for k, path in f.items()} for f in files)
    assert first == again
    assert first["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in first["pdf"]
    assert int.from_bytes(first["png"][16:20]) == round(300 * style.WIDTH)  # pixels across
    assert smallest_text(first["phone"].decode()) >= LEAST > smallest_text(first["svg"].decode())
    assert style.DARK.background.encode() in first["phone_dark"]
    assert style.DARK.background.encode() not in first["phone"]


def test_a_row_goes_on_below_itself_on_a_phone():
    with style.themed(style.LIGHT):
        wide, rows = style.panels(2, 3, height=1, sharex=True)
    assert wide.get_size_inches().tolist() == [style.WIDTH, 2.5]
    assert len({round(ax.get_position().y0, 3) for ax in rows[0]}) == 1
    with style.themed(style.LIGHT, style.PHONE):
        narrow, rows = style.panels(2, 3, height=1, sharex=True)
        narrow.draw_without_rendering()
    assert narrow.get_size_inches().tolist() == [style.PHONE, 6.5]
    assert (len(rows), len(rows[0])) == (2, 3)
    tops = [ax.get_position().y1 for row in rows for ax in row]
    assert tops == sorted(tops, reverse=True)
    assert len(set(tops)) == 6
    with style.themed(style.LIGHT, style.PHONE):
        narrow, [row] = style.panels(1, 3, least=1.5, sharex=True)
    assert [ax.axison for ax in narrow.axes] == [True] * 3 + [False]
    assert row[1].xaxis.get_tick_params()["labelbottom"]  # nothing is below it
    plt.close("all")


def test_small_multiples_are_six_beside_one_another_and_three_on_a_phone():
    for inches, n_cols in ((style.WIDTH, 6), (style.PHONE, 3)):
        with style.themed(style.LIGHT, inches):
            figure, blocks = style.small_multiples([7, 4])
            figure.draw_without_rendering()
        assert [len(axes) for _, axes in blocks] == [7, 4]
        assert sum(ax.get_subplotspec().rowspan.start == 0 for ax in blocks[0][1]) == n_cols
        plt.close(figure)


@pytest.mark.filterwarnings("error")
def test_titles_and_legends_are_broken_where_they_are_wider_than_the_figure():
    with style.themed(style.LIGHT, style.PHONE):
        figure, [[ax]] = style.panels(1, 1)
        for i in range(6):
            ax.plot([0, 1], label=f"a model with a long name {i}")
        ax.set_title("a title of many words " * 6)
        style.legend_above(figure, ax)
        style.fit_text(figure)
        figure.draw_without_rendering()
    assert figure.legends[0].get_window_extent().width <= figure.bbox.width
    assert ax._left_title.get_window_extent().width <= figure.bbox.width
    plt.close(figure)
