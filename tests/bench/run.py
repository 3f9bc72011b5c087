#!/usr/bin/env python3
"""Runs the benchmarks: one line a figure, `name value unit`, and the same in build/bench.json.

    tests/bench/run.py [filter] [--runs 5] [--quick] [--bin build/release/bin]

`filter` is a regular expression on the names of suites and of figures. Each figure is the median of the runs that
count: a run in which other processes took more than 10 % of the CPU does not, and another is made in its place, as
often as there are runs. When none counts, the median of all is shown and said not to count. Behind the unit stand the aim and the peer measured in the same run.
"""
import argparse
import ctypes
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OTHERS_LIMIT = 0.10  # of all cores, by processes that are not ours
TICKS = os.sysconf("SC_CLK_TCK")

# Suites: name, and its programs with their arguments, whole and quick.
SUITES = [
    ("whole_way", [("hilo_whole_way_bench", ["--events", "300000", "--identifiers", "100000", "--batch", "100"],
                    ["--events", "20000", "--identifiers", "8000"])]),
    ("latency", [("hilo_latency_bench", ["--rate", "1000", "--seconds", "20"],
                  ["--rate", "1000", "--seconds", "2", "--customers", "2000"]),
                 ("hilo_latency_bench", ["--rate", "5000", "--seconds", "20"],
                  ["--rate", "5000", "--seconds", "2", "--customers", "2000"])]),
    ("serving", [("hilo_serving_bench", ["--customers", "2000", "--events", "30", "--seconds", "5"],
                  ["--customers", "200", "--events", "25", "--seconds", "1"])]),
    ("desk", [("tests/browser/bench/desk_bench.mjs", ["--callers", "20"], ["--callers", "3"])]),
    ("size_10k", [("hilo_size_bench", ["--customers", "10000"], ["--customers", "10000", "--seconds", "1"])]),
    ("size_100k", [("hilo_size_bench", ["--customers", "100000"], None)]),
    ("size_1m", [("hilo_size_bench", ["--customers", "1000000"], None)]),
    ("folds", [(f"hilo_{name}_bench", ["--benchmark_format=json"], ["--benchmark_format=json", "--benchmark_min_time=0.05"])
               for name in ("fold", "identity", "customer")]),
    ("expression", [("hilo_expression_bench", ["--benchmark_format=json"],
                     ["--benchmark_format=json", "--benchmark_min_time=0.05"])]),
    ("decision", [("hilo_decision_bench", ["--benchmark_format=json"],
                   ["--benchmark_format=json", "--benchmark_min_time=0.05"])]),
    ("log", [("hilo_log_bench", ["--benchmark_format=json"], ["--benchmark_format=json", "--benchmark_min_time=0.1"])]),
]

# Figures with an aim: at least or at most so much.
AIMS = {
    "whole_way_events_per_second": (">=", 65_000),
    "whole_way_cpu": ("<=", 25),
    "in_stream_at_1000_p99": ("<=", 4),
    "in_stream_at_5000_p99": ("<=", 6),
    "context_of_echo_at_1": (">=", 0.8),
    "context_of_echo_at_32": (">=", 0.4),
    "timeline_page_at_1_p99": ("<=", 3),
    "desk_new_decision_p95": ("<=", 200),
    "desk_product_search_p95": ("<=", 50),
    "memory_while_filling_1m": ("<=", 512),
    "memory_after_reads_1m": ("<=", 512),
    "ready_after_kill_1m": ("<=", 2),
    "Condition/Ordinary": ("<=", 200),
    "Decide/1000": (">=", 1_000),  # calls a second: 1 ms each
}
# Figures with a limit or peer measured in the same run.
PEERS = {
    "whole_way_events_per_second": "raw_append_read_events_per_second",
    "whole_way_with_intake_events_per_second": "raw_append_read_events_per_second",
    "whole_way_cpu": "raw_append_read_cpu",
    "Decide/1000": "DrawsAlone/1000",
    "context_at_1": "echo_at_1",
    "context_at_32": "echo_at_32",
    "context_cold_at_1": "echo_at_1",
    "context_cold_at_32": "echo_at_32",
    "context_at_1_cpu": "echo_at_1_cpu",
    "context_at_32_cpu": "echo_at_32_cpu",
    "timeline_page_at_1": "echo_at_1",
    "timeline_page_at_32": "echo_at_32",
    "visible_at_1000_p99": "accepted_at_1000_p99",
    "visible_at_5000_p99": "accepted_at_5000_p99",
    "in_stream_at_1000_p99": "accepted_at_1000_p99",
    "in_stream_at_5000_p99": "accepted_at_5000_p99",
    "Condition/Ordinary": "Peer/Ordinary",
    "Condition/Long": "Peer/Long",
    "Condition/Tags": "Peer/Tags",
    "AppendAndRead/256": "RawFileWriteSyncRead",
    "OneAppend": "OneFdatasync",
}


def busy_seconds():
    """CPU time of all processes since the machine started."""
    with open("/proc/stat", encoding="ascii") as stat:
        fields = [int(field) for field in stat.readline().split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / TICKS


def own_seconds():
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


def adopt_orphans():
    """From now on what a program leaves behind, as a browser does, becomes this process's child: its time counts as ours."""
    subreaper = 36  # PR_SET_CHILD_SUBREAPER
    ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)


