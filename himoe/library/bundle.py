"""A trained model with all that it takes to use it: a *bundle*, a folder to pass on, or a fit as it lies in results/.

A bundle holds ``weights.safetensors`` (weights and scalers of every fold), ``bundle.json`` (settings, inputs, scores),
``inputs.schema.json`` and ``README.md``, the model card. There is no row of training data in it: of the trials that were
learnt from it holds hashes alone, by which the very same session, to the last bit, is known and not predicted; a copy that
differs is not known (:func:`himoe.library.inference.predict`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from himoe import io, registry
from himoe.config.sections import Execution
from himoe.config.spec import FitSpec
from himoe.evaluate.predictor import Predictor, network_of, predictor_of
from himoe.library.card import model_card, schema
from himoe.library.fits import of_fit
from himoe.library.inputs import About, Inputs
from himoe.train.results import FittedFold, StoredFold, read_shard, write_shard
from himoe.train.tuning import configuration, configure
from himoe.types import HimoeError, Layout

if TYPE_CHECKING:
    from torch import nn

    from himoe.library.inference import Prediction
    from himoe.library.recording import Recording

RECORD, WEIGHTS, CARD, SCHEMA = "bundle.json", "weights.safetensors", "README.md", "inputs.schema.json"
FORMAT = 1


@dataclass(frozen=True)
class Bundle:
    """A trained model. ``folds``: what each of its fits has stored, by number; ``path``: where it was loaded from."""

    path: Path
    spec: FitSpec
    folds: dict[int, StoredFold] = field(repr=False)
    inputs: Inputs
    about: About

    def predict(self, recording: Recording, fold: int | None = None) -> Prediction:
        """Predictions of a recording, see :func:`himoe.library.inference.predict`."""
        from himoe.library.inference import predict

        return predict(self, recording, fold)

    def predictor(self, fold: int, layout: Layout) -> Predictor:
        """How one fold predicts tokens of this layout."""
        return predictor_of(self.spec, Execution(), self._chosen(fold), self.folds[fold], layout)

    def network(self, fold: int) -> nn.Module:
        """The network of one fold, in evaluation mode; HimoeError if the model is none."""
        if not self.spec.is_network:
            raise HimoeError(f"{self.path}: {self.spec.model} is no network")
        return network_of(self.spec, self._chosen(fold), self.folds[fold], self.inputs.layout).eval()

    def _chosen(self, fold: int) -> Any:
        plugin = registry.load("models", self.spec.model)
        settings = configure(plugin, self.spec.model, self.spec.options)
        return configuration(plugin, settings, self.spec.training, self.folds[fold].chosen or {})


def load(path: str | Path) -> Bundle:
    """A trained model: a bundle, or a fit of results/.

    Parameters
    ----------
    path
        Folder that ``himoe export`` wrote, or a fit's ``seed-0``, or one ``shard-0`` of it.

    Returns
    -------
    Bundle
        The networks of all folds, what they read (``inputs``) and what is known of them (``about``);
        ``Bundle.predict(recording)`` uses them, ``Bundle.network(fold)`` is one of them.

    Raises
    ------
    HimoeError
        In one line if it is neither, was changed since it was written, or is of a newer format.

    Examples
    --------
    >>> import himoe
    >>> bundle = himoe.load("docs/tutorials/ceap_twin")  # in the checkout; of a simulated data set
    >>> bundle.spec.model, bundle.inputs.targets
    ('himoe', ('valence', 'arousal'))
    """
    folder = Path(path)
    folder = folder.parent if folder.name == RECORD else folder
    if not (folder / RECORD).is_file():
        return Bundle(folder, *of_fit(folder))
    record = io.read_json(folder / RECORD)
    try:
        if record["format"] != FORMAT:
            raise HimoeError(f"{folder}: a bundle of format {record['format']}, not {FORMAT}; export it again")
        spec, inputs = FitSpec.model_validate(record["spec"]), Inputs.model_validate(record["inputs"])
        about = About.model_validate(record["about"])
    except (ValidationError, KeyError, TypeError) as error:
        raise HimoeError(f"{folder / RECORD}: no bundle ({' '.join(str(error).split())[:200]}); export it again") from error
    return Bundle(folder, spec, read_shard(folder / WEIGHTS, folder / RECORD), inputs, about)


def write(bundle: Bundle, out: str | Path) -> list[Path]:
    """Write a bundle into a folder that is empty or absent; the files.

    Raises
    ------
    HimoeError
        If something is in the folder, or no fold ended well.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise HimoeError(f"{out}: not an empty folder; name another one")
    folds = [_kept(number, fold) for number, fold in bundle.folds.items() if not fold.failed]
    if not folds:
        raise HimoeError(f"{bundle.path}: every fold of it failed: there is nothing to export")
    facts = {"spec": bundle.spec, "inputs": bundle.inputs, "about": bundle.about}
    plain = {name: value.model_dump(mode="json") for name, value in facts.items()}
    write_shard(out / WEIGHTS, out / RECORD, folds, plain | {"format": FORMAT})
    io.write_json(out / SCHEMA, schema(bundle.inputs))
    io.write_text(out / CARD, model_card(bundle.spec, bundle.inputs, bundle.about, len(folds)))
    return [out / name for name in (CARD, RECORD, SCHEMA, WEIGHTS)]


def _kept(number: int, fold: StoredFold) -> FittedFold:
    """A fold as it is stored again: without its history."""
    return FittedFold(
        number, fold.scaler, fold.state, read=fold.read, chosen=fold.chosen or {}, calibration=fold.calibration or {}
    )
