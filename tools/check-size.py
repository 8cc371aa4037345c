#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the size of functions and files in src/ and tests/ with universal-ctags.

A function over 80 lines fails, a file over 900. The aims, 40 and 500, are shown with --strict.
"""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_AIM, FUNCTION_MAX = 40, 80
FILE_AIM, FILE_MAX = 500, 900


def functions(files, kinds="f"):
    """Yields (file, first line, name, number of lines); of kind p are prototypes."""
    command = ["ctags", "--output-format=json", "--fields=+ne", "--languages=C",
               "--langmap=C:+.h", f"--kinds-C={kinds}", "-f", "-", *map(str, files)]
    tags = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    for line in tags.stdout.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield tag["path"], tag["line"], tag["name"], tag["end"] - tag["line"] + 1


def report(place, what, size, aim, limit, strict):
    """Prints what is over its limit, and with strict what is over its aim; 1 for the former."""
    if size > limit:
        print(f"{place}: {what} has {size} lines, the limit is {limit}")
        return 1
    if strict and size > aim:
        print(f"{place}: {what} has {size} lines, the aim is {aim}")
    return 0


def main():
    strict = "--strict" in sys.argv[1:]
    files = sorted(p.relative_to(ROOT) for top in ("src", "tests")
                   for p in (ROOT / top).rglob("*.[ch]"))
    if not files:
        sys.exit("no sources found")
    bad = sum(report(f"{f}:1", "file", len((ROOT / f).read_text().splitlines()),
                     FILE_AIM, FILE_MAX, strict) for f in files)
    found = list(functions(files))
    if not found:
        sys.exit("ctags found no functions")
    bad += sum(report(f"{path}:{line}", name, size, FUNCTION_AIM, FUNCTION_MAX, strict)
               for path, line, name, size in found)
    print(f"sizes: {len(files)} files, {len(found)} functions, {bad} over the limit")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
