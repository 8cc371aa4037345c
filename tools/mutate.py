#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes one guard of the code at a time and sees that some test fails: what survives is untested.

A guard is a comparison, a && or ||, a ! or another condition. It is inverted: == and !=, < and >=,
> and <=, && and || change places, a ! is dropped, one is set before a plain condition. As a second
class < and <=, > and >= change places: the boundary is moved by one. What assert() says is no
guard, nor is what a macro's definition or a header says.

All mutants are built at once, each chosen by the environment: a copy of the tree below
build/mutate has (mutant_here(N) ? (a >= b) : (a < b)) in the place of a < b, so that only running
takes time for each. The copy also says which tests reach a mutant; these run, with the sanitizers
of addresses and undefined behaviour, until one fails, crashes or does not end.

A mutant that no test can tell from the code is explained in tools/mutate-explained.txt. One that
survives and is not, and an explanation without a survivor, fails.
"""
import argparse
import json
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict, namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FILES = """
src/base/bucket.c
src/core/data/receive.c
src/core/data/relay_budget.c
src/core/edge/admission.c
src/core/edge/claims.c
src/core/edge/guesses.c
src/core/edge/owners.c
src/core/edge/vouch.c
src/core/handshakes.c
src/core/keys/handshake.c
src/core/keys/keyset.c
src/core/keys/replay.c
src/core/session/attempt.c
src/core/session/budget.c
src/core/session/embryo.c
src/core/session/responder.c
src/core/supernode/fresh.c
src/core/supernode/member.c
src/core/supernode/sources.c
src/crypto/cpace.c
src/crypto/noise.c
src/wire/control.c
src/wire/envelope.c
src/wire/packet.c
src/wire/payload.c
""".split()

EXPLAINED = "tools/mutate-explained.txt"
RECORD = "docs/mutation.md"
MARK = "<!-- results -->\n"

INVERTED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
            "&&": "||", "||": "&&"}
MOVED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
# What stands around an expression and changes nothing.
TRANSPARENT = {"ImplicitCastExpr", "ParenExpr"}
# Where an expression must be constant.
CONSTANT = {"ConstantExpr", "StaticAssertDecl", "EnumDecl"}
CONDITION_AT = {"IfStmt": 0, "WhileStmt": 0, "DoStmt": 1, "ForStmt": 2, "ConditionalOperator": 0}
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)

# Numbers of a file's mutants begin at a multiple of this, so that they say nothing of other files.
FILE_NUMBERS = 1000
NUMBERS_MAX = 100 * FILE_NUMBERS
RUNTIME_H = """
int mutant_here(int number);
"""
RUNTIME_C = """
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

static int chosen = -1;
static volatile unsigned char *seen; /* shared with the runner, so that a crash loses nothing */

