"""``python -m himoe``: questions that need no workflow."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path
from typing import Any

from himoe import __version__
from himoe.registry import KINDS

DOCTOR = """examples:
  python -m himoe doctor
  python -m himoe doctor --data-root /path/to/data
  python -m himoe doctor --configfile config/mine.yaml        is it one that Snakemake, too, can read?"""
PLAN = """examples:
  python -m himoe plan                                        the default run
  python -m himoe plan --configfile config/paper.yaml --config data_root=/path/to/data
  python -m himoe plan --configfile config/config.yaml config/ablations.yaml --cores 8"""
CRATE = """examples:
  python -m himoe crate                                       ro-crate/, of the run in results/
  python -m himoe crate --output run.zip --agent https://orcid.org/0000-0002-1825-0097"""
PUBLISH = """Tables of means over people go to docs/results/NAME/; what the README and docs/results/README.md
say of them is made from all that is there.

examples:
  python -m himoe publish open                                the run in results/, as docs/results/open/
  python -m himoe publish planted --results elsewhere/results"""
LIST = """examples:
  python -m himoe list models                                 name, title, what it is, where it is from
  python -m himoe list conditions --json                      the same for programs"""
NEW = """examples:
  python -m himoe new model my_network                        a network: himoe/models/my_network.py and its test
  python -m himoe new condition sensor_noise"""
PREDICT = """MODEL is a folder that `export` wrote, or a fit: results/DATASET/PROTOCOL/MODEL/seed-0. RECORDING is EDF, BDF,
BrainVision, FIF, CSV, Parquet or BIDS physio; what it does not say of itself stands in a mapping file (docs/howto/predict.md).

examples:
  python -m himoe predict himoe-deap recording.edf            a table on the terminal
  python -m himoe predict himoe-deap recording.csv --mapping mapping.yaml --out said.csv --plot said.png"""
EXPORT = """examples:
  python -m himoe export results/deap/loso/himoe/seed-0 himoe-deap"""
SHOW = """examples:
  python -m himoe show results/deap/loso/himoe/seed-0 --subject s01 --trial 3"""
