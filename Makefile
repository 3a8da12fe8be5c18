# The front door. Every command makes its own environment in .venv; only Python 3.11 or newer is needed.
# Without make (Windows): python tools/course.py COMMAND

PORT ?= 8888
COMMANDS := book runtime pdf handout test test-browser test-deep versions same-bytes audit screenshots lint execute bench clean

.DEFAULT_GOAL := help
.PHONY: help lab serve $(COMMANDS)

define course
	@python=$$(PYTHON='$(PYTHON)' sh tools/find_python.sh) && $$python tools/course.py
endef

help:
	$(course) --help

$(COMMANDS):
	$(course) $@

lab serve:
	$(course) $@ --port $(PORT)
