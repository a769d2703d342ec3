"""Config values and config files that YAML or people make."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import yaml

from himoe.config.files import check_files, read_file
from himoe.config.load import load_config
from tests.faults.table.record import FAULTS, REFUSED, Fault, fault, refused

HIMOE = "model_options: {himoe: {%s}}"
VALUES = {
    "a length of 1e400 s": "twin: {seconds: 1e400}",
    "an infinite twin": "datasets: [case_twin]\ntwin: {seconds: .inf}",
    "an infinite learning rate": "training: {learning_rate: .inf}",
    "a learning rate that is no number": "training: {learning_rate: .nan}",
    "an snr that is no number": "twin: {snr: .nan}",
    "an infinite snr": "twin: {snr: .inf}",
    "an infinite shift": "conditions: {shift: [0, .inf]}",
    "a share of 1.5": "conditions: {missing_rate: [0, 1.5]}",
    "a severity twice": "conditions: {missing_rate: [0.5, 0.5]}",
    "a seed of 1e20": "seeds: [100000000000000000000]",
    "a seed twice, once as text": "seeds: [0, '0']",
    "a seed of true": "seeds: [yes]",
    "epochs of yes": "training: {epochs: yes}",
    "a learning rate of true": "training: {learning_rate: true}",
    "severities of no and yes": "conditions: {missing_rate: [no, yes]}",
    "a crop of a hundredth of a second": "training: {crop_seconds: 0.01}",
    "a negative twin": "twin: {trials: -3}",
    "1e9 seconds": "datasets: [case_twin]\ntwin: {seconds: 1000000000}",
    "a million seconds of crop": "training: {crop_seconds: 1000000}",
    "a target twice": "targets: {deap_twin: [valence, valence]}",
    "validation of 1": "splits: {validation_fraction: 1}",
    "models as text": "models: ridge",
    "data sets as a mapping": "datasets: {deap_twin: 1}",
    "a title of a date": "title: 2024-01-01",
    "a title that YAML takes for no": "title: no",
    "an unknown key": "epochs: 3",
    "a value of 1 MB": f"datasets: ['{'v' * 10**6}']",
    "10,000 unknown keys": "\n".join(f"k{i}: 1" for i in range(10**4)),
    "a model of none": "models: [himoe-]",
    "a model of a dash": "models: ['-x']",
    "a data set that climbs": "datasets: ['../x']",
    "an ablation of 300 letters": f"models: [himoe]\nablations: {{{'a' * 300}: {{router: uniform}}}}",
    "an ablation of the wrong type": "models: [himoe]\nablations: {x: {router: 7}}",
    "a twin of a twin": "datasets: [deap_twin_twin]",
    "penalties of text": "model_options: {ridge: {penalties: [a]}}",
    "negative penalties": "model_options: {ridge: {penalties: [-1]}}",
    "a planted name of 300": f"datasets: [planted-{'a' * 300}]\nplanted: {{{'a' * 300}: {{}}}}\nconditions: {{}}",
    "a shell's words": "datasets: ['a; touch y']",
    "a number": "12",
    "a list": "[1, 2]",
    "a word": "hello",
    **{
        f"himoe {v}": HIMOE % v
        for v in (
            "width: abc",
            "width: -5",
            "width: 0",
            "width: .inf",
            "width: null",
            "width: [16]",
            "width: 16.5",
            "router: nonsense",
            "router: 2024-01-01",
            "max_lag: 1e400",
            "max_lag: yes",
            "dropout: 2",
        )
    },
}
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)
PLAIN = "datasets: [deap_twin]\nmodels: [train_mean, ridge]\n"
FILES: dict[str, bytes] = {
    "a key twice": b"seeds: [0]\nseeds: [1]\n",
    "a key twice in JSON": b'{"models": ["ridge"], "models": ["train_mean"]}',
    "a tab": b"training:\n\tepochs: 3\n",
    "a billion laughs": (BOMB + "title: *i").encode(),
    "a program": b'title: !!python/object/apply:os.system ["touch ran"]',
    "two documents": b"seeds: [0]\n---\nseeds: [5]\n",
    "not UTF-8": b"\xff\xfeseeds",
    "an alias to itself": b"twin: &x {a: *x}\n",
    "nested 5,000 deep": b"datasets: " + b"[" * 5000 + b"]" * 5000,
    "a list": b"[1, 2]",
    "a word": b"hello",
    "a key of 1 MB": b"k" * 10**6 + b": 1",
    "2 MB": b"# " + b"x" * (2 << 20),
    "a NUL byte": b"title: a\0b\n",
    "half a flow": b"seeds: [0,\n",
    "a number that YAML takes for octal": b"seeds: [010]\n",
    "a number that YAML takes for minutes": b"training: {epochs: 1:30}\n",
}


def value(text: str, folder: Path) -> str:
    """A mapping that Snakemake has read."""
    return refused(lambda: load_config(yaml.safe_load(text)))


def written(content: bytes, folder: Path) -> str:
    """A file."""
    (folder / "c.yaml").write_bytes(content)
    seen = refused(lambda: check_files([folder / "c.yaml"]), "c.yaml: ")
    assert not (folder / "ran").exists(), "it ran"
    return seen


FAULTS.extend(Fault("config values", name, REFUSED, partial(value, text)) for name, text in VALUES.items())
FAULTS.extend(Fault("config files", name, REFUSED, partial(written, content)) for name, content in FILES.items())


@fault("config files", "a folder, a pipe, a file that is not there", "one line each")
def _(folder: Path) -> str:
    import os

    (folder / "a.yaml").mkdir()
    os.mkfifo(folder / "b.yaml")
    return "; ".join(refused(lambda n=n: read_file(folder / f"{n}.yaml")) for n in "abc")


def right(text: str, key: str, expected: Any, folder: Path) -> str:
    """A value that is taken, and for what."""
    (folder / "c.yaml").write_bytes(text.encode("utf-8"))
    found = load_config(read_file(folder / "c.yaml")).model_dump()
    for part in key.split("."):
        found = found[part]
    assert found == expected, f"{found!r}"
    return f"{key} is {found!r}"


for name, (text, key, expected) in {
    "byte order mark and CRLF": ("\ufeff" + PLAIN.replace("\n", "\r\n"), "models", ["train_mean", "ridge"]),
    "seeds as text": ("seeds: ['0', '3']", "seeds", [0, 3]),
    "merged keys": (
        "twin: &t {seconds: 16}\ndatasets: [planted-a]\nplanted: {a: {<<: *t}}\nconditions: {}",
        "planted.a.seconds",
        16.0,
    ),
    "1_000 epochs": ("training: {epochs: 1_000}", "training.epochs", 1000),
    "JSON": ('{"seeds": [4]}', "seeds", [4]),
    "empty": ("", "seeds", [0]),
}.items():
    FAULTS.append(Fault("config values", name, "taken for what it says", partial(right, text, key, expected)))
