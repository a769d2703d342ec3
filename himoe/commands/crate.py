"""A finished run as an RO-Crate: ``python -m himoe crate``. Follows Workflow Run Crate 0.5 (Leo et al., PLOS ONE 2024), which
rests on Process Run Crate 0.5, Workflow RO-Crate 1.0 and RO-Crate 1.1.

What goes in is listed here by name: code, config and results. Recordings, features, tokens and predictions (which hold the
subjects' labels) never do, nor weights of a model that keeps training rows (``KEEPS_ROWS`` of its plug-in).
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from himoe import io, registry
from himoe.config.facts import dataset_info
from himoe.config.run import Config
from himoe.provenance import commit, environment, hash_file
from himoe.report.titles import setting_title
from himoe.types import HimoeError

if TYPE_CHECKING:
    from rocrate.model import Entity
    from rocrate.rocrate import ROCrate

ROOT = registry.ROOT.parent
CODE = (
    "Snakefile", "workflow", "config", "envs", "himoe", "profiles", "report", "pyproject.toml", "Makefile", "LICENSE",
    "CITATION.cff", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs",
)  # fmt: skip
NAMES = {
    "report.html": "Report: which claims hold",
    "results.json": "The report for machines",
    "tables/scores.csv": "Every score",
}
MIME = {
    ".html": "text/html", ".json": "application/json", ".csv": "text/csv", ".svg": "image/svg+xml", ".png": "image/png",
    ".py": "text/x-python", ".yaml": "application/yaml", ".md": "text/markdown", ".cff": "application/yaml",
    ".safetensors": "application/octet-stream",
}  # fmt: skip
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
CONFIG, CONFIG_PARAMETER = "run-config.json", "#config"
LICENCES = {"MIT": "https://spdx.org/licenses/MIT", "CC BY 4.0": "https://creativecommons.org/licenses/by/4.0/"}
ORCID = re.compile(r"https://orcid\.org/(\d{4}-){3}\d{3}[\dX]")


def write(results: Path, output: Path, agent: str = "", agent_name: str = "") -> list[str]:
    """Write the crate of the run in ``results`` to a folder, or to a file if ``output`` ends in ``.zip``; ids of what is in it.

    Raises
    ------
    HimoeError
        If the run is not finished, the output exists, the ORCID is none or the library is absent.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise HimoeError("the package rocrate is not installed: pip install 'himoe[crate]'") from None
    if not (results / "results.json").is_file() or not (results / "report.html").is_file():
        raise HimoeError(f"{results}/: no finished run (report.html and results.json); run snakemake first")
    if output.exists():
        raise HimoeError(f"{output} exists already; a crate is written whole: remove it or name another with --output")
    if agent and not ORCID.fullmatch(agent):
        raise HimoeError(f"--agent {agent}: not an ORCID such as https://orcid.org/0000-0002-1825-0097")
    told = io.read_json(results / "results.json")
    config = Config(**told["config"])
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
    workflow = _add_code(crate, told["identity"])
    made = [_add_file(crate, path, f"results/{path.relative_to(results).as_posix()}") for path in result_files(results, config)]
    action = _add_run(crate, workflow, made, told, _times(results, config))
    if agent:
        action["agent"] = _add(crate, agent, "Person", name=agent_name or agent)
    _describe_root(crate, told, action)
    _write_whole(crate, output)
    return sorted(entity.id for entity in crate.data_entities)


def _write_whole(crate: ROCrate, output: Path) -> None:
    """All of it or nothing."""
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


def result_files(results: Path, config: Config) -> list[Path]:
    """Results of this run that may leave the machine, sorted; those of other runs may stand beside them."""
    wanted = ["report.html", "results.json", *(f"tables/{name}.csv" for name in ("scores", *config.tables))]
    wanted += [f"figures/{name}.{kind}" for name in config.figures for kind in ("svg", "png", "csv")]
    for dataset in config.datasets:
        wanted.append(f"{dataset}/card.json")
        for protocol in config.protocols:
            wanted.append(f"{dataset}/{protocol}/audit.json")
            fits = [(m, s) for m in config.models_of(dataset, protocol) for s in config.seeds]
            for model, seed in fits:
                kept = ("run.json",) if _keeps_rows(model) else ("run.json", "weights.safetensors")
                wanted += [f"{dataset}/{protocol}/{model}/seed-{seed}/shard-*/{name}" for name in kept]
    return sorted({path for pattern in wanted for path in results.glob(pattern)})


def _keeps_rows(model: str) -> bool:
    return bool(registry.peek("models", model).get("KEEPS_ROWS"))


def _code_files() -> list[Path]:
    """Files of the checkout that make the run, sorted; nothing hidden or compiled, and only what git knows where it keeps it:
    a config or profile of one's own may name an account."""
    found = [path for name in CODE for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))]
    try:
        asked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
        known = {ROOT / name for name in asked.stdout.split("\0") if name}
    except (OSError, subprocess.SubprocessError):
        known = set()  # no git, or no checkout: all there is
    return sorted(p for p in found if p in (known or {p}) and p.is_file() and p.suffix != ".pyc" and not p.name.startswith("."))


def _add(crate: ROCrate, identifier: str, kind: str | list[str], **properties: Any) -> Entity:
    """A contextual entity."""
    return crate.add_jsonld({"@id": identifier, "@type": kind, **properties})