__attribute__((constructor)) static void mutant_choose(void)
{
	const char *number = getenv("MUTANT"), *file = getenv("MUTANTS_SEEN");
	int fd = file != NULL ? open(file, O_RDWR) : -1;

	if (number != NULL)
		chosen = atoi(number);
	if (fd >= 0)
		seen = mmap(NULL, %d, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

int mutant_here(int number);
int mutant_here(int number)
{
	if (seen != NULL)
		seen[number] = 1;
	return number == chosen;
}
""" % NUMBERS_MAX
SANITIZERS = {"ASAN_OPTIONS": "hard_rss_limit_mb=2000:detect_leaks=1",
              "UBSAN_OPTIONS": "halt_on_error=1"}

# kind is "guard" or "boundary".
Mutant = namedtuple("Mutant", "number file line function kind original mutated")
# A place in a source, and (kind, mutated text) of what may stand there instead; plain for a
# condition that may have another type than int.
Site = namedtuple("Site", "begin end function changes plain")
Test = namedtuple("Test", "name command env folder seconds reaches")
Explanation = namedtuple("Explanation", "place file function original mutated reason")


class Failure(Exception):
    pass


def one_line(text):
    return " ".join(COMMENT.sub(" ", text).split())


def run(command, what, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise Failure(f"{what} failed:\n{done.stdout[-8000:]}{done.stderr[-8000:]}")
    return done.stdout


class Source:
    """The sites of one source, as clang's syntax tree shows them."""

    def __init__(self, root, name):
        self.name = name
        self.bytes = (root / name).read_bytes()
        self.sites = {}         # {(begin, end): site}
        self.file = None        # the tree says it only where it changes
        flags = ["-std=c11", "-Isrc", "-D_GNU_SOURCE", '-DN2N_VERSION=""']
        tree = run(["clang", *flags, "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json", name],
                   f"clang with {name}", cwd=root)
        for decl in json.loads(tree, object_hook=self.place)["inner"]:
            if decl["kind"] == "FunctionDecl" and self.begin(decl) is not None:
                for part in decl.get("inner", ()):
                    if part["kind"] == "CompoundStmt":
                        self.walk(part, decl["name"])

    def place(self, thing):
        """Locations, in the order of the tree, become (begin, end, macro's name) in this source, or
        None."""
        if "offset" in thing:
            self.file = thing.get("file", self.file)
            here = thing["offset"], thing["offset"] + thing["tokLen"]
            arg = thing.get("isMacroArgExpansion", False)
            return {"at": here if self.file == self.name else None, "arg": arg}
        if "expansionLoc" in thing:
            outer = thing["expansionLoc"]
            inner = thing["spellingLoc"]
            if outer["at"] is None:
                return {"at": None}
            macro = self.text(*outer["at"])
            if outer["arg"]:
                return {"at": inner["at"], "macro": macro, "arg": True}
            return {"at": (outer["at"][0], self.call_end(outer["at"][1])), "macro": macro,
                    "arg": False}
        return thing

    def call_end(self, end):
        """Where the arguments of a macro end that is used like a function."""
        rest = self.bytes[end:]
        if not rest.lstrip().startswith(b"("):
            return end
        depth = 0
        for at, byte in enumerate(rest):
            depth += {ord("("): 1, ord(")"): -1}.get(byte, 0)
            if depth == 0 and byte == ord(")"):
                return end + at + 1
        raise Failure(f"{self.name}: a macro's arguments do not end")

    def text(self, begin, end):
        return self.bytes[begin:end].decode()

    @staticmethod
    def begin(node):
        return node["range"]["begin"].get("at") if node.get("range") else None

    def span(self, node):
        """(begin, end) of an expression that stands in this source itself, else None."""
        begin, end = node["range"]["begin"], node["range"]["end"]
        if not begin.get("at") or not end.get("at"):
            return None
        # Of what a macro is given and itself uses a macro at one end, the tree tells no more.
        if begin.get("macro") and end.get("macro") and begin["arg"] != end["arg"]:
            return None
        return begin["at"][0], end["at"][1]

    def inside_macro(self, node):
        """Whether all of it comes of one macro's definition."""
        begin, end = node["range"]["begin"], node["range"]["end"]
        return ("macro" in begin and not begin["arg"] and "macro" in end and not end["arg"]
                and begin["at"] == end["at"])

    def walk(self, node, function):
        kind = node.get("kind")
        if kind is None or kind in CONSTANT or self.is_assert(node):
            return
        if kind == "VarDecl" and node.get("storageClass") == "static":
            return
        inner = node.get("inner", [])
        begin = node["range"]["begin"]
        if kind in CONDITION_AT and inner[CONDITION_AT[kind]] and "macro" not in begin:
            self.condition(inner[CONDITION_AT[kind]], function)
        if kind == "BinaryOperator" and node["opcode"] in INVERTED:
            self.comparison(node, function)
        elif kind == "UnaryOperator" and node["opcode"] == "!":
            self.negation(node, function)
        for part in inner:
            self.walk(part, function)

    @staticmethod
    def is_assert(node):
        begin = node["range"]["begin"] if node.get("range") else {}
        return begin.get("macro") in ("assert", "static_assert")

    def add(self, node, function, changes, plain=False):
        span = self.span(node)
        if span is not None:
            self.sites.setdefault(span, Site(*span, function, tuple(changes), plain))

    def comparison(self, node, function):
        left, right = map(self.span, node["inner"])
        if self.inside_macro(node) or self.span(node) is None or left is None or right is None:
            return
        operator = one_line(self.text(left[1], right[0]))
        if operator != node["opcode"]:
            return
        left, right = (self.operand(part, span) for part, span in zip(node["inner"], (left, right)))
        changes = [("guard", f"{left} {INVERTED[operator]} {right}")]
        if operator in MOVED:
            changes.append(("boundary", f"{left} {MOVED[operator]} {right}"))
        self.add(node, function, changes)
        if operator in ("&&", "||"):
            for part in node["inner"]:
                self.condition(part, function)

    def operand(self, node, span):
        """Its text; && and || are set in parentheses, as what they stand beside changes."""
        text = one_line(self.text(*span))
        return f"({text})" if node.get("opcode") in ("&&", "||") else text

    def negation(self, node, function):
        operand = self.span(node["inner"][0])
        if operand is not None and not self.inside_macro(node):
            # A second one keeps the type.
            self.add(node, function, [("guard", f"!!{one_line(self.text(*operand))}")])

    def condition(self, node, function):
        """Inverts a condition that nothing else does."""
        while node["kind"] in TRANSPARENT and not self.inside_macro(node):
            node = node["inner"][0]
        if self.is_assert(node) or node["kind"] in ("IntegerLiteral", "CharacterLiteral"):
            return
        inverted = (node["kind"] == "BinaryOperator" and node["opcode"] in INVERTED
                    or node["kind"] == "UnaryOperator" and node["opcode"] == "!")
        span = self.span(node)
        if span is not None and (not inverted or self.inside_macro(node)):
            text = one_line(self.text(*span))
            simple = re.fullmatch(r"[\w.>()\[\]-]*|\w+\([^()]*\)", text)
            self.add(node, function, [("guard", f"!{text}" if simple else f"!({text})")],
                     plain=True)

    def mutants(self, first):
        """[mutant], and the text in which each may be chosen."""
        order = sorted(self.sites.values(), key=lambda site: (site.begin, -site.end))
        numbers, mutants = {}, []
        for site in order:
            numbers[site] = first + len(mutants)
            line = self.bytes.count(b"\n", 0, site.begin) + 1
            mutants += [Mutant(numbers[site] + i, self.name, line, site.function, kind,
                               one_line(self.text(site.begin, site.end)), mutated)
                        for i, (kind, mutated) in enumerate(site.changes)]
        if len(mutants) > FILE_NUMBERS:
            raise Failure(f"{self.name} has more than {FILE_NUMBERS} mutants")

        def render(begin, end, sites):
            text, at = "", begin
            while sites and sites[0].begin < end:
                site = sites.pop(0)
                text += self.text(at, site.begin) + render_site(site, sites)
                at = site.end
            return text + self.text(at, end)

        def render_site(site, sites):
            chosen = "".join(f"mutant_here({numbers[site] + i}) ? ({mutated}) : "
                             for i, (_, mutated) in enumerate(site.changes))
            text = render(site.begin, site.end, sites)
            return f"({chosen}{'!!' if site.plain else ''}({text}))"

        return mutants, render(0, len(self.bytes), order)


class Copy:
    """The tree with all mutants in it, built below build/mutate."""

    def __init__(self, root, jobs):
        self.jobs = jobs
        self.root = root
        self.base = root / "build" / "mutate"
        self.tree = self.base / "tree"
        self.build = self.base / "build"
        self.base.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def write(path, data):
        """Leaves a file alone that is so already, or it would be built again."""
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def fill(self, texts):
        wanted = set()
        for path in self.root.rglob("*"):
            name = path.relative_to(self.root)
            if path.is_file() and name.parts[0] != "build" and name.parts[0][0] != ".":
                wanted.add(name)
                text = texts.get(str(name))
                self.write(self.tree / name, path.read_bytes() if text is None else text.encode())
                shutil.copymode(path, self.tree / name)
        for path in self.tree.rglob("*"):
            if path.is_file() and path.relative_to(self.tree) not in wanted:
                path.unlink()

    def make(self):
        self.write(self.base / "mutant.h", RUNTIME_H.encode())
        self.write(self.base / "mutant.c", RUNTIME_C.encode())
        run(["clang", "-O1", "-c", "-o", "mutant.o", "mutant.c"], "clang", cwd=self.base)
        if not (self.build / "build.ninja").is_file():
            shutil.rmtree(self.build, ignore_errors=True)
            run(["meson", "setup", self.build, self.tree, "-Doptimization=1", "-Ddebug=true",
                 "-Db_sanitize=address,undefined", f"-Dc_args=-include {self.base}/mutant.h -w",
                 f"-Dc_link_args={self.base}/mutant.o"], "meson setup",
                env=os.environ | {"CC": "clang"})
        run(["ninja", "-C", self.build, f"-j{self.jobs}", "build.ninja"], "meson")
        known = json.loads(run(["meson", "introspect", "--tests", self.build], "meson"))
        programs = {os.path.relpath(test["cmd"][0], self.build) for test in known}
        run(["ninja", "-C", self.build, f"-j{self.jobs}",
             *sorted(program for program in programs if not program.startswith(".."))], "ninja")
        return known

    def run_test(self, test, limit, **env):
        """Its status and the seconds of processor that it took, of which it may take limit: the
        time on the clock says little where others use the machine as well."""
        env = os.environ | SANITIZERS | test.env | env
        if (vectors := self.root.parent / "shared" / "vectors").is_dir():
            env.setdefault("N2N_VECTORS", str(vectors))
        limit = math.ceil(limit)
        process = subprocess.Popen(
            test.command, cwd=test.folder, env=env, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)))
        # Some wait for what does not come.
        timer = threading.Timer(60 + 10 * limit, self.kill, [process.pid])
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        self.kill(process.pid)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, usage.ru_utime + usage.ru_stime

    @staticmethod
    def kill(group):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def measure(self, entry, slowest):
        """A test, how long it takes as things are and which mutants it reaches; None if it reaches
        none, takes longer than slowest or is skipped. It is known as long as its program stays."""
        env = {"N2N_SOURCE_ROOT": str(self.tree)} | entry["env"]
        test = Test(entry["name"], entry["cmd"], env, entry["workdir"], 0, set())
        known = self.base / f"test-{entry['name']}.json"
        if known.is_file() and known.stat().st_mtime > Path(entry["cmd"][0]).stat().st_mtime:
            seconds, reaches = json.loads(known.read_text())
        else:
            seconds, reaches = self.reach(test, slowest)
            known.write_text(json.dumps([seconds, reaches]))
        if not reaches or seconds > slowest:
            return None
        return test._replace(seconds=seconds, reaches=set(reaches))

    def reach(self, test, slowest):
        """Its seconds and the numbers of the mutants that it reaches."""
        seen = self.base / f"seen-{test.name}"
        seen.write_bytes(bytes(NUMBERS_MAX))
        status, seconds = self.run_test(test, slowest + 1, MUTANTS_SEEN=str(seen))
        reaches = [number for number, byte in enumerate(seen.read_bytes()) if byte]
        seen.unlink()
        if status == 77:
            return seconds, []
        if status != 0 and seconds <= slowest and reaches:
            raise Failure(f"test {test.name} fails as things are (status {status})")
        return seconds, reaches


