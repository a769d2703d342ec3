"""A finished run as an RO-Crate: ``python -m himoe crate``. Follows Workflow Run Crate 0.5 (Leo et al., PLOS ONE 2024), which
rests on Process Run Crate 0.5, Workflow RO-Crate 1.0 and RO-Crate 1.1. What goes in: :mod:`himoe.commands.shareable`.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from himoe import registry
from himoe.commands.shareable import ROOT, as_committed, changed_code, code_files, is_setting, patch, read_run, result_files
from himoe.config.facts import dataset_info
from himoe.config.run import Config
from himoe.provenance import NO_CHECKOUT, commit, environment, hash_file
from himoe.report.titles import setting_title
from himoe.types import HimoeError

if TYPE_CHECKING:
    from rocrate.model import Entity
    from rocrate.rocrate import ROCrate

NAMES = {
    "report.html": "Report: which claims hold",
    "results.json": "The report for machines",
    "scores.csv": "Every score",
}
MIME = {
    ".html": "text/html", ".json": "application/json", ".csv": "text/csv", ".svg": "image/svg+xml", ".png": "image/png",
    ".pdf": "application/pdf", ".py": "text/x-python",
    ".yaml": "application/yaml", ".md": "text/markdown", ".cff": "application/yaml", ".patch": "text/x-diff",
    ".safetensors": "application/octet-stream",
}  # fmt: skip
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
CONFIG, CONFIG_PARAMETER = "run-config.json", "#config"
PATCH = "changes.patch"
LICENCES = {"MIT": "https://spdx.org/licenses/MIT", "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/"}
FORMAL_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
ORCID = re.compile(r"https://orcid\.org/(\d{4}-){3}\d{3}[\dX]")


def write(results: Path, output: Path, agent: str = "", agent_name: str = "") -> list[str]:
    """Write the crate of the run in ``results`` to a folder, or to a file if ``output`` ends in ``.zip``; ids of its files.

    Raises
    ------
    HimoeError
        If the run is not finished, the output exists, the ORCID is not one or the library is absent.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise HimoeError("the package rocrate is not installed: pip install 'himoe[crate]'") from None
    if output.exists():
        raise HimoeError(f"{output} exists already; a crate is written whole: remove it or name another with --output")
    if agent and not ORCID.fullmatch(agent):
        raise HimoeError(f"--agent {agent}: not an ORCID such as https://orcid.org/0000-0002-1825-0097")
    run = read_run(results)
    if not (results / "report.html").is_file():
        raise HimoeError(f"{results}: no finished run in it (report.html is absent); run snakemake first")
    config = Config(**run["config"])
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
    workflow = _add_code(crate, run["identity"])
    made = [_add_file(crate, path, f"results/{path.relative_to(results).as_posix()}") for path in result_files(results, config)]
    action = _add_run(crate, workflow, made, run, _times(results, config))
    if agent:
        action["agent"] = _add(crate, agent, "Person", name=agent_name or agent)
    _describe_root(crate, run, action)
    _write_whole(crate, output)
    return sorted(entity.id for entity in crate.data_entities)


