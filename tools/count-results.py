#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Prints from a meson-logs/testlog.json which tests, and which parts of tests, were skipped and the
reason that each gave, and in the last line how many tests passed, failed and were skipped.
"""
import json
import re
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
# What cmocka says when a test of a group is skipped, and when the next one starts.
PART_SKIPPED = re.compile(r"\[  SKIPPED \] ([A-Za-z_]\w*)$")
PART_STARTS = "[ RUN "


def last_line(lines):
    """The reason is what was said last."""
    said = [line for line in lines if line.strip()]
    return said[-1].removeprefix("skipped: ") if said else "it gave no reason"


def skipped_parts(output):
    """Name and reason of each part that was skipped."""
    found, said = {}, []
    for line in output.splitlines():
        if line.startswith(PART_STARTS):
            said = []
        elif match := PART_SKIPPED.match(line):
            # They are listed once more at the end of the group.
            found.setdefault(match[1], last_line(said))
        else:
            said.append(line)
    return found.items()


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        tests = [json.loads(line) for line in log]
    if not tests:
        sys.exit(f"{sys.argv[1]}: no results")
    for test in tests:
        name, output = test["name"].split(" / ")[-1], test.get("stdout", "")
        if test["result"] == "SKIP":
            print(f"skip  {name}: {last_line(output.splitlines())}")
        for part, reason in skipped_parts(output):
            print(f"skip  {part} of {name}: {reason}")
    results = [test["result"] for test in tests]
    passed = sum(r in PASSED for r in results)
    skipped = results.count("SKIP")
    print(passed, len(results) - passed - skipped, skipped)


if __name__ == "__main__":
    main()
