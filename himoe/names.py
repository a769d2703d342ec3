"""The grammar of names. Every compound name is put together and taken apart here and nowhere else.

- data set: ``deap`` · ``deap_twin``, simulated in the format of ``deap`` · ``planted-null``, the planted data set with the
  settings ``null`` · ``planted_rated-null``, the same with one label per trial · ``planted-null.3``, a replicate of it with
  another seed · ``ceap-peripheral``, the variant ``peripheral`` of ``ceap``: the same recordings, prepared otherwise or in part
- model: ``ridge`` · ``himoe-flat``, an ablation · ``late_fusion-clean``, a network under a training regime ·
  ``ridge-shuffled_labels``, a model under a control · ``ridge-people_8``, a model that learns from eight people of each fold
- ceiling: ``rating_bias``, made of labels when a run is scored and never fitted; it stands where a model's name does
- figure: ``routing`` · ``condition_curve-shift``, one that is drawn for each condition
- setting, of which a result is: ``deap_twin`` · ``deap_twin/loso`` in a run of several protocols
- window: ``t3#004``, the fifth window of trial ``t3``
"""

from __future__ import annotations

from typing import NamedTuple

CLEAN = "clean"  # the condition of recordings as they are
STUDIED = "himoe"  # the model under study: the others are its rivals, ablations are of it
CEILINGS = ("leave_one_rater_out", "rating_bias", "rating_bias_and_spread")  # references that stand among the scored models
TWIN, RATED = "_twin", "_rated"
VARIANT, REPLICATE, PROTOCOL, WINDOW = "-", ".", "/", "#"
PEOPLE = "people_"


class DatasetName(NamedTuple):
    """A data set's name in parts; ``replicate`` is empty where there is none."""

    plugin: str
    twin: bool
    rated: bool
    variant: str
    replicate: str

    @property
    def whole(self) -> str:
        """The name again; other than the one that was taken apart where that was no proper name, as ``planted-null.``."""
        return self.without_replicate + (f"{REPLICATE}{self.replicate}" if self.replicate else "")

    @property
    def without_replicate(self) -> str:
        """The name that all replicates share."""
        rated, twin = RATED if self.rated else "", TWIN if self.twin else ""
        return f"{self.plugin}{rated}{twin}" + (f"{VARIANT}{self.variant}" if self.variant else "")

    @property
    def recorded(self) -> str:
        """The name of the recordings that a variant is prepared from."""
        return self._replace(variant="", replicate="").whole


class ModelName(NamedTuple):
    """A model's name in parts: its plug-in and, if it has one, its ablation, regime or control."""

    plugin: str
    variant: str

    @property
    def whole(self) -> str:
        """The name again; other than the one that was taken apart where that was no proper name, as ``himoe-``."""
        return model_variant(self.plugin, self.variant) if self.variant else self.plugin


def parse_dataset(name: str) -> DatasetName:
    """``planted_rated-null.3`` -> planted, rated, variant ``null``, replicate ``3``."""
    base, _, rest = name.partition(VARIANT)
    variant, _, replicate = rest.partition(REPLICATE)
    twin = base.endswith(TWIN)
    base = base.removesuffix(TWIN)
    return DatasetName(base.removesuffix(RATED), twin, base.endswith(RATED), variant, replicate)


def parse_model(name: str) -> ModelName:
    """``himoe-flat`` -> himoe, variant ``flat``."""
    plugin, _, variant = name.partition(VARIANT)
    return ModelName(plugin, variant)


def model_variant(plugin: str, variant: str) -> str:
    """The name of a model's ablation, or of a model under a regime or a control."""
    return f"{plugin}{VARIANT}{variant}"


def with_people(plugin: str, n: int) -> str:
    """The name of a model that learns from so many people of each fold."""
    return model_variant(plugin, f"{PEOPLE}{n}")


def people_of(model: str) -> int:
    """From how many people of each fold a model of a learning curve learns; 0 for all others, which learn from all."""
    variant = parse_model(model).variant
    n = variant.removeprefix(PEOPLE)
    return int(n) if n != variant and n.isdecimal() else 0


def dataset_variant(dataset: str, name: str) -> str:
    """The name of a data set's variant."""
    return f"{dataset}{VARIANT}{name}"


def plugin_of(kind: str, name: str) -> str:
    """The plug-in of a kind behind a name."""
    if kind == "datasets":
        return parse_dataset(name).plugin
    return parse_model(name).plugin if kind == "models" else name


def setting(dataset: str, protocol: str, several_protocols: bool) -> str:
    """What a result is of: a data set, with its protocol where the run has several."""
    return f"{dataset}{PROTOCOL}{protocol}" if several_protocols else dataset


def parse_setting(name: str) -> tuple[str, str]:
    """(data set, protocol) of a setting; the protocol is empty where the run has only one."""
    dataset, _, protocol = name.partition(PROTOCOL)
    return dataset, protocol


def window(trial: str, number: int) -> str:
    """The name of a trial's window."""
    return f"{trial}{WINDOW}{number:03d}"


def trial_of(name: str) -> str:
    """The trial behind a name: itself, or the trial that a window is of."""
    return name.partition(WINDOW)[0]