def collect_orphans():
    until = time.monotonic() + 5
    try:
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)
    except ChildProcessError:
        pass  # none is left


def google_benchmark(text):
    report = json.loads(text)
    figures = {}
    for entry in report["benchmarks"]:
        if entry.get("error_occurred"):
            raise SystemExit(f"bench: {entry['name']}: {entry['error_message']}")
        name = re.sub(r"(/iterations:\d+)?/(real|manual)_time", "", entry["name"])
        if "items_per_second" in entry:
            figures[name] = (entry["items_per_second"], "records/s")
        elif entry["time_unit"] == "ns":
            figures[name] = (entry["real_time"], "ns")
        else:
            figures[name] = (1e6 / entry["real_time"], "calls/s")
    return figures


def run_program(binary, arguments, binary_folder):
    """The program's figures and the share of the CPU that others took."""
    busy, own, began = busy_seconds(), own_seconds(), time.monotonic()
    started_by = ["node"] if binary.suffix == ".mjs" else []
    done = subprocess.run([*started_by, str(binary), *arguments], stdout=subprocess.PIPE, text=True, check=False,
                          env={**os.environ, "HILO_BUILD": str(binary_folder.parent)})
    elapsed = time.monotonic() - began
    collect_orphans()
    others = max(0.0, (busy_seconds() - busy) - (own_seconds() - own)) / (elapsed * os.cpu_count())
    if done.returncode != 0:
        raise SystemExit(f"bench: {binary.name} {' '.join(arguments)} ended with {done.returncode}")
    if "--benchmark_format=json" in arguments:
        return google_benchmark(done.stdout), others
    figures = {}
    for line in done.stdout.splitlines():
        name, value, unit = line.split()
        figures[name] = (float(value), unit)
    return figures, others


def machine():
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": model, "cores": os.cpu_count(), "memory_gib": round(memory, 1), "kernel": platform.release()}


class Figure:
    def __init__(self, unit):
        self.unit = unit
        self.runs = []  # (value, share of others)

    def counted(self):
        return [value for value, others in self.runs if others <= OTHERS_LIMIT]

    def value(self):
        return statistics.median(self.counted() or [value for value, _ in self.runs])


def remarks(name, figure, figures):
    said = []
    met = None
    if name in AIMS:
        relation, aim = AIMS[name]
        met = figure.value() >= aim if relation == ">=" else figure.value() <= aim
        said.append(f"aim {relation} {aim}: {'met' if met else 'missed'}")
    peer = PEERS.get(name)
    if peer in figures:
        beside = figures[peer].value()
        ratio = figure.value() / beside if beside else 0
        said.append(f"beside {peer} {beside:.4g} (ratio {ratio:.2f})")
    counted = len(figure.counted())
    if counted == 0:
        most = max(others for _, others in figure.runs)
        said.append(f"DOES NOT COUNT: others took up to {most:.0%} of the CPU")
    else:
        said.append(f"median of {counted} of {len(figure.runs)} runs")
    return said, met


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("filter", nargs="?", default="")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one small run: whether it works, not how fast")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "build/bench.json")
    options = parser.parse_args()
    runs = 1 if options.quick else options.runs
    adopt_orphans()
    wanted = re.compile(options.filter)

    about = machine()
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    print(f"# {now}  {about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, Linux {about['kernel']}")
    print(f"# release build, {runs} runs, medians; embedded log on {os.environ.get('TMPDIR', '/tmp')}, hilod's defaults "
          f"(256 MB of cache){'; quick: sizes too small to compare' if options.quick else ''}")
    written = []
    for suite, programs in SUITES:
        names_of_figures = [*AIMS, *PEERS]
        if not wanted.search(suite) and not any(wanted.search(name) for name in names_of_figures if name.startswith(suite)):
            continue
        figures = {}
        commands = []
        for program, arguments, quick in programs:
            chosen = quick if options.quick else arguments
            if chosen is None:
                continue
            binary = ROOT / program if "/" in program else options.bin / program
            if not binary.exists():
                raise SystemExit(f"bench: {binary} is missing; cmake --build build/release --target benches hilod")
            commands.append(" ".join([program, *chosen]))
            counted = 0
            for _ in range(runs if options.quick else 2 * runs):
                measured, others = run_program(binary, chosen, options.bin)
                for name, (value, unit) in measured.items():
                    figures.setdefault(name, Figure(unit)).runs.append((value, others))
                counted += others <= OTHERS_LIMIT
                if counted == runs:
                    break
        for command in commands:
            print(f"# {suite}: {command}")
        for name, figure in figures.items():
            said, met = remarks(name, figure, figures)
            print(f"{name} {figure.value():.6g} {figure.unit}  # {'; '.join(said)}", flush=True)
            written.append({"suite": suite, "name": name, "value": figure.value(), "unit": figure.unit, "aim": AIMS.get(name),
                            "met": met, "peer": PEERS.get(name), "counts": bool(figure.counted()),
                            "runs": [{"value": value, "others": round(others, 3)} for value, others in figure.runs],
                            "commands": commands})
    if not written:
        raise SystemExit(f"bench: no suite matches '{options.filter}'")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"time": now, "machine": about, "runs": runs, "quick": options.quick,
                                        "figures": written}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
