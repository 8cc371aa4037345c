#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives tools/mutate.py a small project with guards that its test sees, and one that it misses."""
import subprocess
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parent.parent.parent / "tools" / "mutate.py"

FILES = {
    "meson.build": "project('tiny', 'c')\n"
                   "test('tiny', executable('test_tiny', 'src/tiny.c', 'src/test.c'))\n",
    "src/tiny.c": """\
int tiny(unsigned n, int ready);
int tiny(unsigned n, int ready)
{
	int sum = 0;

	while (n != 0)
		sum += (int)n--;
	if (sum > 99)
		return 100;
	return ready ? sum : -1;
}
""",
    "src/test.c": """\
int tiny(unsigned n, int ready);
int main(void)
{
	return tiny(5, 1) > 10 && tiny(50, 1) == 100 && tiny(5, 0) < 0 ? 0 : 1;
}
""",
    "docs/mutation.md": "The head stays.\n\n<!-- results -->\n\nThe rest does not.\n"
                        "| old.c | 7 | 6 | 5 | 4 | 2 | 0 |\n| tiny.c | 1 | 1 | 1 | 1 | 0 | 0 |\n",
}
BOUNDARY = "src/tiny.c tiny\n  sum > 99 -> sum >= 99\n  Nothing adds up to 99.\n"
LEFT = "src/tiny.c:8: tiny: sum > 99 -> sum >= 99 survives (boundary; in 1 tests that reach it)"
COUNT = "src/tiny.c: 3 of 3 guards, 0 of 1 boundaries killed, {} explained"


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def mutate(root, *options):
    """What it prints, without times, and its status."""
    done = subprocess.run([TOOL, "--root", root, *options, root / "src/tiny.c"],
                          capture_output=True, text=True)
    lines = [line.rpartition(", ")[0] if line.endswith(" s") else line
             for line in done.stdout.splitlines()]
    return lines, done.stderr, done.returncode


class Runs(unittest.TestCase):
    """All in one project, so that it is built once."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = Path(cls.folder.name)
        write(cls.root, FILES)

    def run_with(self, explanations, *options):
        write(self.root, {"tools/mutate-explained.txt": explanations})
        lines, errors, status = mutate(self.root, *options)
        self.assertEqual(errors, "")
        self.assertTrue(lines[0].startswith("1 tests reach mutants"), lines)
        return lines[1:], status

    def test_a_survivor_fails(self):
        self.assertEqual(self.run_with(""), (
            [LEFT, COUNT.format(0), "mutants: 4, 3 killed, 0 explained, 1 survive"], 1))

    def test_a_survivor_that_is_explained_does_not_fail(self):
        self.assertEqual(self.run_with("# Comment.\n" + BOUNDARY), (
            [COUNT.format(1), "mutants: 4, 3 killed, 1 explained, 0 survive"], 0))

    def test_an_explanation_of_what_is_killed_fails(self):
        self.assertEqual(self.run_with(BOUNDARY + "\n" + BOUNDARY.replace(">=", "<=")), (
            [COUNT.format(1), "mutate-explained.txt:5: is killed: sum > 99 -> sum <= 99",
             "mutants: 4, 3 killed, 1 explained, 0 survive"], 1))

    def test_the_results_are_recorded(self):
        self.run_with(BOUNDARY, "--record")
        self.assertEqual((self.root / "docs/mutation.md").read_text(), """\
The head stays.

<!-- results -->

| file | guards | killed | boundaries | killed | explained | unexplained |
|---|---|---|---|---|---|---|
| old.c | 7 | 6 | 5 | 4 | 2 | 0 |
| tiny.c | 3 | 3 | 1 | 0 | 1 | 0 |
| all | 10 | 9 | 6 | 4 | 3 | 0 |

## Survivors

### tiny.c

- `tiny`: `sum > 99` to `sum >= 99`. Nothing adds up to 99.
""")

    def test_what_does_not_end_is_killed_and_what_fails_as_it_is_is_reported(self):
        with tempfile.TemporaryDirectory() as folder:
            source = FILES["src/tiny.c"].replace("n != 0", "n > 0")
            write(Path(folder), FILES | {"src/tiny.c": source})
            lines, errors, status = mutate(Path(folder))
            self.assertEqual((lines[1:], errors, status), (
                [LEFT, COUNT.format(0).replace("0 of 1", "1 of 2"),
                 "mutants: 5, 4 killed, 0 explained, 1 survive"], "", 1))
            test = FILES["src/test.c"].replace("> 10", "> 15")
            write(Path(folder), {"src/test.c": test})
            self.assertEqual(mutate(Path(folder)),
                             ([], "test tiny fails as things are (status 1)\n", 1))


class Lists(unittest.TestCase):
    """Which mutants there are."""

    def changes(self, body, head="", explanations=""):
        with tempfile.TemporaryDirectory() as folder:
            text = f"{head}\nint tiny(int a, int b)\n{{\n{body}\n}}\n"
            write(Path(folder), {"src/tiny.c": text, "tools/mutate-explained.txt": explanations})
            lines, errors, status = mutate(Path(folder), "--list")
        self.assertEqual(errors, "")
        return [line.partition(": tiny: ")[2] or line for line in lines[:-1]], status

    def expect(self, body, *changes, **more):
        self.assertEqual(self.changes(body, **more), (list(changes), 0))

    def test_comparisons_are_inverted_and_their_boundaries_moved(self):
        self.expect("return (a == 1) + (b != 2);", "a == 1 -> a != 1", "b != 2 -> b == 2")
        self.expect("return (a < 1) + (b >= 2);", "a < 1 -> a >= 1", "a < 1 -> a <= 1",
                    "b >= 2 -> b < 2", "b >= 2 -> b > 2")

    def test_what_is_joined_is_changed_as_a_whole_and_in_its_parts(self):
        self.expect("return a || b ||\n\t/* both */ !a;", "a || b || !a -> (a || b) && !a",
                    "a || b -> a && b", "a -> !a", "b -> !b", "!a -> !!a")

    def test_plain_conditions_are_inverted(self):
        self.expect("if (a) b++; while (tiny(b, a)) b--; do a--; while (a); return b ? a : 1;",
                    "a -> !a", "tiny(b, a) -> !tiny(b, a)", "a -> !a", "b -> !b")

    def test_what_always_holds_is_no_guard(self):
        self.expect("for (;;) while (1) do ; while (0);")

    def test_constants_and_assertions_are_none(self):
        self.expect("assert(a < b); static_assert(1 < 2, \"\"); static const int c = 1 < 2;\n"
                    "int d[2 > 1]; switch (a) { case 2 > 1: return d[0] + c; } return 0;",
                    head="#include <assert.h>")

    def test_macros_are_changed_where_they_are_used(self):
        self.expect("if (LESS(a, 3)) return LESS(b, a == 3);\nreturn a > LIMIT;",
                    "LESS(a, 3) -> !LESS(a, 3)", "a == 3 -> a != 3",
                    "a > LIMIT -> a <= LIMIT", "a > LIMIT -> a >= LIMIT",
                    head="#define LIMIT (2 + 1)\n#define LESS(x, y) ((x) < (y))")

    def test_an_explanation_of_nothing_fails(self):
        self.assertEqual(self.changes("return a < b;", explanations=BOUNDARY), (
            ["a < b -> a >= b", "a < b -> a <= b", "mutate-explained.txt:1: nothing in src/tiny.c "
             "tiny is: sum > 99 -> sum >= 99"], 1))


if __name__ == "__main__":
    unittest.main()
