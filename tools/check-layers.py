#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks every #include in src/ against the blocks of docs/ARCHITECTURE.md.

Reports, with file and line: an include that the layers block does not allow, a header from outside
that the headers block does not give to the folder, a cycle of includes, a platform macro anywhere
but in a folder below src/os, a folder without a rule, and what the blocks say of folders that are
not there. With --strict also what is allowed in vain, and folders that include each other; neither
fails.
"""
import argparse
import itertools
import re
import sys
from pathlib import Path

import layers

CONDITION = re.compile(r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif)\b((?:.*\\\n)*.*)", re.M)
PLATFORM = re.compile(
    r"\b(__linux__|__linux|linux|__gnu_linux__|_WIN32|_WIN64|__MINGW\w+__|__APPLE__|__ANDROID__|"
    r"__FreeBSD__|__OpenBSD__|__NetBSD__|__DragonFly__|__unix__|__unix|__CYGWIN__|_MSC_VER)\b")


class Check:
    def __init__(self, rules):
        self.rules = rules
        self.includes = {}  # {file: {included file: line}}, both as paths below src/
        self.used = set()   # (rule, left, right) of the headers block
        self.complaints = []

    def complain(self, place, text):
        self.complaints.append(f"{place}: {text}")

    def check_blocks(self):
        """What rules say of folders must be so."""
        rooms = {self.rules.room_of(file.relative_to(self.rules.src))
                 for file in self.rules.files()}
        for rule in self.rules.layers:
            if len(rule.left) != 1:
                self.complain(rule.place, "a rule is for one folder")
            elif rule is not self.rules.rooms[rule.left[0]]:
                self.complain(rule.place, f"{rule.left[0]} has a second rule below")
            elif rule.left[0] not in rooms:
                self.complain(rule.place, f"no files are in src/{rule.left[0]}")
        for rule in self.rules.layers + self.rules.headers:
            for word in rule.right:
                if not any(layers.covers(word, room) for room in self.rules.rooms):
                    self.complain(rule.place, f"{word} has no rule of its own")

    def check_ours(self, place, room, name):
        """An include in quotes; true if it is right."""
        other = self.rules.room_of(name)
        if ".." in name or not (self.rules.src / name).is_file():
            self.complain(place, f'"{name}" is not a path below src/')
        elif not self.rules.allows(room, other):
            self.complain(place, f"{room} may not include {other}: {name}")
        else:
            return True
        return False

    def check_outside(self, place, room, name):
        """An include in angle brackets."""
        named = [(rule, left) for rule in self.rules.headers for left in rule.left
                 if layers.covers(left, name)]
        allowed = {(rule, left, right) for rule, left in named for right in rule.right
                   if layers.covers(right, room)}
        self.used |= allowed
        if not named:
            self.complain(place, f"<{name}> is not in the headers block")
        elif not allowed:
            self.complain(place, f"<{name}> is not for {room}")

    def check_file(self, path):
        file = str(path.relative_to(self.rules.src))
        text = layers.without_comments(path.read_text())
        self.includes[file] = {}

        def place(match):
            line = text.count("\n", 0, match.start()) + 1
            return f"{path.relative_to(self.rules.root)}:{line}"

        for match in CONDITION.finditer(text):
            if PLATFORM.search(match.group(1)) and not re.match("os/.*/", file):
                self.complain(place(match), f"platform macro outside the folders of src/os: "
                              f"{match.group().strip()}")
        room = self.rules.room_of(file)
        if room is None:
            self.complain(path.relative_to(self.rules.root), "no rule is for this folder")
            return
        for match in layers.INCLUDE.finditer(text):
            ours, outside = match.groups()
            if ours and self.check_ours(place(match), room, ours):
                self.includes[file].setdefault(ours, place(match))
            elif outside:
                self.check_outside(place(match), room, outside)
            elif not ours:
                self.complain(place(match), "an include that names no file")

    def check_cycles(self):
        for _, trail in layers.circles(self.includes):
            self.complain(self.includes[trail[0]][trail[1]], f"include cycle: {' -> '.join(trail)}")

    def unused_layers(self):
        """What is out of reach of all includes; tools/check-calls.py knows of more."""
        reach = {room: set() for room in self.rules.rooms}
        for file in self.includes:
            reach[self.rules.room_of(file)] |= layers.reached(self.includes, file)
        for rule in self.rules.layers:
            rooms = set(map(self.rules.room_of, reach[rule.left[0]]))
            for word in rule.right:
                if not any(layers.covers(word, room) for room in rooms):
                    yield f"{rule.place}: nothing in {rule.left[0]} sees {word}"

    def unused_headers(self):
        for rule in self.rules.headers:
            for left in rule.left:
                if not any(u[:2] == (rule, left) for u in self.used):
                    yield f"{rule.place}: nobody includes <{left}>"
            for right in rule.right:
                if not any((rule, left, right) in self.used for left in rule.left):
                    yield f"{rule.place}: {right} includes none of {' '.join(rule.left)}"

    def folder_cycles(self):
        rooms = {room: set() for room in self.rules.rooms}
        for file, included in self.includes.items():
            room = self.rules.room_of(file)
            rooms[room] |= set(map(self.rules.room_of, included)) - {room}
        for group, trail in layers.circles(rooms):
            yield (f"{self.rules.document.name}: {len(group)} folders include each other: "
                   f"{', '.join(group)}; the shortest way round: {' -> '.join(trail)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    options = parser.parse_args()
    check = Check(layers.Rules(options.root))
    files = check.rules.files()
    if not files:
        sys.exit(f"{check.rules.src}: no sources")
    check.check_blocks()
    for path in files:
        check.check_file(path)
    check.check_cycles()
    print(*check.complaints, sep="\n", end="\n" if check.complaints else "")
    if options.strict and not check.complaints:
        remarks = (check.unused_layers(), check.unused_headers(), check.folder_cycles())
        for remark in itertools.chain(*remarks):
            print(remark)
    print(f"layers: {len(files)} files, {len(check.complaints)} violations")
    return 1 if check.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
