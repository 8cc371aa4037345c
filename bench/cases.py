# SPDX-License-Identifier: GPL-3.0-or-later
"""The measurements. Each takes one way and returns its metrics by name; the units are those of
METRICS. A metric measured over the plain underlay has "plain:" before its name.

    tcp1, tcp4      iperf3, one or four connections, a to b; tcp1r and tcp4r: b to a
    cpu, daemons    what tcp1 cost the machine, and the VPN's own processes of that, for a gigabyte
                    received. The machine's busy time counts all: both ends, TCP, iperf3 itself.
    udp64 ...       bench/flood: Ethernet frames of that length (without check sequence) that one
                    sender, going as fast as it can, got through; the part that was lost,
                    and that of those received which came behind a later one, or twice
    rtt_idle, ..    bench/echo: round trips of 32 bytes with pauses of 1 ms, alone and beside one
                    TCP connection through the same way
    setup           from the start of b's program to its first answer from a
"""

import collections
import json
import time

from machine import CpuMeter

PERF_PORT, FLOOD_PORT, ECHO_PORT = 5201, 7801, 7802
Metric = collections.namedtuple("Metric", "unit digits what")
METRICS = {
    "tcp1": Metric("Gbit/s", 2, "TCP, 1 connection, a to b"),
    "tcp1r": Metric("Gbit/s", 2, "TCP, 1 connection, b to a"),
    "tcp4": Metric("Gbit/s", 2, "TCP, 4 connections, a to b"),
    "tcp4r": Metric("Gbit/s", 2, "TCP, 4 connections, b to a"),
    "cpu": Metric("s/GB", 2, "CPU of both ends for 1 GB of TCP"),
    "daemons": Metric("s/GB", 2, "of that, the VPN's processes"),
    "udp64": Metric("1,000/s", 0, "64-byte frames received"),
    "udp512": Metric("1,000/s", 0, "512-byte frames received"),
    "udp1300": Metric("1,000/s", 0, "1,300-byte frames received"),
    "udp1514": Metric("1,000/s", 0, "1,514-byte frames received"),
    "udp64 lost": Metric("%", 0, "64-byte frames lost"),
    "udp512 lost": Metric("%", 0, "512-byte frames lost"),
    "udp1300 lost": Metric("%", 0, "1,300-byte frames lost"),
    "udp1514 lost": Metric("%", 0, "1,514-byte frames lost"),
    "udp64 late": Metric("%", 1, "64-byte frames behind a later one, or twice"),
    "udp512 late": Metric("%", 1, "512-byte frames behind a later one, or twice"),
    "udp1300 late": Metric("%", 1, "1,300-byte frames behind a later one, or twice"),
    "udp1514 late": Metric("%", 1, "1,514-byte frames behind a later one, or twice"),
    "idle p50": Metric("us", 0, "idle round trip, median"),
    "idle p90": Metric("us", 0, "idle round trip, 90 %"),
    "idle p99": Metric("us", 0, "idle round trip, 99 %"),
    "idle max": Metric("us", 0, "idle round trip, longest"),
    "loaded p50": Metric("us", 0, "round trip beside TCP, median"),
    "loaded p90": Metric("us", 0, "round trip beside TCP, 90 %"),
    "loaded p99": Metric("us", 0, "round trip beside TCP, 99 %"),
    "loaded max": Metric("us", 0, "round trip beside TCP, longest"),
    "setup": Metric("ms", 0, "from start to first answer"),
    "memory": Metric("MB", 1, "resident memory after the run, the larger end"),
    "memory peak": Metric("MB", 1, "the same at most"),
}


def metric_of(name):
    return METRICS[name.removeprefix("plain:")]


class Probe:
    """The counterparts that wait at both ends of a way, and what the cases share."""

    def __init__(self, way, tools, seconds):
        self.way, self.tools, self.seconds = way, tools, seconds
        self.idle = None    # the machine's own load in cores, if that is known and small
        self.perf = None
        for host in (way.near, way.far):
            host.background(tools / "echo", "answer", ECHO_PORT).wait_says("ready")
        self.serve_perf()

    def serve_perf(self):
        """A server that lost its client may wait for it forever: take a new one."""
        if self.perf:
            self.perf.stop()
        self.perf = self.way.far.background("iperf3", "-s", "--forceflush")
        self.perf.wait_says("Server listening")

    def perf_words(self, seconds, *more):
        return ("iperf3", "-J", "-c", self.way.to, "-t", seconds, *more)

    def tcp(self, *more):
        """Bytes received, and bits a second."""
        try:
            out = self.way.near.run(*self.perf_words(self.seconds, *more), timeout=self.seconds + 15)
            end = json.loads(out)["end"]["sum_received"]
            assert end["bytes"] > 0, "nothing arrived"
            return end["bytes"], end["bits_per_second"]
        except Exception:
            self.serve_perf()
            raise


