#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that no text below the programs names an option of theirs.

Which option sets what is for the tables in src/conf alone to know; an error says which setting it is about
(os/error.h). What is neither is listed here with its reason.
"""
import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KNOWING = {"conf", "ctl", "edge", "supernode"}
OTHERS = (
    r"ulimit -[nu]",  # the shell's
    r'\\"--device ',  # of container engines
    r"for edges: -l %s or, safer, -l %s/%s",  # a supernode's line to copy into an edge's command
)
FOREIGN = {"os/linux/dhcp_clients.c"}  # command lines of DHCP clients
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][a-z-]*")


def options(text):
    """Yields line and string literal of each that names an option."""
    text = COMMENT.sub(lambda m: "\n" * m.group().count("\n"), text)
    for m in STRING.finditer(text):
        if not any(re.search(other, m.group()) for other in OTHERS) and OPTION.search(m.group(1)):
            yield text.count("\n", 0, m.start()) + 1, m.group()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the source tree to check")
    root = parser.parse_args().root
    files = sorted(p for p in (root / "src").rglob("*.[ch]")
                   if p.relative_to(root / "src").parts[0] not in KNOWING
                   and str(p.relative_to(root / "src")) not in FOREIGN)
    found = 0
    for path in files:
        for line, literal in options(path.read_text()):
            print(f"{path.relative_to(root)}:{line}: names an option: {literal}")
            found += 1
    print(f"words: {len(files)} files, {found} options named below the programs")
    sys.exit(found > 0)


if __name__ == "__main__":
    main()
