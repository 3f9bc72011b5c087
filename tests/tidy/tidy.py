#!/usr/bin/env python3
"""Reads the tree and fails on what a reviewer should not have to say. Run by ctest (tidy.*) and by hand: tests/tidy/tidy.py [check].

edges    an #include that the folder's deps.txt does not allow
calls    a banned call; the message names its replacement
words    a word for which the field has another (docs/ARCHITECTURE.md, "Words")
paths    a path named in README, ARCHITECTURE or TOUR that does not exist
metrics  a metric without help, or whose name breaks the rules
shape    unfinished marks, lines beyond 120 columns, tabs, headers without #pragma once
connectors  a connector that the process does not start, or that has no README
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = {".h", ".cc"}

# Which third-party name of cmake/Dependencies.cmake an include belongs to.
THIRD_PARTY = [
    (r"absl/", "absl"), (r"google/protobuf/", "protobuf"), (r"grpcpp?/(?!reflection/v1)", "grpc"), (r"rocksdb/", "rocksdb"),
    (r"openssl/", "openssl"), (r"zlib\.h", "zlib"), (r"boost/", "beast"), (r"fmt/", "fmt"), (r"yaml-cpp/", "yaml"),
    (r"simdjson", "simdjson"), (r"prometheus/", "prometheus"), (r"CLI/", "cli11"), (r"sodium", "sodium"), (r"phonenumbers/", "phonenumber"), (r"unicode/", "icu"), (r"re2/", "re2"),
]
# The generated messages bring these along.
WITH_PROTO = {"protobuf"}
# ops/base shows absl's status to everybody.
WITH_BASE = {"absl"}

BANNED_CALLS = [
    (r"\bstd::this_thread::sleep", "wait on a condition variable, or a Clock in tests"),
    (r"(?<![_\w])(?<!::)usleep\(|(?<![_\w:])sleep\(\d", "wait on a condition variable"),
    (r"\bstd::chrono::system_clock::now\(", "ops/base/clock.h: Clock::Wall"),
    (r"\bstd::chrono::steady_clock::now\(", "ops/base/clock.h: Clock::Monotonic"),
    (r"\bstd::format\(", "fmt, as g++ 12 has no <format>"),
    (r"(?<![\w:])printf\(|std::cout|std::cerr", "ops/base/logger.h"),
    (r"\bthrow\s+[A-Za-z_]", "return a Status (ops/base/status.h)"),
    (r"(?<![\w])(?:std::)?rand\(\)|\bsrand\(", "a seeded generator that is passed in"),
    (r"\.detach\(\)", "std::jthread with a stop token (ops/base/thread.h)"),
    (r"(?<!\w)assert\(", "HILO_CHECK (ops/base/check.h)"),
]
# Where a banned call is at home.
CALLS_ALLOWED = {
    "ops/base/clock.cc": {"clock"}, "ops/base/check.cc": {"print"}, "ops/base/process_metrics.cc": {"clock"},
    "connectors/serving/grpc_server.cc": {"clock"},  # gRPC's deadlines are std::chrono::system_clock
}
# The process's own entry points talk to people on a terminal; benches and test programs measure and print.
TALKS = re.compile(r"^(ops/hilo/|ops/hilod/main\.cc|tests/)")

BANNED_WORDS = [
    (r"\bcatalogs?\b", "catalogue"), (r"\btenants?\b", "space"), (r"\bcontact_?id\b", "customer id"),
    (r"\bend[- ]?users?\b", "customer"), (r"\bmaster record\b", "customer"), (r"\btickets?\b", "case"),
    (r"\b(?!TimeUtil\b|PhoneNumberUtil\b|WriteBufferManager\b|SstFileManager\b)[A-Za-z]+(?:Manager|Helper|Util|Utils)\b", "a name from the field"),
    (r"\bgolden record\b", "customer"), (r"\bprofile_id\b", "customer id"), (r"\bcdp\b", "hub"),
]
WORDS_ALLOWED = re.compile(r"^(tests/tidy/|connectors/desk/page/(package|src/.*\.css))")

problems = []


def report(path, line, text):
    problems.append(f"{path}:{line}: {text}")


def tracked(*suffixes):
    out = subprocess.run(["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, text=True, check=True).stdout
    for name in out.splitlines():
        path = ROOT / name
        if path.suffix in suffixes and path.is_file():
            yield name, path


def lines_of(path):
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def read_deps(folder):
    file = ROOT / folder / "deps.txt"
    if not file.exists():
        return None
    return {line.split("#")[0].strip() for line in lines_of(file)} - {""}


def folder_of(name):
    """The folder whose deps.txt governs a file: the longest prefix that has one."""
    parts = name.split("/")[:-1]
    for count in range(len(parts), 0, -1):
        folder = "/".join(parts[:count])
        if (ROOT / folder / "deps.txt").exists():
            return folder
    return None


def check_edges():
    top = {"ops", "state", "streams", "connectors"}
    for name, path in tracked(*CODE):
        if name.split("/")[0] not in top:
            continue
        folder = folder_of(name)
        if folder is None:
            report(name, 1, "its folder has no deps.txt")
            continue
        deps = read_deps(folder)
        allowed_third = {dep[1:] for dep in deps if dep.startswith("@")}
        if "proto" in deps:
            allowed_third |= WITH_PROTO
        if "ops/base" in deps or folder == "ops/base":
            allowed_third |= WITH_BASE
        for number, line in enumerate(lines_of(path), 1):
            match = re.match(r'#include\s+(["<])([^">]+)[">]', line)
            if not match:
                continue
            quoted, target = match.group(1) == '"', match.group(2)
            if quoted and target.split("/")[0] in top:
                target_folder = folder_of(target)
                if target_folder != folder and target_folder not in deps:
                    report(name, number, f"includes {target}, but {folder}/deps.txt does not name {target_folder}")
                continue
            if quoted and re.match(r"(hilo|google/rpc|grpc/reflection)/.*\.pb\.h$", target):
                if "proto" not in deps:
                    report(name, number, f"includes {target}, but {folder}/deps.txt does not name proto")
                continue
            for pattern, third in THIRD_PARTY:
                if re.match(pattern, target) and third not in allowed_third:
                    report(name, number, f"includes {target}, but {folder}/deps.txt does not name @{third}")


    check_unused_edges(top)


def check_unused_edges(top):
    """An edge that nothing uses any more would let the next one in unseen."""
    for name, path in tracked(".txt"):
        folder = name.rsplit("/", 1)[0]
        if path.name != "deps.txt" or folder.split("/")[0] not in top:
            continue
        sources = [file for file in path.parent.iterdir() if file.suffix in CODE]
        included = "".join(file.read_text() for file in sources)
        for dep in read_deps(folder) if sources else ():
            if not dep.startswith("@") and dep != "proto" and f'"{dep}/' not in included:
                report(name, 1, f"names {dep}, but nothing here includes it")


def check_calls():
    for name, path in tracked(*CODE):
        for number, line in enumerate(lines_of(path), 1):
            code = line.split("//")[0]
            for pattern, instead in BANNED_CALLS:
                if not re.search(pattern, code):
                    continue
                allowed = CALLS_ALLOWED.get(name, set())
                if "clock" in allowed and "clock::now" in pattern:
                    continue
                if "print" in allowed and "printf" in pattern:
                    continue
                if name.startswith("tests/") and "throw" in pattern:
                    continue  # to show that foreign exceptions are caught
                if TALKS.match(name) and ("printf" in pattern or "clock::now" in pattern or "detach" in pattern or "sleep" in pattern):
                    continue
                report(name, number, f"banned call; use {instead}")


def check_words():
    for name, path in tracked(".h", ".cc", ".proto", ".ts", ".tsx", ".md", ".yaml", ".story"):
        if WORDS_ALLOWED.match(name):
            continue
        for number, line in enumerate(lines_of(path), 1):
            for pattern, instead in BANNED_WORDS:
                if re.search(pattern, line, re.IGNORECASE if pattern.startswith(r"\bc") else 0):
                    report(name, number, f"the field's word is {instead!r}")


def check_paths():
    for document in ("README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/TOUR.md"):
        path = ROOT / document
        if not path.exists():
            report(document, 1, "does not exist")
            continue
        for number, line in enumerate(lines_of(path), 1):
            for target in re.findall(r"`((?:\./)?(?:CMakeLists|cmake|connectors|docs|ops|proto|state|streams|tests)(?:/[\w.\-{},*]+)+)[` ]", line):
                target = re.sub(r":\d+$", "", target)
                if "*" in target or "{" in target:
                    if not list(ROOT.glob(re.sub(r"\{[^}]*\}", "*", target))):
                        report(document, number, f"names {target}, which does not exist")
                elif not (ROOT / target).exists():
                    report(document, number, f"names {target}, which does not exist")


def check_metrics():
    text = (ROOT / "ops/base/metric_names.h").read_text()
    found = re.findall(r"(Counter|Gauge|Histogram)Metric (k\w+)\{(.*?)\};", text, re.DOTALL)
    if len(found) < 20:
        report("ops/base/metric_names.h", 1, "fewer metrics than there were; does this check still read the file?")
    for kind, constant, body in found:
        name = re.search(r'\.name =\s+"([^"]+)"', body)
        help_text = re.search(r'\.help =\s+"([^"]+)"', body)
        if not name or not help_text or len(help_text.group(1)) < 10:
            report("ops/base/metric_names.h", 1, f"{constant} has no name or no help")
            continue
        good = re.match(r"(hilo_[a-z]+_[a-z0-9_]+|grpc_server_\w+|process_\w+|hilo_build_info)$", name.group(1))
        if not good:
            report("ops/base/metric_names.h", 1, f"{name.group(1)} is not hilo_<folder>_<what>_<unit>")
        if kind == "Counter" and not name.group(1).endswith("_total"):
            report("ops/base/metric_names.h", 1, f"{name.group(1)} is a counter and does not end in _total")


def check_shape():
    for name, path in tracked(".h", ".cc", ".proto", ".ts", ".tsx", ".py", ".cmake"):
        if name == "tests/tidy/tidy.py":
            continue
        text = lines_of(path)
        if path.suffix == ".h" and "#pragma once" not in text:
            report(name, 1, "has no #pragma once")
        for number, line in enumerate(text, 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                report(name, number, "an unfinished mark; finish it or say it in an issue")
            if path.suffix in CODE and len(line) > 120:
                report(name, number, f"{len(line)} columns; the limit is 120")
            if "\t" in line:
                report(name, number, "a tab")


def check_connectors():
    process = "".join(path.read_text() for _, path in tracked(".cc") if path.parent == ROOT / "ops/hilod")
    for folder in sorted(path.name for path in (ROOT / "connectors").iterdir() if path.is_dir()):
        if folder in ("kit", "http", "dispatch", "email"):
            continue
        if f'"connectors/{folder}/' not in process:
            report(f"connectors/{folder}", 1, "ops/hilod does not start this connector")
        if not (ROOT / "connectors" / folder / "README.md").exists():
            report(f"connectors/{folder}", 1, "has no README.md")


CHECKS = {"edges": check_edges, "calls": check_calls, "words": check_words, "paths": check_paths,
          "metrics": check_metrics, "shape": check_shape, "connectors": check_connectors}


def main():
    for name in sys.argv[1:] or CHECKS:
        CHECKS[name]()
    print("\n".join(problems) or "nothing found")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
