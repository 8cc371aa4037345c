#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""n2n beside other ways between two hosts, in one run and by turns: how fast, how costly, how late.
Start it with ./dev bench. Root only: the hosts are network namespaces of this machine.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import cases
import goals
import machine
import report
from bridged import with_bridged
from idle import measure_idle
from peers import other_ways
from results import Results
from topology import Topology, find_programs
from ways import Absent, own_ways

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = ("ip", "ping", "nft", "tcpdump", "ethtool", "iperf3")
BUSY = 0.10     # of a core
EXPECTED = (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError)


def parse(words):
    p = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5, metavar="N", help="default 5")
    p.add_argument("--seconds", type=int, default=1, metavar="S",
                   help="length of one measurement, default 1")
    p.add_argument("--only", type=names(ALL_CASES), default=ALL_CASES, metavar="CASE,...",
                   help=f"of {', '.join(ALL_CASES)}; cpu comes with tcp1, memory always")
    p.add_argument("--ways", type=lambda text: text.split(","), metavar="WAY,...",
                   help="of veth, vxlan, n2n, n2n-1500, relayed and the peers' names; default all "
                        "there are. What --against and --n2n name is always among them. With "
                        "bridges: vxlan-br, n2n-br, n2n-br-1500, tinc-br, fastd-br")
    p.add_argument("--against", metavar="DIRECTORY", action="append", default=[],
                   help="another n2n 4 to measure too: the folder of edge, supernode and n2n")
    p.add_argument("--n2n", metavar="OPTIONS", action="append", default=[],
                   help='n2n once more, its edges with these options, as --n2n="--workers 2"')
    p.add_argument("--wireguard-go", metavar="PATH", help="a newer one than Debian's")
    p.add_argument("--n2n3-edge", metavar="PATH", help="an edge of n2n 3, and its supernode:")
    p.add_argument("--n2n3-supernode", metavar="PATH")
    p.add_argument("--name", default="latest", help="of the results in bench/results")
    options = p.parse_args(words)
    if bool(options.n2n3_edge) != bool(options.n2n3_supernode):
        p.error("--n2n3-edge and --n2n3-supernode go together")
    if options.rounds < 1 or options.seconds < 1:
        p.error("--rounds and --seconds are at least 1")
    return options


ALL_CASES = (*cases.ALL, "idle50")


def names(allowed):
    def split(text):
        unknown = [word for word in text.split(",") if word not in allowed]
        if unknown:
            raise argparse.ArgumentTypeError(f'"{unknown[0]}" is none of {", ".join(allowed)}')
        return text.split(",")
    return split


def say(text):
    print(text, file=sys.stderr, flush=True)


def stop(why):
    sys.exit(f"bench: {why}")


def find_tools():
    """The measuring programs: where $BENCH_TOOLS says, or from ./dev bench."""
    tools = pathlib.Path(os.environ.get("BENCH_TOOLS", HERE.parent / "build/release/bench"))
    if os.geteuid() != 0:
        stop("it makes network namespaces, which takes root; run it with sudo")
    for name in TOOLS:
        if shutil.which(name) is None:
            stop(f"{name} is not installed; ./dev bench installs what it needs")
    for name in ("flood", "echo"):
        if not os.access(tools / name, os.X_OK):
            stop(f"there is no program {tools / name}; make it with ./dev bench")
    return tools


def choose_ways(options, results):
    """The ways that are wanted and there."""
    programs = find_programs()
    more = [(programs, words.split()) for words in options.n2n]
    more += [({name: f"{folder}/{name}" for name in programs}, ()) for folder in options.against]
    every = own_ways(programs, more) + other_ways(options.wireguard_go, options.n2n3_edge,
                                                  options.n2n3_supernode)
    every = with_bridged(every, programs)
    wanted = options.ways or [way.key for way in every]
    wanted = wanted + [f"n2n-{number}" for number in range(1, len(more) + 1)]
    unknown = set(wanted) - {way.key for way in every}
    if unknown:
        stop(f'"{min(unknown)}" is none of {", ".join(way.key for way in every)}')
    found = []
    for way in every:
        if way.key not in wanted:
            continue
        try:
            way.check()
            found.append(way)
        except Absent as e:
            results.absent[way.title] = str(e)
            say(f"absent: {way.title}: {e}")
    return found


