# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of the layers share: the two blocks of docs/ARCHITECTURE.md that say which folder
of src/ may use what (the notation is explained there), and circles in a graph.

A folder with a rule of its own is a room; one without belongs to the room of its parent.
"""
import re
import sys
from pathlib import Path, PurePosixPath


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include\b[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)?', re.M)
COMMENT = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


def without_comments(text):
    """Blanks comments, keeping the lines, and strings, which may look like comments."""
    return COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group())
                       if m.group().startswith("/") else m.group(), text)


class Rule:
    """A line `left: right` of a block, taken apart."""

    def __init__(self, place, left, right):
        self.place, self.left, self.right = place, left.split(), right.split()


def covers(word, name):
    """Whether a word of a rule means this room: itself, or with /* all below it too."""
    return word in ("*", name) or (word.endswith("/*") and (name + "/").startswith(word[:-1]))


class Rules:
    def __init__(self, root):
        self.root, self.src = root, root / "src"
        self.document = root / "docs" / "ARCHITECTURE.md"
        self.headers = list(self._block("headers"))
        self.layers = list(self._block("layers"))
        self.rooms = {rule.left[0]: rule for rule in self.layers if rule.left}

    def _block(self, name):
        """The rules of the fenced block that follows <!-- name -->."""
        text = self.document.read_text() if self.document.exists() else ""
        block = re.search(rf"<!-- {name} -->\s*```\w*\n(.*?)```", text, re.S)
        if not block:
            sys.exit(f"{self.document}: no block after <!-- {name} -->")
        first = text.count("\n", 0, block.start(1)) + 1
        for number, line in enumerate(block.group(1).splitlines(), first):
            left, _, right = line.partition(":")
            if line.strip():
                yield Rule(f"{self.document.relative_to(self.root)}:{number}", left, right)

    def files(self):
        return sorted(self.src.rglob("*.[ch]"))

    def room_of(self, file):
        """The room of a file, whose path is below src/; None where no rule names one."""
        return next((str(folder) for folder in PurePosixPath(file).parents
                     if str(folder) in self.rooms), None)

    def allows(self, room, other):
        """Whether files of a room may use another one."""
        return room == other or any(covers(word, other) for word in self.rooms[room].right)


def way(graph, start, end):
    """The shortest way between nodes of {node: nodes}, at least a step long, as a list, or None."""
    queue, came_from = [start], {}
    for node in queue:
        for following in sorted(graph.get(node, ())):
            if following in came_from:
                continue
            came_from[following] = node
            if following == end:
                trail = [end, node]
                while trail[-1] != start:
                    trail.append(came_from[trail[-1]])
                return trail[::-1]
            queue.append(following)
    return None


def reached(graph, start):
    """The nodes that at least one step leads to."""
    queue, seen = [start], set()
    for node in queue:
        new = set(graph.get(node, ())) - seen
        seen |= new
        queue += new
    return seen


def circles(graph):
    """Each largest group of nodes that all lead to each other, sorted, and a shortest way round."""
    reach = {node: reached(graph, node) for node in graph}
    groups = {tuple(sorted(n for n in reach[node] if node in reach.get(n, ())))
              for node in graph if node in reach[node]}
    for group in sorted(groups):
        yield group, min((way(graph, node, node) for node in group), key=len)


def levels(graph):
    """Groups of nodes, those first that lead to nothing; a circle's nodes stand in one group."""
    reach = {node: reached(graph, node) for node in graph}
    height = {}
    # What a node leads to is not more than the node does; if the same, it is a circle.
    for node in sorted(reach, key=lambda n: (len(reach[n]), n not in reach[n])):
        below = [n for n in reach[node] if node not in reach[n]]
        height[node] = 1 + max((height[n] for n in below), default=-1)
    return [sorted(n for n in height if height[n] == level)
            for level in sorted(set(height.values()))]
