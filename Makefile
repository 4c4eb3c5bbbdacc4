# The project's commands. `make demo` and `make test` need only python3, python3-venv, make and git;
# the rest is brought by ccenter/demo/bootstrap.py into .state/, which `make demo-clean` removes.

STATE := $(or $(CCENTER_STATE),.state)
PYTHON := $(STATE)/venv/bin/python
SETUP := python3 ccenter/demo/bootstrap.py
PORT ?= 8000
export PORT

.DEFAULT_GOAL := help
.PHONY: help demo dev test bench setup demo-clean

help: ## what can be asked for
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: ## the portal with a real Asterisk and calls all the time, on http://localhost:8000 (PORT=… changes it)
	@$(SETUP)
	@exec $(PYTHON) -m ccenter.demo

dev: ## the demo that restarts itself when the code changes
	@$(SETUP)
	@exec $(PYTHON) -m ccenter.demo --reload

test: ## everything the project promises, checked on the real things
	@$(SETUP) --browser
	@exec $(PYTHON) -m ccenter.demo.checks

bench: ## how fast it is, beside what it is measured against
	@$(SETUP) --browser
	@exec $(PYTHON) -m tests.bench $(if $(WRITE),--write)

setup: ## only install what is missing
	@$(SETUP) --browser

demo-clean: ## stop the demo and remove everything it made
	@exec python3 ccenter/demo/clean.py
