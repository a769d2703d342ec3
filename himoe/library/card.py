"""What stands beside the weights of a bundle: the model card for people, the schema of inputs for machines."""

from __future__ import annotations

from typing import Any

from himoe import registry
from himoe.config.protocols import PROTOCOLS
from himoe.config.spec import FitSpec
from himoe.library.inputs import About, Inputs

CARD = """# {name}, trained on {title}

{stamp}A trained model of himoe {version}, a replication of Hi-MoE (arXiv 2508.02133). It predicts
{targets} ({low:g} to {high:g}) {when} from physiology, for research alone.

```
python -m himoe predict THIS_FOLDER recording.edf --mapping mapping.yaml --out predictions.csv --plot predictions.png
```

## Data

{title}, {people} people. Licence: {licence}. Cite: {citation}.

The weights were made of these data: whether they may be passed on, and what for, is for that licence to say. No row of the
data is in this folder; of each trial that was learnt from there is a hash. Only the very same session, to the last bit, is
known by it and not predicted: with a trial less or a sample more, networks say what they have learnt by heart.
{caveats}
## What it reads

| modality | channels | Hz | unit | features | rest before a trial, s |
|---|---|---|---|---|---|
{inputs}

One token every {step:g} s, of a window of {window:g} s. {normalised}
Modalities may be absent. `inputs.schema.json` says the same to machines.

## Scores

{scores}

## Limits

- {folds} networks, each fitted without some of the {apart}. A prediction is their mean, and the scores are of one alone.
{tested}
- Recorded with other sensors, in another place, or of other feelings, nothing is known of how it does. `predict` warns where
  what it reads lies outside of what was trained on; that it does not warn is no proof.
- It is not to be used to judge a person, nor for medical purposes.

Protocol `{protocol}`, seed {seed}.
"""


def model_card(spec: FitSpec, inputs: Inputs, about: About, n_folds: int) -> str:
    """The model card in Markdown."""
    rows = [
        f"| {m.name} | {', '.join(m.channels)} | {m.sfreq:g} | {m.unit_inside} | {len(m.features)}, `{m.recipe}` "
        f"| {m.baseline + 0.0:g} |"  # no "-0"
        for m in inputs.modalities
    ]
    by, n_first = (inputs.options["normalise"][key] for key in ("by", "trials"))
    whole = {
        "session": "Each feature is z-scored over the person's whole recording.",
        "calibration": f"Each feature is z-scored over the first {n_first} trials, which are not predicted.",
        "none": "Features are not normalised by person.",
    }
    low, high = inputs.target_range
    return CARD.format(
        name=str(registry.peek("models", spec.model).get("TITLE", spec.model)), title=about.title, version=about.version,
        stamp="**SYNTHETIC**: trained on simulated data; it knows nothing of people. " if about.synthetic else "",
        targets=" and ".join(inputs.targets), low=low, high=high, when="in time" if inputs.per_token else "of a trial",
        people=about.people, licence=about.licence, citation=about.citation, inputs="\n".join(rows),
        caveats="".join(f"\n- {text}" for text in about.caveats) + "\n" if about.caveats else "", step=1 / inputs.token_rate,
        window=inputs.token_window, normalised=whole[by], scores=_scores(about), tested=_tested(spec.protocol), folds=n_folds,
        protocol=spec.protocol, seed=spec.seed, apart=_apart(spec.protocol),
    )  # fmt: skip


def _apart(protocol: str) -> str:
    """What a network is fitted without some of."""
    facts = PROTOCOLS[protocol]
    return "people" if facts.independent else "windows" if facts.windows else "trials"


def _tested(protocol: str) -> str:
    """What the scores do not say, by what training and test rows share."""
    facts = PROTOCOLS[protocol]
    lines = [f"Scores count for nothing: {facts.invalid}."] if facts.invalid else []
    lines += [] if facts.independent else ["Scores are of the same people as the training data. Of new people expect less."]
    lines += (
        []
        if "stimulus" in facts.apart
        else ["Scores are of clips that others in the training data saw too. On new clips expect less."]
    )
    return (
        "\n".join(f"- {line}" for line in lines) or "- Scores are of new people and new clips, both from the same laboratory."
    )


def _scores(about: About) -> str:
    """A table of means over people."""
    if not about.scores:
        return "Not scored: the run that it is of had no scores yet when it was exported."
    rows = [f"| {s.target} | {s.metric} | {s.mean:.3f} | {s.sd:.3f} | {s.n} |" for s in about.scores]
    head = "Of trials that a network was not fitted on, clean recordings; mean and SD over people.\n"
    if (least := min(s.n for s in about.scores)) < about.people:
        head += (
            f"\n{about.people - least} of {about.people} people have no score, as where a network failed: the means leave them "
            "out, and may flatter.\n"
        )
    return "\n".join([head, "| target | metric | mean | SD | people |", "|---|---|---|---|---|", *rows])


def schema(inputs: Inputs) -> dict[str, Any]:
    """JSON Schema of one trial in the units and rates that the model reads: modality -> channel -> samples."""
    modalities = {
        m.name: {
            "type": "object", "additionalProperties": False,
            "description": f"{m.sfreq:g} Hz, {m.unit_inside}; {len(m.features)} features: {', '.join(m.features[:8])}",
            "properties": {c: {"type": "array", "items": {"type": ["number", "null"]}} for c in m.channels},
            "x-sfreq": m.sfreq, "x-unit": m.unit_inside, "x-channels": list(m.channels), "x-rest-seconds": m.baseline,
        }
        for m in inputs.modalities
    }  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "What the model reads of one trial",
        "type": "object", "additionalProperties": False, "minProperties": 1, "properties": modalities,
        "x-token-rate": inputs.token_rate, "x-token-window": inputs.token_window, "x-targets": list(inputs.targets),
    }  # fmt: skip