def begin(net, ways, results):
    """Starts the ways; one that does not start is left out."""
    running = []
    for way in ways:
        way.place(net)
        try:
            way.begin()
        except EXPECTED as e:
            results.failures.append(f"{way.title} did not start: {shorten(e)}")
            say(results.failures[-1])
            continue
        results.ways[way.key] = {"title": way.title, "about": way.about, "own": way.own,
                                 "encrypts": way.encrypts, "bridged": way.bridged,
                                 "mtu": way.mtu()}
        running.append(way)
    return running


def shorten(error):
    return " ".join(str(error).split())[:200]


def measure_round(number, options, net, probes, results):
    for case in options.only:
        if case == "idle50":
            continue
        net.set_plain(case.startswith("plain:"))
        say(f"round {number + 1}/{options.rounds}, {case}:")
        # To and fro: what goes on beside the bench hits no way always before another.
        for probe in probes if number % 2 == 0 else reversed(probes):
            try:
                found = cases.measure(case, probe)
            except EXPECTED as e:
                results.failures.append(f"{probe.way.title}, {case}, round {number + 1}: "
                                        f"{shorten(e)}")
                say(f"  {results.failures[-1]}")
                continue
            results.add(number, probe.way.key, found)
            say(f"  {probe.way.title:22} " + "  ".join(
                f"{name} {value:.{cases.metric_of(name).digits}f} {cases.metric_of(name).unit}"
                for name, value in found.items()))


def verify(ways, results):
    for way in ways:
        try:
            way.verify()
        except EXPECTED as e:
            results.failures.append(f"{way.title}: {shorten(e)}")
            say(results.failures[-1])


def measure_memory(ways, results):
    for way in ways:
        found = [(p.name, *machine.memory(p.pids())) for p in way.programs()
                 if p.process.poll() is None]
        results.memory[way.key] = found
        ends = [sizes for name, *sizes in found if name != "supernode"]
        if ends:
            now, most = (max(column) / 1e6 for column in zip(*ends))
            results.add(0, way.key, {"memory": now, "memory peak": most})


def own_load(results):
    """What the machine does beside the bench, in cores; None when that is too much to subtract."""
    idle = machine.baseline()
    results.about.setdefault("own_load", []).append(idle)
    if idle <= BUSY:
        return idle
    say(f"bench: this machine is {idle:.0%} of a core busy with other things: all figures will be "
        "too low, and CPU is not measured; try again when it is quiet")
    return None


def measure_ways(options, tools, results):
    ways = choose_ways(options, results)
    if set(options.only) == {"idle50"}:
        return
    with Topology([way.key for way in ways], [way.key for way in ways if way.bridged]) as net:
        running = begin(net, ways, results)
        probes = [cases.Probe(way, tools, options.seconds) for way in running]
        for number in range(options.rounds):
            idle = own_load(results)
            for probe in probes:
                probe.idle = idle
            measure_round(number, options, net, probes, results)
        verify(running, results)
        measure_memory(running, results)


def version():
    found = find_programs()["edge"]
    said = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    commit = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"],
                            capture_output=True, text=True).stdout
    return " ".join(f"{said} {commit}".split())


def main():
    options = parse(sys.argv[1:])
    tools = find_tools()
    results = Results({"command": " ".join(["./dev bench", *sys.argv[1:]]), "version": version(),
                       "machine": machine.facts(), "rounds": options.rounds,
                       "seconds": options.seconds})
    measure_ways(options, tools, results)
    if "idle50" in options.only:
        say("an edge with 50 idle peers")
        results.idle = measure_idle()
    rows = goals.judge_all(results)
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    text = report.write(results, rows)
    results.save(folder / f"{options.name}.json", rows)
    (folder / f"{options.name}.md").write_text(text)
    print(text)
    say(f"written: {folder / options.name}.md and .json")


if __name__ == "__main__":
    main()
