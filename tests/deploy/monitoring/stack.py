"""A gateway, a simulated fax.plus, Prometheus and Alertmanager, for as long as a `with` lasts.

All on free ports of this machine, with everything they write in one directory. Ends what it has started, by its handle.
"""

import base64
import contextlib
import hashlib
import json
import random
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

import expressions
import routing

TOKENS = {"billing": "token-of-billing", "crm": "token-of-crm"}
# Something of everything: refused addresses, doubts, an overload, a credential that is refused for a moment.
FAULTS = [
    {"address": "*@refused.example", "fate": "status", "status": 422, "error": "not_found"},
    {"address": "*@doubt.example", "fate": "accept_then_500"},
    {"every": 70, "fate": "status", "status": 503, "retry_after": "1"},
    {"every": 110, "fate": "token_expired"},
]
# Where nobody listens: the port that never is anybody's.
DOWN = "127.0.0.1:1"
# The queue is so short that a list of more addresses is refused for want of room.
QUEUED = 2000


def until(seconds, what, probe):
    """The first true thing that `probe` gives; it is asked again for so many seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            if found := probe():
                return found
        except OSError as error:
            last = error
        else:
            last = "not yet"
        if time.monotonic() > end:
            raise SystemExit(f"after {seconds} s still no {what}: {last}")
        time.sleep(0.1)


def get(url):
    """The body of an answer."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def token_until(end):
    """A personal access token that says when it ends."""
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return f"{part({'alg': 'none'})}.{part({'exp': int(end)})}.signature"


def free_ports(count):
    """Ports of loopback that nobody holds, out of a range from which the kernel gives none to those who ask for any: they
    are still free when their process comes to them."""
    found = []
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as one:
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(port)
        if len(found) == count:
            return found
    raise OSError("a hundred ports were tried, and few are free")


class Stack:
    """See the module."""

    def __init__(self, binary, rules, directory):
        self.binary, self.rules, self.directory = binary, rules, Path(directory)
        self.running = []
        self.upstream, self.api, self.admin, self.prometheus, self.alertmanager = (
            f"http://127.0.0.1:{port}" for port in free_ports(5))

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.terminate()
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def run(self, name, *command):
        """Starts a process; what it says goes to a file."""
        with (self.directory / f"{name}.log").open("w") as log:
            self.running.append(subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, cwd=self.directory))

    def write(self, name, text):
        """A file in the directory."""
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def start(self):
        """Everything, in the order in which one needs the other."""
        faults = self.write("faults.json", json.dumps(FAULTS))
        self.run("upstream", self.binary, "sandbox", "--listen", host(self.upstream), "--latency-ms", 20,
                 "--calls-per-second", 60, "--burst", 10, "--faults", faults)
        self.write("token", token_until(time.time() + 20 * 86_400))
        self.write("clients.toml", "".join(
            f'{name} = {{ tokens = ["sha256:{hashlib.sha256(token.encode()).hexdigest()}"], '
            f"operator = true, force = true }}\n" for name, token in TOKENS.items()))
        settings = self.write("gateway.toml", f"""
            server = {{ listen = "{host(self.api)}", admin_listen = "{host(self.admin)}", drain_delay_seconds = 0,
                       drain_timeout_seconds = 5 }}
            upstream = {{ base_url = "{self.upstream}/v3", max_calls_per_second = 100 }}
            credentials.token_file = "token"
            auth = {{ mode = "tokens", clients_file = "clients.toml" }}
            dispatch.max_queued_addresses = {QUEUED}
            compat.wait_seconds = 2
            store.path = "gateway.db"
        """.replace("            ", "").replace(",\n           ", ", "))
        self.run("gateway", self.binary, "serve", "--config", settings)
        until(20, "gateway", lambda: get(f"{self.admin}/readyz"))

        self.run("alertmanager", "prometheus-alertmanager", "--config.file", self.write(
            "alertmanager.yaml", yaml.safe_dump(routing.config())),
            "--web.listen-address", host(self.alertmanager), "--cluster.listen-address=", "--storage.path=alertmanager")
        scrape = {"job_name": expressions.LABELS["job"], "static_configs": [{
            "targets": [host(self.admin)],
            "labels": {key: value for key, value in expressions.LABELS.items() if key != "job"}}]}
        # A second gateway, which is down: all that is known of it is that its scrape fails.
        scrape["static_configs"].append({"targets": [DOWN], "labels": {
            **scrape["static_configs"][0]["labels"], "pod": f"{expressions.LABELS['pod'][:-1]}1"}})
        # Something else of the cluster, which has metrics of its process as well.
        foreign = {"job_name": "prometheus", "static_configs": [{
            "targets": [host(self.prometheus)], "labels": {"namespace": "monitoring", "pod": "prometheus-0"}}]}
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(self.rules)], "scrape_configs": [scrape, foreign],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [host(self.alertmanager)]}]}]},
        }
        self.run("prometheus", "prometheus", "--config.file", self.write("prometheus.yaml", yaml.safe_dump(config)),
                 "--web.listen-address", host(self.prometheus), "--storage.tsdb.path=prometheus")
        until(30, "Alertmanager", lambda: get(f"{self.alertmanager}/-/ready"))
        until(30, "Prometheus", lambda: get(f"{self.prometheus}/-/ready"))
        until(30, "samples of all targets", lambda: (self.number("count(up)"), self.number("sum(up)")) == (3, 2))

    def post(self, path, body, client="billing", method="POST", headers=()):
        """Status and JSON of the gateway's answer to a client."""
        request = urllib.request.Request(
            f"{self.api}{path}", body if isinstance(body, bytes) else json.dumps(body).encode(), method=method,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {TOKENS.get(client, client)}",
                     **dict(headers)})
        if method == "GET":
            request.data = None
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def query(self, expression, at=None):
        """What Prometheus answers, as (labels, number): now, or at a time."""
        asked = {"query": expression, **({"time": at} if at else {})}
        url = f"{self.prometheus}/api/v1/query?{urllib.parse.urlencode(asked)}"
        result = json.loads(get(url))["data"]["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def values(self, label, selector):
        """The values that a label has in the series of a selector."""
        url = f"{self.prometheus}/api/v1/label/{label}/values?{urllib.parse.urlencode({'match[]': selector})}"
        return json.loads(get(url))["data"]

    def number(self, expression):
        """The only number of the answer; 0 when there is none."""
        return next((value for _, value in self.query(expression)), 0)

    def told(self, name):
        """The end of what a process said."""
        return (self.directory / f"{name}.log").read_text()[-2000:]


def host(url):
    """Host and port."""
    return url.removeprefix("http://")