def read_explanations(path):
    """Paragraphs of a file and function, the change, and the reason; # begins a comment."""
    found, block = [], []
    lines = path.read_text().splitlines() if path.is_file() else []
    for number, line in enumerate([*lines, ""], 1):
        if line.startswith("#"):
            continue
        if line.strip():
            block.append((number, line.strip()))
            continue
        if block:
            place = f"{path.name}:{block[0][0]}"
            words = block[0][1].split()
            change = block[1][1].split(" -> ") if len(block) > 2 else ()
            if len(words) != 2 or len(change) != 2:
                raise Failure(f"{place}: not a file and function, a change, a reason")
            found.append(Explanation(place, *words, *map(one_line, change),
                                     " ".join(text for _, text in block[2:])))
        block = []
    return found


def explains(explanation, mutant):
    return explanation[1:5] == (mutant.file, mutant.function, mutant.original, mutant.mutated)


def change(mutant):
    return f"{mutant.original} -> {mutant.mutated}"


class Runner:
    def __init__(self, copy, tests, most):
        self.copy = copy
        self.tests = tests
        self.most = most
        self.kills = Counter()  # by file and test

    def killer(self, mutant):
        """The name of the test that tells it from the code, or None, and how many reach it. Those
        come first that are quick, about little else, and have told others of the file."""
        reaching = [test for test in self.tests if mutant.number in test.reaches]

        def cost(test):
            return test.seconds * len(test.reaches) / (1 + self.kills[mutant.file, test.name])
        spent = 0
        for test in sorted(reaching, key=cost):
            spent += test.seconds
            if spent > self.most and spent > test.seconds:
                break
            status, _ = self.copy.run_test(test, 2 + 10 * test.seconds, MUTANT=str(mutant.number))
            if status != 0:
                self.kills[mutant.file, test.name] += 1
                return test.name, len(reaching)
        return None, len(reaching)


