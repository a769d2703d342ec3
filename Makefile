# make demo · make test · make lint · make docs · make standards · make bench · make bench-gpu · make faults · make clean. Everything runs in .venv, made from envs/requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
CORES ?= all
WORKERS ?= 3
EXAMPLES ?= 100

.PHONY: demo test lint docs linkcheck standards bench bench-gpu faults clean setup schema picture
demo: setup
	$(BIN)/python -m snakemake --cores $(CORES)
	@echo "The report is at $$PWD/results/report.html"

setup: .venv/.complete

.venv/.complete: envs/requirements.lock pyproject.toml
	@case "$$PWD" in *[{}:]*) echo "himoe: $$PWD: braces or a colon in the path; move the checkout to a path without"; exit 1;; esac
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "himoe needs Python >= 3.11, this is " + sys.version.split()[0])'
	@echo "himoe: making .venv: about 1 GB comes from the package index (several with torch's CUDA build), some minutes"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -r envs/requirements.lock
	@echo "himoe: installing this checkout"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/snakemake --lint

# The site, with the output of its notebooks: docs/_build/html/index.html. The network is asked by linkcheck alone.
docs: setup
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build/html
	@echo "The site is at $$PWD/docs/_build/html/index.html"

linkcheck: setup
	HIMOE_DOCS_EXECUTE=off $(BIN)/python -m sphinx -b linkcheck -q docs docs/_build/linkcheck

# The validators of others: Workflow Run RO-Crate and CITATION.cff.
standards: setup .venv-standards/.complete
	PATH="$(CURDIR)/.venv-standards/bin:$$PATH" $(BIN)/python -m pytest tests/commands/test_standards.py

.venv-standards/.complete: envs/standards.txt
	$(PYTHON) -m venv .venv-standards
	.venv-standards/bin/python -m pip install --quiet --disable-pip-version-check -r envs/standards.txt
	@touch $@

bench: setup
	$(BIN)/python -m pytest tests/benchmarks -q -s -o python_files='bench_*.py'

bench-gpu: setup
	$(BIN)/python -m pytest tests/train/test_gpu.py tests/benchmarks/bench_step.py tests/benchmarks/bench_training.py -m gpu -s -o python_files='bench_*.py test_*.py'

# Every known fault, and genuine files damaged at random: docs/explanation/reliability.md. A nightly run: make faults EXAMPLES=2000
faults: setup
	$(BIN)/python -m tests.faults --examples $(EXAMPLES)

schema: setup
	$(BIN)/python -m himoe.config.document

# docs/explanation/workflow.md: the rules of the default run, drawn from the rules; docs/pictures/: these and Hi-MoE.
picture: setup
	{ sed '/^```mermaid/,$$d' docs/explanation/workflow.md; echo '```mermaid'; \
	$(BIN)/snakemake --rulegraph mermaid-js | sed '/^flowchart/,$$!d; /style id/d'; echo '```'; } > docs/explanation/workflow.new
	mv docs/explanation/workflow.new docs/explanation/workflow.md
	$(BIN)/python docs/draw.py

clean:
	rm -rf results docs/_build .snakemake .pytest_cache .ruff_cache .hypothesis