def measure_tcp(probe, name, *more):
    return {name: probe.tcp(*more)[1] / 1e9}


def measure_tcp_and_cpu(probe):
    programs = probe.way.programs()
    meter = CpuMeter([p.pid for p in programs])
    received, rate = probe.tcp()
    busy, daemons, seconds = meter.read()
    found = {"tcp1": rate / 1e9}
    if probe.idle is not None:
        found["cpu"] = (busy - probe.idle * seconds) / (received / 1e9)
    if programs:
        found["daemons"] = daemons / (received / 1e9)
    return found


def measure_udp(probe, frame):
    sink = probe.way.far.background(probe.tools / "flood", "receive", FLOOD_PORT)
    sink.wait_says("ready")
    sent = json.loads(probe.way.near.run(probe.tools / "flood", "send", probe.way.to, FLOOD_PORT,
                                         frame, probe.seconds * 1000))
    sink.ends(30)
    got = json.loads(sink.text().split("\n")[1])
    rate = got["received"] / got["seconds"] if got["seconds"] else 0
    on_time = got["received"] - got["late"]
    return {f"udp{frame}": rate / 1e3,
            f"udp{frame} lost": 100 * (1 - on_time / sent["sent"]),
            f"udp{frame} late": 100 * got["late"] / max(got["received"], 1)}


def measure_rtt(probe, name):
    out = json.loads(probe.way.near.run(probe.tools / "echo", "ask", probe.way.to, ECHO_PORT,
                                        probe.seconds * 1000, 1000))
    return {f"{name} {what}": out[what] for what in ("p50", "p90", "p99", "max")}


def measure_rtt_loaded(probe):
    load = probe.way.near.background(*probe.perf_words(probe.seconds + 1))
    time.sleep(0.5)  # past the start of TCP
    found = measure_rtt(probe, "loaded")
    ended = load.process.poll() is not None
    try:
        load.ends(15)
        if ended or load.process.returncode != 0:
            raise AssertionError(f"the load ended early: {load.text()[:200]}")
    except Exception:
        load.stop()
        probe.serve_perf()
        raise
    return found


def measure_setup(probe):
    way = probe.way
    if not way.restarts:
        return {}
    way.stop_b()
    first = way.far.background(probe.tools / "echo", "first", way.address("a"), ECHO_PORT, 30000)
    start = time.monotonic_ns()
    way.start_b()
    first.ends(40)
    answered = json.loads(first.text())["at"]
    way.wait_ready()
    return {"setup": (answered - start) / 1e6}


CASES = {
    "tcp1": measure_tcp_and_cpu,
    "tcp1r": lambda probe: measure_tcp(probe, "tcp1r", "-R"),
    "tcp4": lambda probe: measure_tcp(probe, "tcp4", "-P", 4),
    "tcp4r": lambda probe: measure_tcp(probe, "tcp4r", "-P", 4, "-R"),
    "udp64": lambda probe: measure_udp(probe, 64),
    "udp512": lambda probe: measure_udp(probe, 512),
    "udp1300": lambda probe: measure_udp(probe, 1300),
    "udp1514": lambda probe: measure_udp(probe, 1514),
    "rtt_idle": lambda probe: measure_rtt(probe, "idle"),
    "rtt_loaded": measure_rtt_loaded,
    "setup": measure_setup,
}
ALL = (*CASES, "plain:tcp1", "plain:tcp4", "plain:udp64")


def measure(case, probe):
    """Runs one case. The underlay is the caller's matter."""
    plain, name = case.startswith("plain:"), case.removeprefix("plain:")
    found = CASES[name](probe)
    return {f"plain:{metric}": value for metric, value in found.items()} if plain else found
