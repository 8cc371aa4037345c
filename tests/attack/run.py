#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the attacks, some families side by side, and shows every figure beside its bound.

With --write the table in docs/attacks.md is made anew. The programs are those of ./dev build, or what
$EDGE, $SUPERNODE and $N2N name: builds with sanitizers, or older ones.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parents[1] / "docs" / "attacks.md"
SKIPPED = 77
# Run beside each other; what wants the processors for itself is in the first lane.
LANES = (("floods", "malformed"), ("filling", "handshakes", "control"), ("members", "first_hop", "groups", "replays"),
         ("amplification", "passphrase"))
TITLES = {
    "floods": "Floods from many addresses",
    "malformed": "Malformed datagrams",
    "filling": "Filling from one address",
    "passphrase": "Who knows the name of a passphrase network",
    "amplification": "Amplification",
    "handshakes": "Who sees a link and injects",
    "members": "Hostile members",
    "first_hop": "Members that speak for others",
    "groups": "Members that have much copied",
    "replays": "Replays",
    "control": "On the host, and looking on",
}
INTRO = """# Attacks

What attack programs reach against the real programs in network namespaces, beside what SECURITY.md and
PROTOCOL.md state. Made by `./dev test attack --write`; `./dev test` runs a part of it. "Before" is what the
same attack reached on a version that did not defend against it, where it was measured. A row without a
bound shows what this version does nothing against.
"""


class Family:
    def __init__(self, name, quick, directory):
        self.name, self.status = name, None
        self.figures = pathlib.Path(directory) / f"{name}.json"
        self.words = [sys.executable, "-B", str(HERE / f"{name}.py"), *(["--quick"] if quick else [])]

    def run(self, lock):
        done = subprocess.run(self.words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "N2N_FIGURES": str(self.figures)})
        self.status = done.returncode
        with lock:
            print(f"{TITLES[self.name]}\n{done.stdout}", end="", flush=True)

    def rows(self):
        return [json.loads(line) for line in self.figures.read_text().splitlines()] \
            if self.figures.exists() else []


def run_lane(families, lock):
    for f in families:
        f.run(lock)


def write_table(families):
    parts = [INTRO]
    for f in families:
        lines = [f"## {TITLES[f.name]}\n", "| Attack | Figure | Bound | Stated in | Before |",
                 "|---|---|---|---|---|"]
        lines += [f"| {r['attack']} | {r['figure']} | {r['bound'] or 'none yet'} | {r['of']} | "
                  f"{r['before']} |" for r in f.rows()]
        parts.append("\n".join(lines) + "\n")
    TABLE.write_text("\n".join(parts))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the part that ./dev test runs")
    parser.add_argument("--write", action="store_true", help="write docs/attacks.md")
    parser.add_argument("family", nargs="*", help=f"of {', '.join(TITLES)}")
    args = parser.parse_args()
    unknown = set(args.family) - set(TITLES)
    if unknown or (args.write and (args.family or args.quick)):
        parser.error(f"there is no family {unknown.pop()}" if unknown
                     else "--write needs all attacks in full")
    lock = threading.Lock()
    with tempfile.TemporaryDirectory() as directory:
        families = {name: Family(name, args.quick, directory) for name in args.family or TITLES}
        lanes = [threading.Thread(target=run_lane, args=(
            [families[name] for name in names if name in families], lock))
            for names in LANES]
        for t in lanes:
            t.start()
        for t in lanes:
            t.join()
        if all(f.status == SKIPPED for f in families.values()):
            sys.exit(SKIPPED)
        rows = [row for f in families.values() for row in f.rows()]
        beyond = sum(not row["held"] for row in rows)
        broken = [f.name for f in families.values() if f.status != 0]
        print(f"{len(rows)} figures, {beyond} beyond their bounds"
              f"{f'; look at {chr(44).join(broken)}' if broken else ''}")
        if args.write:
            write_table(families.values())
    sys.exit(1 if broken else 0)


main()
