#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints a table of the size of the code for each folder of src/, or for the folders named.

"comments" is the share of lines, blank ones left out, that are nothing but comment; "explained" the
share of functions in headers, declared or inline, that have a comment directly above.
"""
import sys
from importlib import import_module

import layers

size = import_module("check-size")
COLUMNS = "folder files lines functions p95 longest comments explained".split()


def comment_lines(text):
    """The numbers of the lines that are nothing but comment, counted from 1."""
    with_code = layers.without_comments(text).splitlines()
    return {number for number, (line, code) in enumerate(zip(text.splitlines(), with_code), 1)
            if line.strip() and not code.strip()}


def share(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else "-"


def measure(name, files):
    """A row of the table."""
    texts = {str(file): (size.ROOT / file).read_text() for file in files}
    comments = {file: comment_lines(text) for file, text in texts.items()}
    filled = sum(bool(line.strip()) for text in texts.values() for line in text.splitlines())
    lengths = sorted(length for *_, length in size.functions(files))
    headers = [file for file in files if file.suffix == ".h"]
    declared = list(size.functions(headers, "fp")) if headers else []
    explained = sum(line - 1 in comments[file] for file, line, *_ in declared)
    return [name, len(files), sum(len(text.splitlines()) for text in texts.values()), len(lengths),
            lengths[int(0.95 * (len(lengths) - 1))] if lengths else "-",
            lengths[-1] if lengths else "-",
            share(sum(map(len, comments.values())), filled), share(explained, len(declared))]


def main():
    tops = sys.argv[1:] or ["src"]
    files = [p.relative_to(size.ROOT) for top in tops
             for p in sorted((size.ROOT / top).rglob("*.[ch]"))]
    if not files:
        sys.exit(f"no sources in {' '.join(tops)}")
    rows = [measure(str(folder), [file for file in files if file.parent == folder])
            for folder in sorted({file.parent for file in files})]
    rows.append(measure("all", files))
    widths = [max(len(str(row[i])) for row in [COLUMNS, *rows]) for i in range(len(COLUMNS))]
    for row in [COLUMNS, ["-" * width for width in widths], *rows]:
        print("|", " | ".join(f"{word:<{width}}" if i == 0 else f"{word:>{width}}"
                              for i, (word, width) in enumerate(zip(row, widths))), "|")


if __name__ == "__main__":
    main()