VERIFY = """Recordings are opened with the readers of the workflow; nothing is written into the data folder.
A line `doubt` is of recordings that can be read and show what no skin or heart does (another unit?): a run masks them.

examples:
  python -m himoe verify-data                                 every data set that is in data/
  python -m himoe verify-data --data-root /path/to/data deap dreamer"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale without a letter spells it out
            stream.reconfigure(errors="backslashreplace")
    parsed = _parser().parse_args(arguments)
    from himoe.types import HimoeError

    try:
        return _run(parsed)
    except HimoeError as error:
        sys.stderr.write(f"himoe: {error}\n")
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"himoe: {sys.executable} lacks {error.name}: activate the environment (`make setup`, . .venv/bin/activate), or "
            "pip install 'himoe[workflow]'\n"
        )
    except BrokenPipeError:  # what reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sys.stderr.write(f"himoe: {error.filename or parsed.command}: {error.strerror or error}; check space and permissions\n")
    except KeyboardInterrupt:
        sys.stderr.write("himoe: stopped\n")
    return 1


def _run(parsed: argparse.Namespace) -> int:
    if parsed.command == "doctor":
        from himoe.commands import doctor

        return doctor.report(parsed.data_root, parsed.configfile)
    if parsed.command == "plan":
        from himoe.commands import plan

        return plan.report(parsed.configfile, parsed.config, parsed.cores)
    if parsed.command == "crate":
        from himoe.commands import crate

        files = crate.write(parsed.results, parsed.output, parsed.agent, parsed.agent_name)
        print(f"{parsed.output}: {len(files)} files")
        return 0
    if parsed.command == "publish":
        from himoe.commands import publish

        folder = Path("docs/results")
        for path in publish.publish(parsed.results, folder / parsed.name):
            print(path)
        publish.write_block(Path("README.md"), publish.status(folder))
        publish.write_block(folder / "README.md", publish.block(folder))
        return 0
    if parsed.command == "list":
        from himoe.commands import listing

        return listing.report(parsed.kind, parsed.json)
    if parsed.command == "new":
        from himoe.commands import new

        return new.report(parsed.kind, parsed.name, Path())
    if parsed.command in ("predict", "export", "show"):
        return _with_a_model(parsed)
    from himoe.commands import verify

    return verify.report(parsed.data_root, parsed.dataset)


def _with_a_model(parsed: argparse.Namespace) -> int:
    if parsed.command == "predict":
        from himoe.commands import predict

        return predict.report(parsed.model, parsed.recording, parsed.mapping, parsed.out, parsed.plot, parsed.fold)
    if parsed.command == "export":
        from himoe.commands import export

        return export.report(parsed.fit, parsed.out)
    from himoe.commands import show

    return show.report(parsed.run, parsed.subject, parsed.trial, parsed.out)


def _add(commands: Any, name: str, summary: str, epilog: str) -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=summary, description=summary, epilog=epilog, formatter_class=raw)


def _parser() -> argparse.ArgumentParser:
    from himoe.commands import new

    program = "himoe" if Path(sys.argv[0]).stem == "himoe" else "python -m himoe"
    parser = argparse.ArgumentParser(prog=program, description="Hi-MoE replication: questions that need no workflow")
    parser.add_argument("--version", action="version", version=f"himoe {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    doctor = _add(commands, "doctor", "what is ready, absent or wrong: data sets, conda, GPU, SLURM, a config", DOCTOR)
    plan = _add(commands, "plan", "what a run would do, without doing it: data, folds, fits, jobs, disk, time", PLAN)
    verify = _add(commands, "verify-data", "open every recording and say what is wrong; exit 1 if anything is", VERIFY)
    crate = _add(commands, "crate", "a finished run as a Workflow Run RO-Crate: code, config, results; no recordings", CRATE)
    crate.add_argument("--results", type=Path, default=Path("results"), help="folder of the run (default: results)")
    crate.add_argument("--output", type=Path, default=Path("ro-crate"), help="folder, or file.zip (default: ro-crate)")
    crate.add_argument("--agent", default="", metavar="ORCID", help="who ran it, as https://orcid.org/...; left out by default")
    crate.add_argument("--agent-name", default="", help="name of the agent")
    publish = _add(
        commands, "publish", "numbers of a finished run as files to commit, and what the README says of them", PUBLISH
    )
    publish.add_argument("name", help="folder of the run below docs/results")
    publish.add_argument("--results", type=Path, default=Path("results"), help="folder of the run (default: results)")
    listing = _add(commands, "list", "what there is to name in a config, with title and source", LIST)
    listing.add_argument("kind", choices=[*KINDS, "features"], help="which kind")
    listing.add_argument("--json", action="store_true", help="as JSON")
    starting = _add(commands, "new", "a plug-in to begin with: its file and its test, which pass as they are", NEW)
    starting.add_argument("kind", choices=new.KINDS, help="which kind")
    starting.add_argument("name", help="lower-case words joined by _")
    _add_models(commands)
    for command in (doctor, verify):
        command.add_argument(
            "--data-root", type=Path, default=Path("data"), help="folder with one folder per data set (default: data)"
        )
    verify.add_argument("dataset", nargs="*", metavar="DATASET", help="data sets to check (default: all that are there)")
    plan.add_argument("--configfile", nargs="+", type=Path, default=[], help="as for snakemake (default: config/config.yaml)")
    doctor.add_argument("--configfile", nargs="+", type=Path, default=[], help="config files to look at, as for snakemake")
    plan.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single values, as for snakemake")
    plan.add_argument("--cores", type=int, default=1, help="cores the run would have, for the estimate of time (default: 1)")
    return parser


def _add_models(commands: Any) -> None:
    """Commands on a trained model."""
    predict = _add(commands, "predict", "a trained model on a recording of your own", PREDICT)
    predict.add_argument("model", type=Path, help="folder of a bundle or fit")
    predict.add_argument("recording", type=Path, help="file of the recording")
    predict.add_argument("--mapping", type=Path, help="YAML: what channels are, units, rates, trials")
    predict.add_argument("--out", type=Path, help="table to write, .csv or .parquet (default: on the terminal)")
    predict.add_argument("--plot", type=Path, help="picture to draw, .png, .svg or .pdf")
    predict.add_argument("--fold", type=int, help="one fold's network alone (default: the mean of all)")
    export = _add(commands, "export", "a fit as a folder to pass on: weights, model card, schema; no recordings", EXPORT)
    export.add_argument("fit", type=Path, help="folder of the fit, below results/")
    export.add_argument("out", type=Path, help="folder to write, absent or empty")
    show = _add(commands, "show", "one predicted trial of a run as a picture", SHOW)
    show.add_argument("run", type=Path, help="folder of the fit, below results/")
    show.add_argument("--subject", required=True, help="whose trial")
    show.add_argument("--trial", required=True, help="its name, or its number from 1")
    show.add_argument("--out", type=Path, help="picture to draw (default: SUBJECT-TRIAL.png here)")


if __name__ == "__main__":
    sys.exit(main())