def _add_file(crate: ROCrate, path: Path, name: str, **properties: Any) -> Entity:
    """A file with its size, hash and type."""
    about = {
        "name": NAMES.get(name.removeprefix("results/"), name), "encodingFormat": MIME.get(path.suffix, "text/plain"),
        "sha256": hash_file(path), "contentSize": str(path.stat().st_size),
    }  # fmt: skip
    return crate.add_file(path, name, properties=about | properties)


def _add_code(crate: ROCrate, identity: dict[str, str]) -> Entity:
    """The checkout; the Snakefile is the main workflow."""
    versions = dict(told.split(" ", 1) for told in identity["versions"].split(", "))
    licence = _add(crate, LICENCES["MIT"], "CreativeWork", name="MIT License")
    told = f"run at commit {identity['commit']}"
    if (now := commit(ROOT)) != identity["commit"]:
        told += f"; the files here are those of commit {now}"
    workflow = crate.add_workflow(
        ROOT / "Snakefile", "Snakefile", main=True, lang="snakemake", lang_version=versions["snakemake"],
        properties={
            "name": "himoe: reference replication of Hi-MoE", "version": f"{environment()['himoe']}+{identity['commit']}",
            "description": f"From raw recordings to a report of which claims of arXiv 2508.02133 hold; {told}.",
            "license": licence, "isBasedOn": {"@id": "https://arxiv.org/abs/2508.02133"},
        },
    )  # fmt: skip
    authors = _add(crate, "#authors", "Organization", name="The Hi-MoE replication authors")
    workflow["creator"] = crate.root_dataset["author"] = authors
    _add(crate, "https://arxiv.org/abs/2508.02133", "ScholarlyArticle", name=(
        "Hierarchical MoE: Continuous Multimodal Emotion Recognition with Incomplete and Asynchronous Inputs"
    ))  # fmt: skip
    for path in _code_files():
        name = path.relative_to(ROOT).as_posix()
        if name != "Snakefile":
            _add_file(crate, path, name, **({"about": {"@id": "./"}} if name == "README.md" else {}))
    crate.license = licence
    return workflow


def _add_run(crate: ROCrate, workflow: Entity, made: list[Entity], told: dict[str, Any], times: tuple[str, str]) -> Entity:
    """What was run on what, from when to when, and what came out; config and named results fill formal parameters."""
    config = crate.add_file(_text(told["config"]), CONFIG, properties={
        "name": "Config of the run", "encodingFormat": "application/json",
        "description": "every setting but data_root, defaults too; `snakemake --configfile run-config.json` repeats the run",
    })  # fmt: skip
    _join(crate, workflow, "input", CONFIG_PARAMETER, config)
    for entity in made:
        short = entity.id.removeprefix("results/")
        if short in NAMES:
            _join(crate, workflow, "output", "#" + Path(short).stem, entity)
    data = [_add_dataset(crate, name) for name in Config(**told["config"]).datasets]
    action = _add(
        crate, "#run", "CreateAction", name=f"Run of {told['title']}", instrument={"@id": workflow.id},
        object=[{"@id": e.id} for e in (config, *data)], result=[{"@id": e.id} for e in made],
        startTime=times[0], endTime=times[1],
        actionStatus="http://schema.org/CompletedActionStatus",
        description="Times are those at which the first and the last job ended; how long each fit took stands in its run.json. "
        + "; ".join(f"{key}: {value}" for key, value in told["identity"].items()),
    )  # fmt: skip
    return action


def _text(config: dict[str, Any]) -> Any:
    """A config as a stream that the crate writes."""
    import json
    from io import StringIO

    return StringIO(json.dumps(config, indent=1, sort_keys=True) + "\n")


def _join(crate: ROCrate, workflow: Entity, side: str, identifier: str, entity: Entity) -> None:
    """A formal parameter of the workflow and the file that fills it."""
    parameter = crate.add_formal_parameter(
        identifier.lstrip("#"), "File", identifier=identifier, description=entity["name"], valueRequired=side == "input",
        properties={"workExample": {"@id": entity.id}, "conformsTo": {"@id": FORMAL_PARAMETER}},
    )  # fmt: skip
    workflow.append_to(side, parameter)
    entity["exampleOfWork"] = parameter


FORMAL_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"


def _add_dataset(crate: ROCrate, name: str) -> Entity:
    """A data set that was read: cited with its licence, never contained."""
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


def _describe_root(crate: ROCrate, told: dict[str, Any], action: Entity) -> None:
    root = crate.root_dataset
    synthetic = any(registry.is_synthetic(d) for d in Config(**told["config"]).datasets)
    crate.name = told["title"]
    crate.description = "A run of the Hi-MoE replication: code, config, report, tables, figures, scores and weights. "
    crate.description += (
        "Its data are simulated; its numbers are not comparable with the paper." if synthetic else "No recording is in it."
    )
    crate.datePublished = datetime.fromisoformat(action["endTime"])
    root["mentions"] = action
    for identifier, name in PROFILES.items():
        _add(crate, identifier, "CreativeWork", name=name, version=identifier.rsplit("/", 1)[1])
    root["conformsTo"] = [{"@id": identifier} for identifier in PROFILES]