class Report:
    """What became of the mutants."""

    def __init__(self, explanations):
        self.explanations = explanations
        self.counts = defaultdict(Counter)  # by file
        self.survivors = []                 # (mutant, explanation or None)
        self.killed = []

    def add(self, mutant, killer, reached_by):
        count = self.counts[mutant.file]
        count[mutant.kind] += 1
        if killer is not None:
            self.killed.append(mutant)
            count[f"{mutant.kind} killed"] += 1
            return
        reason = next((e for e in self.explanations if explains(e, mutant)), None)
        self.survivors.append((mutant, reason))
        if reason is not None:
            count["explained"] += 1
        else:
            reached = f"in {reached_by} tests that reach it" if reached_by else "no test reaches it"
            print(f"{mutant.file}:{mutant.line}: {mutant.function}: {change(mutant)} survives "
                  f"({mutant.kind}; {reached})", flush=True)

    def end_file(self, file, seconds):
        count = self.counts[file]
        print(f"{file}: {count['guard killed']} of {count['guard']} guards, "
              f"{count['boundary killed']} of {count['boundary']} boundaries killed, "
              f"{count['explained']} explained, {seconds:.0f} s", flush=True)

    def vain(self, ran):
        """Explanations of what is killed, in the files that ran."""
        for e in self.explanations:
            if e.file in ran and not any(reason == e for _, reason in self.survivors):
                yield f"{e.place}: is killed: {e.original} -> {e.mutated}"

    def unexplained(self):
        return sum(reason is None for _, reason in self.survivors)

    def rows(self, before):
        """{file: its numbers}, those from before of files that did not run."""
        rows = {file: [int(number) for number in cells.split(" | ")]
                for file, cells in re.findall(r"^\| (\S+\.c) \| ([\d |]+) \|$", before, re.MULTILINE)}
        for file, count in self.counts.items():
            numbers = [count[kind] for kind in ("guard", "guard killed", "boundary",
                                                "boundary killed", "explained")]
            left = numbers[0] - numbers[1] + numbers[2] - numbers[3] - numbers[4]
            rows[file.removeprefix("src/")] = [*numbers, left]
        return dict(sorted(rows.items()))

    def list(self):
        """The survivors by file: those explained, and what this run has found beside them."""
        found = [(e.file, f"`{e.function}`: `{e.original}` to `{e.mutated}`. {e.reason}")
                 for e in self.explanations]
        found += [(m.file, f"`{m.function}`: `{m.original}` to `{m.mutated}`. Not explained.")
                  for m, reason in self.survivors if reason is None]
        last = None
        for file, text in sorted(found, key=lambda pair: pair[0]):
            if file != last:
                yield from ("", f"### {file.removeprefix('src/')}", "")
                last = file
            yield f"- {text}"

    def record(self, path):
        head, _, before = path.read_text().partition(MARK)
        rows = self.rows(before)
        total = [sum(column) for column in zip(*rows.values())]
        lines = ["| file | guards | killed | boundaries | killed | explained | unexplained |",
                 "|---|---|---|---|---|---|---|"]
        lines += [f"| {' | '.join(map(str, [name, *numbers]))} |"
                  for name, numbers in [*rows.items(), ("all", total)]]
        path.write_text(head + MARK + "\n" + "\n".join([*lines, "", "## Survivors", *self.list()])
                        + "\n")


