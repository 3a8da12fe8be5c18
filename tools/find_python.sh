#!/bin/sh
# Print a Python of version 3.11 or newer that can make environments: the one named by PYTHON, else the first that works.
# Each candidate is run: some python3.x on a PATH are shims that exist and fail.
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
  if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    echo "$candidate"
    exit 0
  fi
done
if [ -n "${PYTHON:-}" ]; then
  echo "PYTHON=$PYTHON is not a working Python 3.11 or newer with its venv module." >&2
else
  echo "Python 3.11 or newer (with its venv module) was not found: install it, or name it, as in: make book PYTHON=/path/to/python3" >&2
fi
exit 1
