# FileFlow on ECS. Type `make` to see what there is.

STACK ?= local

# The user's settings of Python must not reach the commands: with PYTHONSAFEPATH there is no module `local`.
$(foreach name,$(filter PYTHON%,$(.VARIABLES)),$(eval unexport $(name)))

# The first Python that is new enough; `python3 -m local` says what to do where there is none.
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$python -IS -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$python; exit; fi; \
	done; echo python3)

# What is asked of one target isn't asked of a make that it runs, as the tests and the benchmark do.
MAKEOVERRIDES :=
unexport ARGUMENTS

.DEFAULT_GOAL := help
.PHONY: help up preview down docker status test check policy-report audit docs diagram walk torture benchmark setup

help: ## List the targets
	@echo 'FileFlow on ECS. Targets (the emulated AWS on this machine, whatever the stack):'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo 'STACK=prod, staging or dev on up and preview takes another stack than local.'

up: ## Deploy FileFlow on the emulated AWS, with the policy pack (STACK=local, ARGUMENTS=--refresh)
	@$(PYTHON) -m local up --stack $(STACK) $(if $(ARGUMENTS),-- $(ARGUMENTS))

preview: ## Show what up would do, with the policy pack (STACK=local, ARGUMENTS=--diff)
	@$(PYTHON) -m local preview --stack $(STACK) $(if $(ARGUMENTS),-- $(ARGUMENTS))

down: ## Stop the emulated AWS and forget what was deployed
	@$(PYTHON) -m local down

docker: ## Start a Docker engine and a registry for this clone, so that tasks run as containers
	@$(PYTHON) -m local.containers start

status: ## Say what runs
	@$(PYTHON) -m local status

test: ## Run every test (ARGUMENTS=-x)
	@$(PYTHON) -m local test $(if $(ARGUMENTS),-- $(ARGUMENTS))

check: ## Check format, lint and types, and run the fast tests
	@$(PYTHON) -m local check

# The stack's file is read from a copy, into which the CLI may write its salt; a violation fails the
# preview, and the report says so.
policy-report: ## Write policy-report.json and .sarif of what the pack finds (STACK=local)
	@$(PYTHON) -m local start --stack $(STACK)
	@. .local/env && export PULUMI_DEBUG_COMMANDS=true && rm -f .local/policy-events && \
	{ pulumi preview --stack $(STACK) --config-file .local/project/Pulumi.$(STACK).yaml --non-interactive \
	--policy-pack policies --event-log .local/policy-events > .local/policy-preview.log || true; } && \
	PYTHONPATH=policies .venv/bin/python -m fileflow_policies report --events .local/policy-events

# Prowler comes into an environment of its own at the first use. AWS=1 audits a real account, by the usual credentials.
audit: setup ## Audit what is deployed by ISMS-P and CIS, and write .local/audit (STACK=the selected one)
	@$(if $(AWS),,. .local/env &&) .venv/bin/python -m tools.audit \
	$(if $(filter command,$(word 1,$(origin STACK))),--stack $(STACK)) $(ARGUMENTS)

docs: setup ## Write the generated pages of docs/
	@.venv/bin/python -m tools.reference

diagram: ## Draw the running stack into docs/architecture.svg (STACK=the selected one)
	@. .local/env && .venv/bin/python -m tools.diagram $(if $(filter command,$(word 1,$(origin STACK))),--stack $(STACK)) $(ARGUMENTS)

walk: setup ## Change every setting of a running stack, there and back, and write docs/changes.md (hours)
	@FILEFLOW_RECORD_CHANGES=1 .venv/bin/python -m pytest -n 2 --dist loadgroup -rA tests/walk $(ARGUMENTS)
	@.venv/bin/python -m tools.reference

torture: setup ## Kill, cut, fuzz and provoke, and print a table of what came of it (an hour)
	@.venv/bin/python -m tests.torture.torture $(ARGUMENTS)

benchmark: setup ## Time `make up` and previews (ARGUMENTS=--against COMMIT, --cold, --suite)
	@.venv/bin/python -m tools.benchmark $(ARGUMENTS)

setup: ## Get the Pulumi CLI and the Python packages, without starting anything
	@$(PYTHON) -m local setup
