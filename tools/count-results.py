#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints how many tests of a meson-logs/testlog.json passed, failed and were skipped."""
import json
import sys

PASSED = {"OK", "EXPECTEDFAIL"}


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        results = [json.loads(line)["result"] for line in log]
    if not results:
        sys.exit(f"{sys.argv[1]}: no results")
    passed = sum(r in PASSED for r in results)
    skipped = results.count("SKIP")
    print(passed, len(results) - passed - skipped, skipped)


if __name__ == "__main__":
    main()
