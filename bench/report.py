# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as Markdown."""

import statistics

from bridged import OF
from cases import METRICS, metric_of

TABLES = [
    ("TCP", ("tcp1", "tcp1r", "tcp4", "tcp4r")),
    ("Plain underlay", ("plain:tcp1", "plain:tcp4", "plain:udp64")),
    ("Frames a second", ("udp64", "udp512", "udp1300", "udp1514")),
    ("Frames lost while the sender goes as fast as it can",
     ("udp64 lost", "udp512 lost", "udp1300 lost", "udp1514 lost")),
    ("Order", ("udp64 late", "udp512 late", "udp1300 late", "udp1514 late")),
    ("Idle round trips", ("idle p50", "idle p90", "idle p99", "idle max")),
    ("Round trips beside one TCP connection",
     ("loaded p50", "loaded p90", "loaded p99", "loaded max")),
    ("Cost", ("cpu", "daemons", "plain:cpu", "setup", "memory", "memory peak")),
]
RATIOS = ("tcp1", "tcp4", "plain:tcp1", "plain:tcp4", "udp64", "udp1300", "udp1514", "idle p50",
          "loaded p99", "cpu")


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def heading(name):
    return f"{short(name)}, {metric_of(name).unit}"


def cell(results, name, way):
    """Median (lowest..highest)."""
    values = results.values(name, way)
    if not values:
        return ""
    digits = metric_of(name).digits
    middle, low, high = (f"{v:.{digits}f}" for v in
                         (results.median(name, way), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({low}..{high})"


def measured(results, names):
    return [name for name in names if name in results.samples]


def absolute(results, title, names):
    names = measured(results, names)
    if not names:
        return ""
    rows = [[way["title"], *(cell(results, name, key) for name in names)]
            for key, way in results.ways.items()]
    return f"## {title}\n\n{table(['Way', *map(heading, names)], rows)}\n"


def ratios(results):
    names = measured(results, RATIOS)
    if not names or "vxlan" not in results.ways:
        return ""

    def one(name, key):
        ratio = results.ratio(name, key, "vxlan")
        return "" if ratio is None else f"{ratio:.2f}"
    rows = [[way["title"], *(one(name, key) for name in names)]
            for key, way in results.ways.items()]
    return ("## By kernel VXLAN\n\nMedian of the rounds' ratios.\n\n"
            f"{table(['Way', *map(short, names)], rows)}\n")


def pair(results, way, to, names):
    """A row of ratios between two ways, or none."""
    def one(name):
        found = results.ratios(name, way, to)
        return "" if not found else \
            f"{statistics.median(found):.2f} ({min(found):.2f}..{max(found):.2f})"
    if way not in results.ways or to not in results.ways:
        return []
    return [[f"{results.ways[way]['title']} by {results.ways[to]['title']}", *map(one, names)]]


def bridges(results):
    names = measured(results, RATIOS)
    pairs = list(OF.items())
    pairs += [("n2n-1500", "n2n"), ("n2n-br-1500", "n2n-br")]
    rows = [row for way, to in pairs for row in pair(results, way, to, names)]
    if not names or not rows:
        return ""
    return ("## Bridges and full frames\n\nOf the rounds' ratios, median (lowest..highest).\n\n"
            f"{table(['Ways', *map(short, names)], rows)}\n")


def ways(results):
    rows = [[way["title"], way["about"], str(way["mtu"])] for way in results.ways.values()]
    text = f"## Ways\n\n{table(['Way', 'What it is', 'MTU (its default)'], rows)}\n"
    for title, why in results.absent.items():
        text += f"\nNot measured: {title}: {why}."
    for failure in results.failures:
        text += f"\nFailed: {failure}."
    return text.rstrip() + "\n"


def short(name):
    """A metric's name without its unit; a goal may have one of its own."""
    if name.removeprefix("plain:") not in METRICS:
        return name
    return metric_of(name).what + (" (plain)" if name.startswith("plain:") else "")


def goals(rows):
    return "## Goals\n\n" + table(
        ("Measure", "Way", "Wanted", "Reached", "Verdict"),
        [[short(row["metric"]), row["way"], row["wanted"], row["reached"], row["verdict"]]
         for row in rows]) + "\n"


def write(results, rows):
    about, machine = results.about, results.about["machine"]
    load = max(about.get("own_load", [0]))
    intro = (f"# Measured with `{about['command']}`\n\n"
             f"{about['version']}; {machine['cores']} cores of {machine['cpu']}, Linux "
             f"{machine['kernel']}, {machine['architecture']}. Both ends run on these cores, which "
             f"were otherwise busy to at most {load:.0%} of one. Rounds: {about['rounds']}, each "
             f"of all ways by turns, {about['seconds']} s a measurement. Cells: median "
             "(lowest..highest). bench/README.md says what is measured how.\n")
    parts = [intro, goals(rows), bridges(results), ratios(results),
             *(absolute(results, *entry) for entry in TABLES), ways(results)]
    return "\n".join(part for part in parts if part)
