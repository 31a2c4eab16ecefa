# The commands of the README. On a fresh machine `make run` and `make test` install what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
GRAPH ?= graphs/vr_audio_eye.yaml
ARGS ?=
SUITES ?= runtime kernels face
MINUTES ?= 30
# The CPU build where one is at hand; see docs/install.md.
TORCH ?= torch==2.13.0 triton==3.7.1

RUN_PACKAGES := portaudio19-dev
TEST_PACKAGES := doctest-dev espeak-ng ffmpeg libegl1 libgl1-mesa-dri flite libasound2-plugins pulseaudio pulseaudio-utils
SOURCES := pyproject.toml CMakeLists.txt \
  $(shell find rtgraph kernels nodes -name '*.cpp' -o -name '*.h' -o -name '*.cu' -o -name CMakeLists.txt)

.PHONY: run test lint sanitize wheel bench soak test-gpu bench-gpu viewer test-viewer bench-viewer setup setup-test clean

run: setup
	$(BIN)/rtgraph run $(GRAPH) $(ARGS)

setup: $(VENV)/.installed

test: setup-test
	$(BIN)/pytest $(ARGS)
	cmake -S tests/cpp -B build/cpp && cmake --build build/cpp --parallel 2 && build/cpp/core_tests

setup-test: $(VENV)/.installed-test

# Installed for editing: Python files are read from the checkout, C++ is built again when it has changed.
$(VENV)/.installed: $(SOURCES)
	$(call system_packages,$(RUN_PACKAGES))
	@test -x $(BIN)/python || { echo "setup: making the environment $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "setup: installing the build tools (scikit-build-core, pybind11, cmake, ninja; setuptools and wheel for PyAudio)"
	@$(PIP) "scikit-build-core>=0.11" "pybind11>=2.13" cmake ninja "setuptools>=77" wheel
	@echo "setup: installing what rtgraph needs, and compiling its C++ (the first time four minutes of two cores, without a word)"
	@$(PIP) --no-build-isolation --editable ".[audio,eye,plot,vr]"
	@touch $@
	@echo "setup: done. The command: . $(VENV)/bin/activate && rtgraph --help"

$(VENV)/.installed-test: $(VENV)/.installed
	$(call system_packages,$(TEST_PACKAGES))
	@echo "setup: installing torch for the tests (some hundred megabytes: TORCH in the Makefile)"
	@$(PIP) $(TORCH)
	@echo "setup: installing the tests' tools, and compiling again where C++ has changed"
	@$(PIP) --no-build-isolation --editable ".[dev,train]"
	@touch $@

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The C++ core's tests again, watched for data races, bad memory and undefined behaviour.
sanitize:
	for kind in thread address,undefined; do \
	  cmake -S tests/cpp -B build/cpp-$$kind -DSANITIZE=$$kind && cmake --build build/cpp-$$kind --parallel 2 && build/cpp-$$kind/core_tests || exit 1; \
	done

# A wheel, through the source distribution, and a run of it in an empty environment from another folder.
wheel: setup-test
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m build --outdir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/pip install --quiet --disable-pip-version-check build/wheel/*.whl
	cd build/wheel && venv/bin/rtgraph check hello_audio && venv/bin/rtgraph run hello_audio --fast --swap picture=debug.discard

# Ours beside its peers; the peers of the runtime get environments of their own.
bench: setup-test
	$(PIP) --no-build-isolation --editable ".[bench]"
	for suite in $(SUITES); do $(BIN)/rtgraph bench $$suite $(ARGS) || exit 1; done

test-gpu: setup-test
	$(BIN)/pytest -m gpu $(ARGS)

# The rows that have a GPU in them are left out where there is none.
bench-gpu: setup-test
	$(BIN)/rtgraph bench kernels $(ARGS)

# The main job for MINUTES, watched: memory, latency, drops; fails where one of them grows.
soak: setup-test
	$(BIN)/python -m rtgraph.benchmarks.soak --minutes $(MINUTES) $(ARGS)

# The page of sink.viewer, from viewer/src to viewer/dist; what is built is committed.
viewer:
	cd viewer && npm ci --no-audit --no-fund && npm run build

# The page in a real browser without a window.
test-viewer: setup viewer
	$(call system_packages,chromium)
	cd viewer && npm test

# How long the page takes to open, and its script for a frame, in a real browser.
bench-viewer: setup viewer
	$(call system_packages,chromium)
	cd viewer && npm run bench

clean:
	rm -rf build dist out $(VENV)

# Debian's packages, where there are any missing and we may install them; elsewhere their names are printed.
define system_packages
	@missing=$$(for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "setup: installing system packages:" $$missing; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	else echo "please install these system packages:" $$missing; fi
endef
