"""``python -m himoe``: questions that need no workflow."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m himoe", description="Hi-MoE replication")
    commands = parser.add_subparsers(dest="command", required=True)
    doctor = commands.add_parser("doctor", help="what is ready, absent or wrong: data sets, conda, GPU, SLURM")
    doctor.add_argument(
        "--data-root", type=Path, default=Path("data"), help="folder with one folder per data set (default: data)"
    )
    crate = commands.add_parser("crate", help="a finished run as a Workflow Run RO-Crate: code, config, results; no recordings")
    crate.add_argument("--results", type=Path, default=Path("results"), help="folder of the run (default: results)")
    crate.add_argument("--output", type=Path, default=Path("ro-crate"), help="folder, or file.zip (default: ro-crate)")
    crate.add_argument("--agent", default="", metavar="ORCID", help="who ran it, as https://orcid.org/...; left out by default")
    crate.add_argument("--agent-name", default="", help="name of the agent")
    asked = parser.parse_args(arguments)
    return _crate(asked) if asked.command == "crate" else _doctor(asked)


def _doctor(asked: argparse.Namespace) -> int:
    from himoe.doctor import report

    return report(asked.data_root)


def _crate(asked: argparse.Namespace) -> int:
    from himoe.crate import write
    from himoe.types import HimoeError

    try:
        files = write(asked.results, asked.output, asked.agent, asked.agent_name)
    except HimoeError as error:
        print(f"himoe: {error}", file=sys.stderr)
        return 1
    print(f"{asked.output}: {len(files)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
