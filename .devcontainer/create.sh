#!/usr/bin/env bash
# A virtual environment with PyTorch for the CPU, which spares gigabytes of
# CUDA, and then what `make` would install. Continuous integration uses it too.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv
.venv/bin/python -m pip install --quiet uv
.venv/bin/uv pip install --quiet --python .venv --torch-backend cpu \
  "$(grep '^torch==' requirements.lock)"
make .venv/.ready
