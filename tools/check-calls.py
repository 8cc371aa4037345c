#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds circles of calls between files, and calls that the layers block does not allow.

A header and the .c file of its name are one file. Files of src/core, or of the folders named, may
not call each other in a circle; each circle is shown with one call for each step of a shortest way
round. Calls go only to folders of which the layers block of docs/ARCHITECTURE.md allows includes.

Only direct calls count: one through a table of functions is how a driver asks a role. With --strict
it is listed, but does not fail, where a function of another file is handed on by its name, other
than in a table or as the destructor for a function named *_retire; and what is allowed in vain.

The calls are read from clang's syntax tree, which is complete: nothing is inlined, optimized or
left out yet, an inline function of a header is there even if nobody calls it, and it tells a call
from a name that is handed on, and to whom; gcc's call graph (-fcallgraph-info) lacks the latter.
"""
import argparse
import functools
import itertools
import json
import os
import shlex
import subprocess
import sys
from collections import namedtuple
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import layers

# A function is known by its name, a static one by (file, name); files by paths below the root.
Function = namedtuple("Function", "name file uses")
# A function's name inside another function, in a call or, with handed_to, as an argument of that
# function; handed_to is "" where it is neither.
Use = namedtuple("Use", "target file line handed_to")
# What is kept of a node of the tree; plain is one that is a function's name and nothing else.
Part = namedtuple("Part", "kind uses plain")

# A function's name stays one behind these.
TRANSPARENT = {"ImplicitCastExpr", "CStyleCastExpr", "ParenExpr", "UnaryOperator"}
# The options of a compiler that change what a source says.
FLAGS = ("-D", "-U", "-I", "-std=")


class CompileError(Exception):
    pass


def plain_name(function):
    return function if isinstance(function, str) else function[1]


class Tree:
    """Reads a tree in one go: each object is replaced, when complete, by what is kept of it."""

    def __init__(self, directory, root):
        self.file = self.line = None  # the tree says them only where they change
        self.known = {}               # {id of a declaration: function}
        self.declared = {}            # {function: the file that declares it first}
        self.functions = []           # those with a body

        @functools.cache
        def below_root(path):
            return os.path.relpath(os.path.realpath(os.path.join(directory, path)), root)
        self.below_root = below_root

    def read(self, text):
        json.loads(text, object_hook=self.take)

    def take(self, thing):
        if "offset" in thing:
            if "file" in thing:
                self.file = self.below_root(thing["file"])
            self.line = thing.get("line", self.line)
            return self.file, self.line
        if "expansionLoc" in thing:
            return thing["expansionLoc"]
        # What is only mentioned has a kind, but no place.
        if "kind" not in thing or "range" not in thing:
            return thing
        parts = [part for part in thing.get("inner", ()) if isinstance(part, Part)]
        return getattr(self, f"take_{thing['kind']}", self.take_other)(thing, parts)

    def take_other(self, thing, parts):
        kind, uses = thing["kind"], [use for part in parts for use in part.uses]
        return Part(kind, uses, kind in TRANSPARENT and len(parts) == 1 and parts[0].plain)

    def take_FunctionDecl(self, thing, parts):
        file = thing["loc"][0] if thing["loc"] else None
        name = self.known.get(thing.get("previousDecl"))
        if name is None:
            static = thing.get("storageClass") == "static"
            name = (file, thing["name"]) if static else thing["name"]
        self.known[thing["id"]] = name
        self.declared.setdefault(name, file)
        body = [part for part in parts if part.kind == "CompoundStmt"]
        if body:
            self.functions.append(Function(name, file, body[0].uses))
        return Part(thing["kind"], [], False)

    def take_VarDecl(self, thing, parts):
        """A static variable is a table: its names are handed to nobody."""
        static = thing.get("storageClass") == "static"
        return self.take_other(thing, [] if static else parts)

    def take_DeclRefExpr(self, thing, _parts):
        decl, uses = thing["referencedDecl"], []
        if decl["kind"] == "FunctionDecl":
            function = self.known.get(decl["id"], decl["name"])
            uses = [Use(function, *thing["range"]["begin"], "")]
        return Part(thing["kind"], uses, bool(uses))

    def take_CallExpr(self, thing, parts):
        called, uses, name = parts[0], list(parts[0].uses), ""
        if called.plain:
            name = plain_name(uses[0].target)
            uses = [uses[0]._replace(handed_to=None)]
        for part in parts[1:]:
            uses += [use._replace(handed_to=name) if part.plain else use for use in part.uses]
        return Part(thing["kind"], uses, False)


def read_unit(source, flags, directory, root):
    """The functions in what the compiler sees of a source, and where functions are declared."""
    command = ["clang", *flags, "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json", source]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if done.returncode != 0:
        raise CompileError(f"clang failed with {source}:\n{done.stderr}")
    tree = Tree(directory, root)
    tree.read(done.stdout)
    return tree.functions, tree.declared


def compile_flags(build):
    """{source: (flags, directory)} from a build directory, if there is one."""
    if build is None:
        return {}
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = entry.get("arguments") or shlex.split(entry["command"])
        directory = (build / entry["directory"]).resolve()
        source = (directory / entry["file"]).resolve()
        flags[source] = [w for w in words if w.startswith(FLAGS)], str(directory)
    return flags


class Calls:
    """All uses of functions between the files below some folders."""

    def __init__(self, rules, folders, build):
        self.rules = rules
        self.folders = tuple(f"src/{folder}/" for folder in folders)
        sources = sorted(p for folder in folders for p in (rules.src / folder).rglob("*.c"))
        if not sources:
            sys.exit(f"no sources in {' '.join(folders)}")
        known, fallback = compile_flags(build), (["-std=c11", "-Isrc"], str(rules.root))
        flags, directories = zip(*(known.get(source, fallback) for source in sources))
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            units = list(pool.map(read_unit, map(str, sources), flags, directories,
                                  itertools.repeat(str(rules.root))))
        self.home = {}
        for functions, declared in units:
            self.home |= {name: file for name, file in declared.items() if name not in self.home}
        # The inline functions of headers come up in many units.
        self.functions = {function.name: function for functions, _ in units
                          for function in functions}
        self.home |= {function.name: function.file for function in self.functions.values()}
        self.files = {self.stem(f.file) for f in self.functions.values() if self.is_inside(f.file)}
        if not self.files:
            sys.exit(f"clang's tree has no functions in {' '.join(folders)}")

    def is_inside(self, file):
        return file is not None and file.startswith(self.folders)

    @staticmethod
    def stem(file):
        """A header and the .c file of its name are one file."""
        return file.removeprefix("src/").rpartition(".")[0]

    def uses(self):
        """(use, function that has it) where both are ours, but stand in different files."""
        found = []
        for function in self.functions.values():
            for use in function.uses if self.is_inside(function.file) else ():
                home = self.home.get(use.target)
                if (home is not None and home.startswith("src/")
                        and self.stem(home) != self.stem(function.file)):
                    found.append((use, function))
        return sorted(found, key=lambda found: (found[0].file, found[0].line, str(found)))

    def graph(self):
        """{file: {file: the first call, as text}} below our folders."""
        graph = {file: {} for file in self.files}
        for use, function in self.uses():
            home = self.home[use.target]
            if use.handed_to is None and self.is_inside(home):
                graph[self.stem(function.file)].setdefault(self.stem(home),
                                                           self.text(use, function))
        return graph

    def text(self, use, function):
        return (f"{use.file}:{use.line}: {plain_name(function.name)} -> "
                f"{plain_name(use.target)} ({self.stem(self.home[use.target])})")

    def forbidden(self):
        """The first call for each folder and one that it may not call."""
        first = {}
        for use, function in self.uses():
            room, other = (self.rules.room_of(file.removeprefix("src/"))
                           for file in (function.file, self.home[use.target]))
            if use.handed_to is None and (room is None or not self.rules.allows(room, other)):
                first.setdefault((room, other), f"{room} may not call {other}: "
                                                f"{self.text(use, function)}")
        return list(first.values())

    def unused(self):
        """What the layers block allows to a folder of ours that neither includes nor calls it."""
        used = {(function.file, self.home[use.target]) for use, function in self.uses()}
        for path in self.rules.files():
            file = str(path.relative_to(self.rules.root))
            if self.is_inside(file):
                text = layers.without_comments(path.read_text())
                used |= {(file, f"src/{m[1]}") for m in layers.INCLUDE.finditer(text) if m[1]}
        used = {tuple(self.rules.room_of(file.removeprefix("src/")) for file in pair)
                for pair in used}
        for rule in self.rules.layers:
            for word in rule.right if self.is_inside(f"src/{rule.left[0]}/") else ():
                if not any(r == rule.left[0] and layers.covers(word, other) for r, other in used):
                    yield f"{rule.place}: nothing in {rule.left[0]} includes or calls {word}"

    def handed_on(self):
        for use, function in self.uses():
            if use.handed_to is not None and not use.handed_to.endswith("_retire"):
                to = f" to {use.handed_to}" if use.handed_to else ""
                yield f"hands a function on{to}: {self.text(use, function)}"


def print_graph(graph):
    for height, files in enumerate(layers.levels(graph)):
        print(f"level {height}")
        for file in files:
            print(f"  {file}{':' if graph[file] else ''}", *sorted(graph[file]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", default=["core"], help="below src/ (core)")
    parser.add_argument("--build", type=Path, help="take the flags from this build directory")
    parser.add_argument("--graph", action="store_true", help="print who calls whom, lowest first")
    parser.add_argument("--strict", action="store_true", help="list functions that are handed on")
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent)
    options = parser.parse_args()
    try:
        calls = Calls(layers.Rules(options.root.resolve()), options.folders, options.build)
    except CompileError as error:
        sys.exit(str(error))
    graph, forbidden = calls.graph(), calls.forbidden()
    circles = list(layers.circles(graph))
    if options.graph:
        print_graph(graph)
    for group, trail in circles:
        print(f"circle of {len(group)} files: {', '.join(group)}; a shortest way round:")
        for caller, called in zip(trail, trail[1:]):
            print(f"  {graph[caller][called]}")
    for complaint in forbidden:
        print(complaint)
    if options.strict:
        for remark in itertools.chain(calls.handed_on(), calls.unused()):
            print(remark)
    print(f"calls: {len(graph)} files, {len(circles)} circles, {len(forbidden)} pairs of folders "
          f"against the layers")
    return 1 if circles or forbidden else 0


if __name__ == "__main__":
    sys.exit(main())
