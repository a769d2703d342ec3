"""Plug-ins: one file a condition, of one of two forms.

``draw(tokens, severity, rng)`` says of one trial which tokens are lost and from where each modality's data come
(:mod:`himoe.data.perturbation`): it sees features as prepared, whatever a model is given in their place. A condition that
changes values has ``apply(tokens, severity, rng)`` instead, which gives back the trial as the model meets it. Severity 0 is the
identity. ``margin(severity, token_rate)`` says how many tokens of each of a trial's ends are not scored.

Literals tell the check of the config which severities are possible: ``LIMITS = (0, 1)``, the smallest and the largest,
``WHOLE_TOKENS = True``, seconds that must be a whole number of tokens, ``WHOLE = True``, whole numbers. It calls ``margin``,
too, without the rest of the file, and where severities count modalities ``n_severities(n_modalities)``: so many there are, 0
among them, and larger ones are left out on a data set. ``MODALITY = "eeg"``: without that one a data set has none of them.
``NUMBERED = True``: severities are numbers of subsets of the modalities, no strengths; ``absent(severity, n_modalities)`` says
which are absent, and the figure and the table of subsets name them. A condition that loses modalities for a while has
``span(n_tokens, severity, token_rate)``, the tokens for which it does: there routing is recorded step by step
(:mod:`himoe.evaluate.outages`).
``SECTION = "async"``: its curve stands among those of input out of step; without it, among those of missing input.
"""

from typing import TYPE_CHECKING

from himoe.lazy import exports

HOMES = {
    "apply": "himoe.library.perturbing:apply",
    "injected_lags": "himoe.library.perturbing:injected_lags",
}
__all__ = [*HOMES]

if TYPE_CHECKING:
    from himoe.library.perturbing import apply as apply
    from himoe.library.perturbing import injected_lags as injected_lags
else:
    __getattr__, __dir__ = exports(__name__, HOMES)