def all_mutants(root, names, jobs):
    """{file: its mutants} and {file: its text with them}."""
    mutants, texts = {}, {}
    with ThreadPoolExecutor(jobs) as pool:
        for i, source in enumerate(pool.map(lambda name: Source(root, name), names)):
            mutants[source.name], texts[source.name] = source.mutants(i * FILE_NUMBERS)
    return mutants, texts


def check_explanations(explanations, mutants):
    """Complaints about those that fit nothing."""
    every = [mutant for some in mutants.values() for mutant in some]
    return [f"{e.place}: nothing in {e.file} {e.function} is: {e.original} -> {e.mutated}"
            for e in explanations if not any(explains(e, mutant) for mutant in every)]


def run_all(options, names, mutants, copy, report):
    known = copy.make()
    with ThreadPoolExecutor(options.jobs) as pool:
        tests = pool.map(lambda entry: copy.measure(entry, options.slowest), known)
        tests = [test for test in tests if test is not None]
        print(f"{len(tests)} tests reach mutants and take at most {options.slowest:g} s each, "
              f"{sum(test.seconds for test in tests):.0f} s in all", flush=True)
        runner = Runner(copy, tests, options.most)
        for name in names:
            start = time.monotonic()
            some = mutants[name]
            for mutant, result in zip(some, pool.map(runner.killer, some)):
                report.add(mutant, *result)
            report.end_file(name, time.monotonic() - start)


