# The commands of rlkit; each makes .venv by itself when it is missing or older than what it is made from.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SDL_VIDEODRIVER ?= dummy

.PHONY: demo test test-all lint bench levels figures clean

demo: .venv/ready ## solve the book's worlds, FrozenLake, Taxi and a maze, and write a report with pictures
	$(BIN)/rlkit demo --out runs/demo

test: .venv/ready ## the tests, in minutes
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-all: .venv/ready ## the slow tests too
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow or not slow"

lint: .venv/ready ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/bench ## speed against the peers, in one run; and estimators against the truth
	$(BIN)/python benchmarks/env_speed.py --peers
	$(BIN)/python benchmarks/planning.py --peers
	$(BIN)/python benchmarks/tabular_speed.py
	$(BIN)/python benchmarks/agents.py
	$(BIN)/python benchmarks/estimators.py
	$(BIN)/python benchmarks/token_truth.py

levels: .venv/bench ## how well deep agents learn with the presets, beside published levels; an hour
	$(BIN)/python benchmarks/levels.py

figures: .venv/ready ## the figures of both books, drawn anew into runs/figures
	$(BIN)/python benchmarks/figures.py

.venv/ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

.venv/bench: .venv/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	touch $@

clean:
	rm -rf .venv runs
