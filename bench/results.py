# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured: every sample by metric and way, and what follows from them."""

import json
import statistics


class Results:
    def __init__(self, about):
        self.about = about      # machine, rounds, programs: whatever a reader must know
        self.ways = {}          # key: title, about, encrypts, mtu
        self.absent = {}        # title: why
        self.samples = {}       # metric: way: one value per round, None for a failure
        self.memory = {}        # way: program: bytes, now and at most
        self.failures = []
        self.idle = None        # see idle.py

    def add(self, round_number, way, found):
        for metric, value in found.items():
            values = self.samples.setdefault(metric, {}).setdefault(way, [])
            values += [None] * (round_number - len(values)) + [value]

    def values(self, metric, way):
        found = self.samples.get(metric, {}).get(way, [])
        return [v for v in found if v is not None]

    def median(self, metric, way):
        """None without any sample."""
        values = self.values(metric, way)
        return statistics.median(values) if values else None

    def ratios(self, metric, way, to):
        """One way's value by the other's, for each round that has both."""
        both = zip(self.samples.get(metric, {}).get(way, []),
                   self.samples.get(metric, {}).get(to, []))
        return [x / y for x, y in both if x is not None and y]

    def ratio(self, metric, way, to):
        """Their median."""
        ratios = self.ratios(metric, way, to)
        return statistics.median(ratios) if ratios else None

    def peers(self):
        """The encrypting ways of other people, without bridges."""
        return [key for key, way in self.ways.items()
                if way["encrypts"] and not way["own"] and not way["bridged"]]

    def save(self, path, goals):
        data = {**self.about, "ways": self.ways, "absent": self.absent, "idle50": self.idle,
                "goals": goals, "failures": self.failures, "memory": self.memory,
                "samples": self.samples}
        path.write_text(json.dumps(data, indent=1) + "\n")