def work(options):
    root = options.root.resolve()
    default = [name for name in FILES if (root / name).is_file()]
    given = [os.path.relpath(name, root) for name in options.files]
    names = list(dict.fromkeys([*default, *given]))
    explanations = read_explanations(root / EXPLAINED)
    mutants, texts = all_mutants(root, names, options.jobs)
    complaints = check_explanations(explanations, mutants)
    report = Report(explanations)
    if options.check:
        for complaint in complaints:
            print(complaint)
        print(f"explanations: {len(explanations)}, {len(complaints)} fit nothing")
        return 1 if complaints else 0
    if options.list:
        for mutant in (mutant for name in given or names for mutant in mutants[name]):
            print(f"{mutant.file}:{mutant.line}: {mutant.function}: {change(mutant)}")
    else:
        copy = Copy(root, options.jobs)
        copy.fill(texts)
        run_all(options, given or names, mutants, copy, report)
        complaints += report.vain(given or names)
        if options.record:
            report.record(root / RECORD)
    for complaint in complaints:
        print(complaint)
    number = sum(len(mutants[name]) for name in given or names)
    print(f"mutants: {number}, {len(report.killed)} killed, "
          f"{len(report.survivors) - report.unexplained()} explained, "
          f"{report.unexplained()} survive")
    return 1 if complaints or report.unexplained() else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*",
                        help="sources; else those whose guards keep strangers out")
    parser.add_argument("-j", dest="jobs", type=int, default=os.cpu_count(),
                        help="how many tests at once")
    parser.add_argument("--list", action="store_true", help="list the mutants, run nothing")
    parser.add_argument("--check", action="store_true",
                        help="see that the explanations fit the code, run nothing")
    parser.add_argument("--record", action="store_true", help=f"write the results to {RECORD}")
    parser.add_argument("--slowest", type=float, default=5, metavar="SECONDS",
                        help="leave out tests that take longer")
    parser.add_argument("--most", type=float, default=10, metavar="SECONDS",
                        help="as much testing is enough for a mutant")
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        return work(options)
    except Failure as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    sys.exit(main())
