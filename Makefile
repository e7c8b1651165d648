# make run    installs, syncs notes/, searches, lists the links, builds site/
# make test   installs the test extra and runs every check and test
# make check         lint, types and the quick tests: the inner loop, in less than a minute
# make docs          writes anew what the pages say of the program: help, settings, picture, sessions
# make bench         every benchmark, a some twenty minutes, into docs/benchmarks.md
# make release-check builds the wheel and uses it in a fresh environment
# make torture       every attack at full length: kills, disks, crowds, hostile notes, mutations
# make screenshots   every page of the site, wide and narrow, light and dark, into build/screenshots
# make audit         Lighthouse and html-validate over the built site (tools from npm)

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt

.PHONY: run test check lint tests quick-tests docs bench torture release-check screenshots audit clean
.DELETE_ON_ERROR:

run: .venv/run.stamp
	@echo '$$ kb sync'
	@$(BIN)/kb sync
	@echo; echo '$$ kb search "qlora vram"'
	@$(BIN)/kb search "qlora vram"
	@echo; echo '$$ kb links'
	@$(BIN)/kb links
	@echo; echo '$$ mkdocs build --strict'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q
	@echo "site/ is built"
	@echo
	@echo "Next:  source .venv/bin/activate"
	@echo "       kb search \"how much memory do I need to fine-tune at home\""
	@echo "       kb add-link https://arxiv.org/abs/2106.09685"
	@echo "       kb check-links"
	@echo "       mkdocs serve          the notes in a browser, at http://127.0.0.1:8000/"
	@echo "       kb --help"

# Types are checked while the tests run, and files of tests are shared out among the cores.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
SIDE_BY_SIDE = @$(MAKE) --no-print-directory -j2

test: .venv/test.stamp
	$(SIDE_BY_SIDE) lint tests

check: .venv/test.stamp
	$(SIDE_BY_SIDE) lint quick-tests

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

tests: .venv/test.stamp
	$(PYTEST)

quick-tests: .venv/test.stamp
	$(PYTEST) -m "not slow"

# The links of the pages are checked by their test.
docs: .venv/test.stamp
	$(BIN)/python docs/house.py
	$(BIN)/python -m cogapp -r docs/*.md
	$(BIN)/python docs/sessions.py --write
	$(BIN)/python -m pytest tests/test_docs.py

bench: .venv/test.stamp
	$(BIN)/python -m bench

release-check: .venv/test.stamp
	BUILDER=$(BIN)/python PYTHON=$(PYTHON) .ci/release-check

torture: .venv/test.stamp
	$(BIN)/python -m torture

screenshots: .venv/test.stamp
	$(BIN)/python -m bench.screenshots

audit: .venv/test.stamp
	$(BIN)/python -m bench.audit

# The stamps are files of their own: a virtual environment's python is a link to the system's,
# whose age says nothing.
.venv/run.stamp: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; name one with make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: kb needs Python 3.11 or newer; name one with make PYTHON=/path/to/python3"; exit 1; }
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "Installing into .venv (about 2 GB, a few minutes the first time) ..."
	@$(PIP) -e .
	@touch $@

.venv/test.stamp: .venv/run.stamp
	@$(PIP) -e '.[test]'
	@touch $@

clean:
	rm -rf .venv .kb site build