def _write_whole(crate: ROCrate, output: Path) -> None:
    """Write the crate whole or not at all."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".crate-") as place:
        partial = Path(place) / output.name
        try:
            crate.write_zip(partial) if output.suffix == ".zip" else crate.write(partial)
            partial.rename(output)
        except OSError as error:
            raise HimoeError(f"{output}: cannot be written ({error.strerror}); check space and permissions") from error


def _times(results: Path, config: Config) -> tuple[str, str]:
    """When the first and the last job of the run ended: every job leaves a log."""
    places = [results / name for name in (*config.datasets, "logs")]
    ended = [log.stat().st_mtime for place in places for log in place.rglob("*.log")]
    ended.append((results / "report.html").stat().st_mtime)
    start, end = (datetime.fromtimestamp(t, UTC).isoformat(timespec="seconds") for t in (min(ended), max(ended)))
    return start, end


def _add(crate: ROCrate, identifier: str, kind: str | list[str], **properties: Any) -> Entity:
    """Add a contextual entity."""
    return crate.add_jsonld({"@id": identifier, "@type": kind, **properties})


def _add_file(crate: ROCrate, path: Path, name: str, **properties: Any) -> Entity:
    """Add a file with its size, hash and type."""
    about = {
        "name": NAMES.get(name.removeprefix("results/"), name), "encodingFormat": MIME.get(path.suffix, "text/plain"),
        "sha256": hash_file(path), "contentSize": str(path.stat().st_size),
    }  # fmt: skip
    return crate.add_file(path, name, properties=about | properties)


def _add_text(crate: ROCrate, text: str, place: str, **properties: Any) -> Entity:
    """Add a file whose text is at hand."""
    content = text.encode()
    about = {
        "name": place, "encodingFormat": MIME.get(Path(place).suffix, "text/plain"),
        "sha256": hashlib.sha256(content).hexdigest(), "contentSize": str(len(content)),
    }  # fmt: skip
    return crate.add_file(StringIO(text), place, properties=about | properties)


def _add_code(crate: ROCrate, identity: dict[str, str]) -> Entity:
    """Add the checkout, with what differs from the commit; the Snakefile is the main workflow."""
    versions = dict(version.split(" ", 1) for version in identity["versions"].split(", "))
    licence = _add(crate, LICENCES["MIT"], "CreativeWork", name="MIT License")
    origin = f"run at commit {identity['commit']}"
    if (now := commit(ROOT)).removesuffix("-dirty") != identity["commit"].removesuffix("-dirty"):
        origin += f"; the files here are those of commit {now}"
    if changed := changed_code():
        origin += f"; {len(changed)} files differ from it: {', '.join(changed)}"
    workflow = crate.add_workflow(
        ROOT / "Snakefile", "Snakefile", main=True, lang="snakemake", lang_version=versions["snakemake"],
        properties={
            "name": "himoe: reference replication of Hi-MoE", "version": f"{environment()['himoe']}+{identity['commit']}",
            "description": f"From raw recordings to a report of which claims of arXiv 2508.02133 hold; {origin}.",
            "license": licence, "isBasedOn": {"@id": "https://arxiv.org/abs/2508.02133"},
        },
    )  # fmt: skip
    authors = _add(crate, "#authors", "Organization", name="The Hi-MoE replication authors")
    workflow["creator"] = crate.root_dataset["author"] = authors
    _add(crate, "https://arxiv.org/abs/2508.02133", "ScholarlyArticle", name=(
        "Hierarchical MoE: Continuous Multimodal Emotion Recognition with Incomplete and Asynchronous Inputs"
    ))  # fmt: skip
    in_checkout = now != NO_CHECKOUT
    for path in code_files():
        name = path.relative_to(ROOT).as_posix()
        text = as_committed(name) if is_setting(name) else None
        if text is not None:
            _add_text(crate, text, name)
        elif is_setting(name) and in_checkout:
            continue  # git does not answer: better without it than with what a person wrote into it
        elif name != "Snakefile":
            _add_file(crate, path, name, **({"about": {"@id": "./"}} if name == "README.md" else {}))
    if difference := patch():
        about = "What tracked code differs in from the commit; files that were added stand in their places."
        _add_text(crate, difference, PATCH, description=about, about={"@id": workflow.id})
    crate.license = licence
    return workflow


def _add_run(crate: ROCrate, workflow: Entity, made: list[Entity], run: dict[str, Any], times: tuple[str, str]) -> Entity:
    """Add the run: on what, from when to when, with which results; config and named results fill formal parameters."""
    settings = json.dumps(run["config"], indent=1, sort_keys=True) + "\n"
    config = _add_text(
        crate, settings, CONFIG, name="Config of the run",
        description="every setting but data_root, defaults too; `snakemake --configfile run-config.json` repeats the run",
    )  # fmt: skip
    _join(crate, workflow, "input", CONFIG_PARAMETER, config)
    for entity in made:
        short = entity.id.removeprefix("results/")
        if short in NAMES:
            _join(crate, workflow, "output", "#" + Path(short).stem, entity)
    data = [_add_dataset(crate, name) for name in Config(**run["config"]).datasets]
    action = _add(
        crate, "#run", "CreateAction", name=f"Run of {run['title']}", instrument={"@id": workflow.id},
        object=[{"@id": e.id} for e in (config, *data)], result=[{"@id": e.id} for e in made],
        startTime=times[0], endTime=times[1],
        actionStatus="http://schema.org/CompletedActionStatus",
        description="Times are those at which the first and the last job ended; how long each fit took stands in its run.json. "
        + "; ".join(f"{key}: {value}" for key, value in run["identity"].items()),
    )  # fmt: skip
    return action


def _join(crate: ROCrate, workflow: Entity, side: str, identifier: str, entity: Entity) -> None:
    """Add a formal parameter of the workflow, filled by this file."""
    parameter = crate.add_formal_parameter(
        identifier.lstrip("#"), "File", identifier=identifier, description=entity["name"], valueRequired=side == "input",
        properties={"workExample": {"@id": entity.id}, "conformsTo": {"@id": FORMAL_PARAMETER}},
    )  # fmt: skip
    workflow.append_to(side, parameter)
    entity["exampleOfWork"] = parameter


def _add_dataset(crate: ROCrate, name: str) -> Entity:
    """Cite a data set that was read, with its licence; it is never contained."""
    info = dataset_info(name)
    simulated = registry.is_synthetic(name)
    licence = LICENCES["MIT"] if simulated else LICENCES.get(info.licence, info.licence)
    about = (
        "simulated by the workflow itself in the format of " + info.title
        if simulated
        else f"not part of this crate; {info.access}"
    )
    if licence.startswith("https:") and not crate.get(licence):
        _add(crate, licence, "CreativeWork", name=info.licence)
    return _add(
        crate, f"#data-{name}", "CreativeWork", name=setting_title(name), description=about, citation=info.citation,
        license={"@id": licence} if licence.startswith("https:") else licence,
    )  # fmt: skip


def _describe_root(crate: ROCrate, run: dict[str, Any], action: Entity) -> None:
    """Set title, description, date and profiles of the crate."""
    root = crate.root_dataset
    synthetic = any(registry.is_synthetic(d) for d in Config(**run["config"]).datasets)
    crate.name = run["title"]
    crate.description = "A run of the Hi-MoE replication: code, config, report, tables, figures, scores and weights. "
    crate.description += (
        "Its data are simulated; its numbers are not comparable with the paper." if synthetic else "No recording is in it."
    )
    crate.datePublished = datetime.fromisoformat(action["endTime"])
    root["mentions"] = action
    for identifier, name in PROFILES.items():
        _add(crate, identifier, "CreativeWork", name=name, version=identifier.rsplit("/", 1)[1])
    root["conformsTo"] = [{"@id": identifier} for identifier in PROFILES]
