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
    asked = parser.parse_args(arguments)
    from himoe.doctor import report

    return report(asked.data_root)


if __name__ == "__main__":
    sys.exit(main())
