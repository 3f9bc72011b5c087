"""A record that ends the process: the real hilod dies of it, stops for an operator, and goes on once it is skipped.

The record is an event; the process ends (HILO_KILL_AT) before one is applied."""
import os
import signal
import subprocess
import sys
import tempfile
from http.client import HTTPException
from pathlib import Path

from hub import OPERATOR, Hub, Refused

MOST_STARTS = 12
QUIET = 4  # seconds without an end


def skip(hub, offset):
    return subprocess.run(
        [hub.build / "bin/hilo", "partitions", "skip-record", "--topic", "events", "--partition", "0", "--offset", str(offset)],
        env={**os.environ, "HILO_SERVER": f"127.0.0.1:{hub.grpc_port}", "HILO_TOKEN": OPERATOR}, capture_output=True, text=True, timeout=30)


def send(hub, number):
    status, body = hub.post("/v1/track", {"Authorization": "Bearer wk-web"},
                            f'{{"messageId":"m-{number}","userId":"u-{number}","event":"Seen"}}')
    assert status == 200, body


def find(hub, number):
    return hub.call("CustomerService/FindCustomers", {"identifier": {"kind": "IDENTIFIER_KIND_USER_ID", "value": f"u-{number}"}}).get("customers", [])


def run(hub):
    assert hub.start(), hub.log_tail()
    hub.wait_until_folded(30)
    hub.stop()
    assert hub.start("before_apply"), hub.log_tail()
    try:
        send(hub, 1)
    except (OSError, HTTPException):
        pass  # it may die before it can say that the event is durable, which it is
    assert hub.died(30) == -signal.SIGKILL

    deaths = 1
    while not (hub.start("before_apply") and hub.died(QUIET) is None):
        deaths += 1
        assert deaths < MOST_STARTS, "it never stopped for an operator"
    stopped = [one for one in hub.partitions() if one.get("stoppedReason")]
    assert [(one["topic"], one["stoppedReason"]) for one in stopped] == [("events", "record_crashes")], stopped
    offset = int(stopped[0]["position"])
    send(hub, 2)  # what comes in meanwhile is kept

    wrong = skip(hub, offset + 1)
    assert wrong.returncode != 0 and "not_stopped_there" in wrong.stderr + wrong.stdout, wrong
    for _ in range(2):  # twice is once
        done = skip(hub, offset)
        assert done.returncode == 0, done
    hub.stop()

    assert hub.start(), hub.log_tail()
    hub.wait_until_folded(30)
    letters = hub.call("OperationsService/ListDeadLetters", {"reason": "record_skipped"}, OPERATOR)["deadLetters"]
    assert [one["position"] for one in letters] == [f"events/0/{offset}"], letters
    assert find(hub, 1) == [] and len(find(hub, 2)) == 1
    assert skip(hub, offset).returncode != 0, "what is folded cannot be skipped"
    hub.stop()
    print(f"{deaths} deaths, one partition stopped, and it goes on behind the record that was skipped")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="hilo-skip-") as root:
        hub = Hub(Path(os.environ["HILO_BUILD"]), root)
        try:
            run(hub)
        except (AssertionError, Refused):
            print(hub.log_tail(), file=sys.stderr)
            raise
        finally:
            if hub.process and hub.process.poll() is None:
                hub.kill()
