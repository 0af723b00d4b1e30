# `make` alone prints what there is. Works with BSD and GNU make, on Linux and macOS.
# Each target sees to its environment first: locked versions, in .venv, or in .venv-X.Y of the Python that PYTHON names.
DEMO = bin=`PYTHON='$(PYTHON)' sh .ci/venv demo`/bin
TEST = bin=`PYTHON='$(PYTHON)' sh .ci/venv test`/bin
PARALLEL = --numprocesses 3 --dist loadfile --no-loadscope-reorder

help: ## this text
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -e 's/:.*## /	/'
	@echo 'With PYTHON=python3.12 (or a path) in an environment of that Python, .venv-3.12; without it in .venv, as it was made.'

demo: ## a course, learners, certificates: everything on this machine, from Python alone
	@$(DEMO) && exec $$bin/lern demo

test: ## tests; LERN_TEST_REQUIRE=all also starts real Kafka, Cassandra and Redis
	@$(TEST) && exec $$bin/pytest $(PARALLEL)

portable: ## the tests that .ci/run repeats on each other Python: rules, events, SQLite
	@$(TEST) && exec $$bin/pytest $(PARALLEL) --hypothesis-profile portable `cat .ci/portable-tests`

coverage: ## tests, and which branches of the code they take, in htmlcov/; slower than `make test`
	@$(TEST) && exec $$bin/pytest $(PARALLEL) --cov --cov-report=term:skip-covered --cov-report=html

lint: ## ruff, mypy --strict, import contracts, spelling
	@$(TEST) && $$bin/ruff check . && $$bin/ruff format --check . && $$bin/mypy && $$bin/lint-imports && $$bin/codespell

docs: ## the documents as a site, in site/
	@$(TEST) && exec $$bin/mkdocs build --strict

bench: ## measurements on real servers, each beside its ceiling
	@$(TEST) && exec $$bin/python -m benchmarks

dist: ## source and wheel, as a release publishes them
	@$(TEST) && rm -rf dist && exec $$bin/python -m build --no-isolation

lock: ## newest versions of everything into both lock files
	@python=`PYTHON='$(PYTHON)' sh .ci/python` && sh .ci/lock "$$python"

clean: ## removes the virtual environments and caches
	@rm -rf .venv .venv-* build dist site htmlcov .coverage* *.egg-info
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help demo test portable coverage lint docs bench dist lock clean
