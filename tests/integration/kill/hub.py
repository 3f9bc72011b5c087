"""A real hilod in a directory of its own, that can be killed and started again."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

AGENT, OPERATOR = "agent-token-of-this-test", "operator-token-of-this-test"
SOURCES = ("web", "till", "shop")
SENDING = ("decide_", "dispatch_")  # kill points of what sends
START_LIMIT = 60  # seconds, on a machine that does much else


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Refused(Exception):
    """The hub's answer to a call: status and machine code."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body[:300]}")
        self.status, self.body = status, body


class Hub:
    def __init__(self, build, root, more=""):
        """`more`: further settings, as YAML lines."""
        self.build, self.root, self.more = Path(build), Path(root), more
        self.data = self.root / "data"
        self.port = free_port()
        self.grpc_port = free_port()
        self.process = None
        self.started = 0
        self._log = open(self.root / "hilod.log", "ab")
        self._configure()

    def _configure(self):
        principals = "principals:\n"
        for name, role, token in (("marta", "agent", AGENT), ("olga", "admin", OPERATOR)):
            file = self.root / f"{name}.token"
            file.write_text(token)
            file.chmod(0o600)
            principals += f'  - {{name: {name}, role: {role}, token_file: "{file}"}}\n'
        config = (f'data_directory: "{self.data}"\nprincipals_file: "{self.root}/principals.yaml"\n'
                  f'http: {{port: {self.port}}}\ngrpc: {{address: "127.0.0.1:{self.grpc_port}"}}\nsources:\n')
        config += "".join(f"  - {{name: {name}, write_key: wk-{name}}}\n" for name in SOURCES)
        config += self.more.replace("$PORT", str(self.port))
        for name, text in (("principals.yaml", principals), ("hilo.yaml", config)):
            (self.root / name).write_text(text)
            (self.root / name).chmod(0o600)

    # ------------------------------------------------------------------------------- the process
    def start(self, kill_at=None):
        """Returns when it serves, or has died: whether it serves."""
        environment = dict(os.environ)
        environment.pop("HILO_KILL_AT", None)
        if kill_at:
            environment["HILO_KILL_AT"] = kill_at
        began = time.monotonic()
        self.process = subprocess.Popen([self.build / "bin/hilod", "--config", self.root / "hilo.yaml"], env=environment,
                                        stdout=subprocess.PIPE, stderr=self._log)
        line = self.process.stdout.readline()  # its ports, once it serves
        self.process.stdout.close()
        self.started = time.monotonic() - began
        return bool(line)

    def kill(self):
        """Ends it at once; -9 whatever ended it."""
        self.process.send_signal(signal.SIGKILL)
        return self.process.wait()

    def died(self, seconds):
        """Waits that long for it to die by itself."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(START_LIMIT)

    def log_tail(self, lines=20):
        self._log.flush()
        return "".join(open(self.root / "hilod.log", encoding="utf-8", errors="replace").readlines()[-lines:])

    # --------------------------------------------------------------------------------- its files
    def dump(self, path, data=None):
        subprocess.run([self.build / "bin/hilo_dump", data or self.data, path], check=True, timeout=120)

    def dump_copy(self, path):
        """A dump that leaves the files as the kill left them."""
        copy = self.root / "copy"
        shutil.copytree(self.data, copy)
        self.dump(path, copy)
        shutil.rmtree(copy)

    def poison(self, ledger, count, seed):
        subprocess.run([self.build / "bin/hilo_poison", self.data, ledger, str(count), str(seed)], check=True, timeout=60)

    def forget_state(self):
        """Everything is folded again from the logs."""
        shutil.rmtree(self.data / "state")

    # ------------------------------------------------------------------------------------- calls
    def post(self, path, headers, body, timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def call(self, method, request, token=AGENT, timeout=10):
        """One call by the Connect protocol. OSError when nobody knows what came of it."""
        status, body = self.post(f"/hilo.v1.{method}", {"Authorization": f"Bearer {token}", "Connect-Protocol-Version": "1"},
                                 json.dumps(request), timeout)
        if status != 200:
            raise Refused(status, body)
        return json.loads(body)

    def partitions(self):
        return self.call("OperationsService/ListPartitions", {}, OPERATOR)["partitions"]

    def wait_until_folded(self, seconds):
        """Until every partition has folded its log and emptied its outbox, but for a tick or two."""
        end = time.monotonic() + seconds
        while True:
            states = self.partitions()
            stopped = [f"{one['topic']}/{one.get('partition', 0)} stopped: {one['stoppedReason']}" for one in states if one.get("stoppedReason")]
            if stopped:
                raise AssertionError("; ".join(stopped))
            behind = [one for one in states if int(one.get("end", 0)) - int(one.get("position", 0)) > 2 or int(one.get("outboxBytes", 0))]
            if not behind:
                return
            if time.monotonic() > end:
                raise AssertionError(f"not folded within {seconds} s: {behind}")
            time.sleep(0.1)


def kill_points(source):
    """All places that are named in the code, with the folder that names them."""
    found = {}
    for folder in ("streams", "connectors", "state", "ops"):
        for file in (Path(source) / folder).rglob("*.cc"):
            for name in re.findall(r'KillPoint\("(\w+)"\)', file.read_text()):
                found[name] = str(file.relative_to(source))
    return found
