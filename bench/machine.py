# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc says about the machine and its processes."""

import os
import pathlib
import platform
import re
import time

TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """CPU seconds that all cores have worked, interrupts included, stolen time not."""
    words = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _idle, _iowait, irq, softirq = map(int, words[1:8])
    return (user + nice + system + irq + softirq) / TICKS


def process_seconds(pid):
    """CPU seconds of a process and all of its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pids):
    """Resident bytes of a program's processes, now and at most; what they share counts for each."""
    texts = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return [sum(int(re.search(rf"{name}:\s+(\d+)", text).group(1)) for text in texts) * 1024
            for name in ("VmRSS", "VmHWM")]


def baseline():
    """How many cores this machine keeps busy while nothing is measured: the least of some short
    spans, so that a burst does not count as lasting."""
    def span():
        before, start = busy_seconds(), time.monotonic()
        time.sleep(0.5)
        return (busy_seconds() - before) / (time.monotonic() - start)
    return min(span() for _ in range(5))


class CpuMeter:
    """CPU seconds between its making and read(): of the machine and of some processes."""

    def __init__(self, pids):
        self.pids = pids
        self.start, self.busy, self.processes = time.monotonic(), busy_seconds(), self.sum()

    def sum(self):
        return sum(process_seconds(pid) for pid in self.pids)

    def read(self):
        """The machine's, the processes', and how long it was."""
        return (busy_seconds() - self.busy, self.sum() - self.processes,
                time.monotonic() - self.start)


def facts():
    """What a reader must know to compare."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    return {"cores": os.cpu_count(), "cpu": model.group(1) if model else platform.processor(),
            "kernel": platform.release(), "architecture": platform.machine()}
