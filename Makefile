# One command, one book: `make book`. `make help` lists the rest.
SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
REPO ?=
PORT ?= 8000
.DEFAULT_GOAL := help
.PHONY: help book html pdf test lab notebooks exercises trust serve links lock \
  clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' \
	  $(MAKEFILE_LIST)

book: html pdf ## the HTML book and the PDF book, in _build/

html: $(VENV)/.ready .cache/static/.ready ## _build/html/index.html alone
	@$(BIN)/python -m scripts.build html

# The HTML is built first, so that it is there whatever happens to the PDF.
pdf: $(VENV)/.ready | html ## _build/book.pdf
	@$(PYTHON) scripts/system.py latex
	@$(BIN)/python -m scripts.build pdf

test: $(VENV)/.ready .cache/static/.ready ## every check, from lint to browser
	@-$(PYTHON) scripts/system.py latex
	@-$(PYTHON) scripts/system.py browser
	@$(BIN)/python -m scripts.check $(ONLY)

lab: $(VENV)/.ready ## JupyterLab on the chapters and exercises
	@$(BIN)/jupyter lab $(LAB_OPTIONS)

notebooks: $(VENV)/.ready ## run changed chapters and solutions, store outputs
	@$(BIN)/python -m scripts.notebooks $(NOTEBOOKS)

exercises: $(VENV)/.ready ## write exercises/ from solutions/
	@$(BIN)/python -m scripts.exercises

trust: $(VENV)/.ready ## compare with other libraries, store what agrees
	@$(BIN)/python -m pytest -n 2 -m parity --trust=_build/trust.json
	@$(BIN)/python -m scripts.trust --write

serve: html ## the HTML book at http://localhost:8000
	@echo "  http://localhost:$(PORT)  (Ctrl-C ends it)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 -d _build/html

links: $(VENV)/.ready ## make links REPO=owner/name: set the address everywhere
	@$(BIN)/python -m scripts.links $(REPO)

lock: $(VENV)/.ready ## resolve requirements.lock anew
	@$(BIN)/python -m scripts.lock

clean: ## remove what was built (the virtual environment stays)
	rm -rf _build .cache

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) scripts/system.py venv
	@test -x $(BIN)/python || { echo "  making $(VENV)"; \
	  $(PYTHON) -m venv $(VENV); }
	@echo "  installing the packages of requirements.lock (minutes)"
	@$(BIN)/python -m pip install -qq -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

.cache/static/.ready: book/_vendor/package-lock.json scripts/vendor.py \
  | $(VENV)/.ready
	@echo "  fetching the browser parts (MathJax, fonts, widgets)"
	@$(BIN)/python -m scripts.vendor
	@touch $@
