#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions per frame of the core's data path beside those on record, so that a regression
shows without a clock: more than 3 % above the record fails. So do frames of others, carried by
bridges, at more than 10 % above the record of the same between members, and frames in one of 16
communities at more than 15 % above that of the same in the only one.

usage: bench/check-instructions.py [--record] BUILD_DIRECTORY

packet_path and packet_flood run under callgrind, step by step. Counted is what the program and libsodium execute;
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
BESIDE = {    # whose record counts for it, and how far above that it may be
    "bridged": ("tcp", 0.10),
    "bridged-small": ("small", 0.10),
    "many": ("tcp", 0.15),
    "many-small": ("small", 0.15),
    "many-relayed": ("relayed", 0.15),
}
SKIPPED = 77
DIRECT = ("out", "in")
RELAYED = ("out", "relay", "in")
STEPS = [(what, step) for what, through in (
    ("tcp", DIRECT), ("small", DIRECT), ("relayed", RELAYED), ("bridged", DIRECT),
    ("bridged-small", DIRECT), ("bridged-mixed", DIRECT), ("halves", DIRECT), ("many", DIRECT),
    ("many-small", DIRECT), ("many-relayed", RELAYED), ("many-mixed", DIRECT),
    ("many-relayed-mixed", RELAYED), ("few", RELAYED), ("group", RELAYED),
    ("listener", RELAYED)) for step in through]
FLOODS = ("few", "group", "listener")
COUNTED = ("packet_path", "packet_flood", "libsodium.so")


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
            sys.exit(f"{program} {what} failed under valgrind:\n{done.stderr}")
        frames, compiled = done.stdout.strip().split(" ", 1)
        found = count(out.read_text()) / int(frames)
        if found == 0:
            sys.exit(f"callgrind saw nothing of step_{step}: was {program} stripped?")
        return round(found, 1), compiled


def limit(name):
    """Whose record counts for it, and how far above that it may be."""
    what, step = name.split()
    of, tolerance = BESIDE.get(what, (what, TOLERANCE))
    return f"{of} {step}", tolerance


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
        print(f"{name:24} {now:8.1f} instructions a frame, recorded {before or 0:8.1f} "
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
        program = "tests/sim/packet_flood" if what in FLOODS else "bench/packet_path"
        found[f"{what} {step}"], compiled = measure(pathlib.Path(words[0]) / program, what, step)
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
