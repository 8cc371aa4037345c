#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the directions of dependency in src/ against the layers block of docs/ARCHITECTURE.md.

Reports, with file and line: an include that the block does not allow, a cycle of includes, a
platform macro outside src/os, and system or library headers outside the folder that owns them.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
RULES = ROOT / "docs" / "ARCHITECTURE.md"

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
DIRECTIVE = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b(.*)")
PLATFORM = re.compile(
    r"\b(__linux__|__linux|linux|__gnu_linux__|_WIN32|_WIN64|__MINGW\w+__|__APPLE__|__ANDROID__|"
    r"__FreeBSD__|__OpenBSD__|__NetBSD__|__DragonFly__|__unix__|__CYGWIN__|_MSC_VER)\b")

# A header, and the only folders that may include it.
OWNED = [
    (re.compile(r"^(sodium|openssl/|intel-ipsec-mb|ipsec-mb)"), {"crypto"}),
    (re.compile(r"^uv(\.h|/)"), {"api", "host"}),
    (re.compile(r"^(linux/|libmnl/)"), {"os"}),
]
# What the core must not know: sockets, clocks, threads, files and printing.
NOT_IN_CORE = re.compile(
    r"^(sys/|net/|netinet/|arpa/|linux/|(netdb|time|threads|pthread|stdio|unistd|fcntl|poll|"
    r"signal|errno|syslog)\.h$)")


def read_rules():
    """{folder: set of folders that it may include}."""
    text = RULES.read_text() if RULES.exists() else ""
    block = re.search(r"<!-- layers -->\s*```\w*\n(.*?)```", text, re.S)
    if not block:
        sys.exit(f"{RULES}: no block of layers after <!-- layers -->")
    rules = {}
    for line in block.group(1).strip().splitlines():
        folder, _, allowed = line.partition(":")
        rules[folder.strip()] = set(allowed.split()) | {folder.strip()}
    return rules


def folder_of(path):
    return path.relative_to(SRC).parts[0]


def without_comments(text):
    """Blanks comments, keeping the lines."""
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def check_include(folder, rules, quoted, name):
    """Why this include is wrong, or None."""
    if quoted:
        target = name.split("/")[0] if "/" in name else folder
        if not (SRC / name).exists():
            return f'"{name}" is not a path below src/'
        if target not in rules[folder]:
            return f"{folder} may not include {target}: {name}"
        return None
    for pattern, owners in OWNED:
        if pattern.match(name) and folder not in owners:
            return f"<{name}> belongs to {', '.join(sorted(owners))}"
    if folder == "core" and NOT_IN_CORE.match(name):
        return f"<{name}> is outside the core's world"
    return None


def check_file(path, rules, includes):
    """Yields (line, complaint); adds what the file includes to includes."""
    folder = folder_of(path)
    if folder not in rules:
        yield 1, f"folder {folder} is missing in the layers block of {RULES.name}"
        return
    for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            quoted, name = match.group(1) == '"', match.group(2)
            complaint = check_include(folder, rules, quoted, name)
            if complaint:
                yield number, complaint
            elif quoted:
                includes.setdefault(path, []).append((SRC / name, number))
        match = DIRECTIVE.match(line)
        if match and folder != "os" and PLATFORM.search(match.group(2)):
            yield number, f"platform macro outside src/os: {line.strip()}"


def find_cycles(includes):
    """Yields (file, line, cycle as text) for each include that closes a cycle."""
    done, trail = set(), []

    def visit(path):
        trail.append(path)
        for target, number in includes.get(path, []):
            if target in trail:
                names = trail[trail.index(target):] + [target]
                yield path, number, " -> ".join(str(p.relative_to(SRC)) for p in names)
            elif target not in done:
                yield from visit(target)
        trail.pop()
        done.add(path)

    for path in sorted(includes):
        if path not in done:
            yield from visit(path)


def main():
    rules, includes, bad = read_rules(), {}, 0
    files = sorted(p for p in SRC.glob("*/**/*") if p.suffix in (".c", ".h"))
    if not files:
        sys.exit(f"{SRC}: no sources")
    for path in files:
        for number, complaint in check_file(path, rules, includes):
            print(f"{path.relative_to(ROOT)}:{number}: {complaint}")
            bad += 1
    for path, number, cycle in find_cycles(includes):
        print(f"{path.relative_to(ROOT)}:{number}: include cycle: {cycle}")
        bad += 1
    print(f"layers: {len(files)} files, {bad} violations")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
