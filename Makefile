# `make` alone prints what there is. Works with BSD and GNU make, on Linux and macOS.
VENV = .venv
BIN = $(VENV)/bin

help: ## this text
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -e 's/:.*## /	/'

$(BIN)/lern:
	@sh .ci/venv $(VENV) .

$(BIN)/pytest:
	@sh .ci/venv $(VENV) '.[test]'

demo: $(BIN)/lern ## a course, learners, certificates: everything on this machine, from Python alone
	@$(BIN)/lern demo

test: $(BIN)/pytest ## tests; LERN_TEST_REQUIRE=all also starts real Kafka, Cassandra and Redis
	@$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

lint: $(BIN)/pytest ## ruff, mypy --strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(BIN)/pytest ## measurements on real servers, each beside its ceiling
	@$(BIN)/python -m benchmarks

clean: ## removes the virtual environment and caches
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help demo test lint bench clean
