#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions per frame of the core's data path beside those on record, so that a regression
shows without a clock: more than 3 % above the record fails, and frames of others, carried by
bridges, at more than 10 % above the record of the same between members.

usage: bench/check-instructions.py [--record] BUILD_DIRECTORY

packet_path runs under callgrind, step by step. Counted is what the program and libsodium execute;
not the packet ciphers, and not libc, which both differ between processors. The record holds for one
compiler, its optimization and one architecture: with others nothing is compared (exit status 77).
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

RECORD = pathlib.Path(__file__).with_name("instructions.json")
TOLERANCE = 0.03
BRIDGED, BRIDGED_TOLERANCE = {"bridged": "tcp", "bridged-small": "small"}, 0.10
SKIPPED = 77
STEPS = [("tcp", "out"), ("tcp", "in"), ("small", "out"), ("small", "in"),
         ("relayed", "out"), ("relayed", "relay"), ("relayed", "in"),
         *((what, step) for what in (*BRIDGED, "bridged-mixed", "halves")
           for step in ("out", "in"))]
COUNTED = ("packet_path", "libsodium.so")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def count(profile):
    """The instructions that objects of ours executed themselves, from callgrind's file."""
    names, total, ours, callee = {}, 0, False, False
    for line in profile.splitlines():
        if match := re.match(r"ob=\((\d+)\)(?: (.*))?$", line):
            number, name = match.groups()
            names.setdefault(number, name)
            ours = any(part in pathlib.Path(names[number]).name for part in COUNTED)
        elif match := re.match(r"cob=\((\d+)\) (.*)$", line):
            names.setdefault(*match.groups())
        elif line.startswith("calls="):
            callee = True  # the next line is what the callee cost
        elif match := re.match(r"[+*-]?\d* (\d+)$", line):
            total += int(match.group(1)) if ours and not callee else 0
            callee = False
    return total


def measure(program, what, step):
    """Instructions for one frame in one step, and how the program was compiled."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "profile"
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                               f"--toggle-collect=step_{step}", program, what],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"packet_path {what} failed under valgrind:\n{done.stderr}")
        frames, compiled = done.stdout.strip().split(" ", 1)
        found = count(out.read_text()) / int(frames)
        if found == 0:
            sys.exit(f"callgrind saw nothing of step_{step}: was packet_path stripped?")
        return round(found, 1), compiled


def limit(name):
    """Whose record counts for it, and how far above that it may be."""
    what, step = name.split()
    if what in BRIDGED:
        return f"{BRIDGED[what]} {step}", BRIDGED_TOLERANCE
    return name, TOLERANCE


def compare(recorded, found):
    worse = []
    for name, now in found.items():
        of, tolerance = limit(name)
        before = recorded.get(of)
        change = now / before - 1 if before else 0
        note = "" if before else "not on record yet"
        if change > tolerance:
            worse.append(name)
            note = f"MORE THAN {tolerance:.0%}"
        elif change < -TOLERANCE:
            note = "better: worth recording"
        print(f"{name:17} {now:8.1f} instructions a frame, recorded {before or 0:8.1f} "
              f"{change:+7.1%} {note}")
    return worse


def main():
    words = [word for word in sys.argv[1:] if word != "--record"]
    if len(words) != 1:
        sys.exit(__doc__)
    if shutil.which("valgrind") is None:
        skip("valgrind is not installed")
    again = f"bench/check-instructions.py --record {words[0]}"
    record = json.loads(RECORD.read_text())
    found = {}
    for what, step in STEPS:
        found[f"{what} {step}"], compiled = measure(
            pathlib.Path(words[0]) / "bench/packet_path", what, step)
        if "--record" not in sys.argv and compiled != record["compiled"]:
            skip(f"the record is for {record['compiled']}, this is {compiled}; to compare, record "
                 f"the state before your change: {again}")
    worse = compare(record["per_frame"], found)
    if "--record" in sys.argv:
        found = {name: n for name, n in found.items() if limit(name)[0] == name}
        RECORD.write_text(json.dumps({"compiled": compiled, "per_frame": found}, indent=1) + "\n")
        print(f"recorded in {RECORD}")
    elif worse:
        sys.exit(f"{', '.join(worse)}: more than may be above the record. If it has to be, record "
                 f"anew and say why in the commit: {again}")


main()
