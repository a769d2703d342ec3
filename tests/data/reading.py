"""What a data set's own reader makes of files that its twin's writer wrote."""

from __future__ import annotations

from himoe import io
from himoe.config.run import Config
from himoe.data import intake, prepare
from himoe.data.twins import synthesize


def trials_of(plugin, name, root, size, edition="", **options):
    """Trials of the first subject, written and read."""
    synthesize(name, root, size, edition or plugin.INFO.editions[0].name, 1.0, 3)
    return reread(plugin, name, root, size, edition, **options)


def reread(plugin, name, root, size, edition="", **options):
    """Trials of the first subject, read from files that are there."""
    manifest = intake.take_in(
        f"{name}_twin", intake.find(f"{name}_twin", root, edition), size, root.parent / f"{root.name}_unpacked"
    )
    io.write_json(root.parent / f"{root.name}.json", manifest)
    folder, record = intake.read_manifest(root.parent / f"{root.name}.json", size.subjects[0])
    return list(plugin.read(folder, record, size, **options))


def tokens_of(plugin, name, trials, **kwargs):
    """Tokens of trials under the settings a run has by default."""
    run = Config(datasets=[f"{name}_twin"])
    targets = run.targets_of(f"{name}_twin")
    return prepare.prepare_subject(plugin.INFO, trials, targets, run.feature_options(f"{name}_twin"), **kwargs)[0]
