"""Containers for the checks beside this file: started under the restrictions of a strict cluster, asked over HTTP,
waited for by looking (never by sleeping for long enough), and always taken away."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request

PODMAN = os.environ["PODMAN"].split()
IMAGE = os.environ["IMAGE"]
MOST_SECONDS = 60
# Kubernetes' level "restricted" and a read-only root, without even podman's own /tmp. Who it runs as, the image says.
RESTRICTED = [
    "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges",
    "--memory=96m", "--memory-swap=96m", "--pids-limit=64", "--ulimit=nofile=4096:4096", "--ulimit=nproc=1024:1024",
]  # fmt: skip


class Failed(Exception):
    """A check did not hold."""


def holds(condition, words):
    """Fails with `words` unless `condition`."""
    if not condition:
        raise Failed(words)


def until(what, look, seconds=MOST_SECONDS):
    """Looks until there is something to see, and gives it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.05)
    raise Failed(f"{what}: not within {seconds} seconds")


def podman(*arguments, check=True, **options):
    """One command of podman, to its end."""
    done = subprocess.run([*PODMAN, *arguments], capture_output=True, text=True, timeout=MOST_SECONDS * 3, **options)
    if check and done.returncode != 0:
        raise Failed(f"podman {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done


def run_to_end(*command, options=(), network="none"):
    """The image with `command`, to its end."""
    return podman("run", "--rm", f"--network={network}", *RESTRICTED, *options, IMAGE, *command, check=False)


class Container:
    """The image with a command, in the background; taken away at the end of `with`."""

    def __init__(self, *command, settings=(), options=(), network="host"):
        environment = [f"--env=FAXPLUS_GATEWAY__{name}={value}" for name, value in dict(settings).items()]
        self.id = podman(
            "run", "--detach", f"--network={network}", *RESTRICTED, *environment, *options, IMAGE, *command
        ).stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            print(f"-- the container's last words\n{self.output()[-3000:]}")
        podman("rm", "--force", "--time=0", self.id, check=False)

    def output(self):
        """All that it said, stdout and stderr."""
        told = podman("logs", self.id, check=False)
        return told.stdout + told.stderr

    def line(self, words):
        """The first line with `words`, once it is there."""
        def look():
            holds(self.state()["Running"], f"the container ended before it said {words!r}")
            return next((line for line in self.output().splitlines() if words in line), None)

        return until(f"a line with {words!r}", look)

    def ready(self):
        """URLs of the API and of the admin listener, once the gateway serves."""
        fields = json.loads(self.line("The gateway is ready."))
        fields = fields.get("fields", fields)
        return f"http://{fields['address']}", f"http://{fields['admin']}"

    def state(self):
        """As podman sees it: Running, ExitCode, OOMKilled, Pid."""
        return json.loads(podman("inspect", self.id).stdout)[0]["State"]

    def inside(self, *command):
        """Runs the program once more, inside."""
        return podman("exec", self.id, "/usr/bin/faxplus-gateway", *command, check=False)


def ask(url, body=None, headers=(), timeout=MOST_SECONDS):
    """Status and text of the answer; status 0 when nobody answers."""
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data, dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def resend(api, addresses, wait=30, query=""):
    """Posts a list; gives status and resend."""
    headers = {"Content-Type": "application/json", "Prefer": f"wait={wait}"}
    status, text = ask(f"{api}/v1/resends{query}", json.dumps(addresses), headers)
    return status, json.loads(text or "{}")
