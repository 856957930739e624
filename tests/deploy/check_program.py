"""What the chart tells the gateway, the gateway takes.

The settings of every values file go through `check-config`, with secrets in the place of the mounted ones; so do those of
one of them in the way that the chart's README tells people, word for word. Then the sandbox is started with the arguments
of its pod, asked what the probes and the test pod ask, and told to end. Last, a gateway with clients gets a changed
Secret, as the kubelet brings it, and must let the new client in without a restart.
Takes the path of the program; without it, that of a debug build.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import yaml

from common import CHART, ROOT, TOOLS, Wrong, ci_values, main, objects, template

SECRETS = {
    "credentials/token": "fxp_stub\n",
    "credentials/client-secret": "stub\n",
    "credentials/refresh-token": "stub\n",
    "clients/clients.toml": f'billing = {{ tokens = ["sha256:{64 * "0"}"] }}\n',
}
MOUNTED = "/etc/faxplus-gateway/"
# Last answers to callers, and to whoever watches the status page, take up to 5 seconds each.
LAST_WORDS = 10


class Setup:
    """One values file, rendered, with its settings where the program can read them."""

    def __init__(self, chart, values, directory):
        self.where = f"ci/{values.name}"
        found = objects(template(values, chart=chart), self.where)
        self.pods = {one["kind"]: one for one in found if one["kind"] in ("StatefulSet", "Pod")}
        self.pod = self.pods["StatefulSet"]["spec"]["template"]["spec"]
        self.gateway = next(one for one in self.pod["containers"] if one["name"] == "gateway")
        files = [one["data"]["gateway.toml"] for one in found if "gateway.toml" in one.get("data", {})]
        self.text = files[0]
        self.values = yaml.safe_load(values.read_text())
        self.mount(directory)

    def mount(self, directory):
        """Puts the secrets that the pod mounts into `directory`, and the settings that name them there."""
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        for mount in self.gateway["volumeMounts"]:
            if items := volumes.get(mount["name"], {}).get("secret", {}).get("items"):
                place = mount["mountPath"].removeprefix(MOUNTED)
                bring(directory / place, {item["path"]: SECRETS[f"{place}/{item['path']}"] for item in items})
        self.file = directory / "gateway.toml"
        text = self.text.replace(MOUNTED, f"{directory}/").replace("/var/lib/faxplus-gateway", str(directory))
        self.file.write_text(text)

    def wrong(self, what, remedy):
        return Wrong(self.where, what, remedy)


def bring(mount, files):
    """Brings a Secret as the kubelet does: into a new directory, to which a link is then turned that all names go through."""
    mount.mkdir(exist_ok=True)
    fresh = pathlib.Path(tempfile.mkdtemp(prefix="..", dir=mount))
    for name, text in files.items():
        (fresh / name).write_text(text)
    (mount / "..next").symlink_to(fresh.name)
    (mount / "..next").rename(mount / "..data")
    for name in files:
        if not (mount / name).is_symlink():
            (mount / name).symlink_to(f"..data/{name}")


def program():
    """The gateway's binary."""
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target" / "debug" / "faxplus-gateway")
    if not path.exists():
        raise Wrong(path, "is not there", "cargo build, or say FAXPLUS_GATEWAY=BINARY tests/deploy/run")
    return path.resolve()


def environment(**more):
    """Nothing that sets a setting, but for `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("FAXPLUS_GATEWAY__")}
    return {**kept, **{f"FAXPLUS_GATEWAY__{name}": value for name, value in more.items()}}


def check_settings(binary, setup):
    """`check-config` takes the settings, without a warning, and they are what the values say."""
    sandbox = setup.values.get("sandbox", {}).get("enabled")
    settings = tomllib.loads(setup.text)
    if sandbox and "credentials" in settings:
        raise setup.wrong("the sandbox has a credential, and would not start", "leave it out")
    # The command wants a credential; the sandbox refuses one.
    given = environment(**({"CREDENTIALS__TOKEN": "stub"} if sandbox else {}))
    command = [binary, "check-config", "--config", setup.file]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise setup.wrong(f"check-config ends with {done.returncode}: {done.stderr.strip()}", "look at _settings.tpl")
    effective = tomllib.loads(done.stdout)
    for section, keys in setup.values.get("config", {}).items():
        for key, value in keys.items():
            if effective[section][key] != value:
                raise setup.wrong(f"config.{section}.{key} = {value!r} arrives as {effective[section][key]!r}", "look at _settings.tpl")
    server, grace = effective["server"], setup.pod["terminationGracePeriodSeconds"]
    needed = server["drain_delay_seconds"] + server["drain_timeout_seconds"] + LAST_WORDS
    if grace <= needed:
        raise setup.wrong(f"the kubelet kills after {grace} s, and the gateway may need {needed} s", "look at drainTimeout")
    ports = {port["name"]: port["containerPort"] for port in setup.gateway["ports"]}
    for key, port in (("listen", "http"), ("admin_listen", "admin")):
        if int(server[key].rpartition(":")[2]) != ports[port]:
            raise setup.wrong(f"server.{key} is {server[key]}, and the pod's port {ports[port]}", "make them the same")


def check_recipe(binary, chart, setup):
    """The README's way to check settings before they are installed works as it is written."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (chart / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    recipe = next((block for block in blocks if "check-config" in block), "")
    with tempfile.TemporaryDirectory() as directory:
        here = pathlib.Path(directory)
        for name, target in (("helm", TOOLS / "helm4"), ("faxplus-gateway", binary), ("CHART", chart)):
            (here / name).symlink_to(target)
        (here / "values.yaml").write_text(yaml.safe_dump(setup.values))
        for name, secret in (("fax.token", "credentials/token"), ("clients.toml", "clients/clients.toml")):
            (here / name).write_text(SECRETS[secret])
        path = {**environment(), "PATH": f"{here}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-ec", recipe], cwd=here, env=path, capture_output=True, text=True, check=False)
    limit = setup.values["config"]["upstream"]["max_calls_per_second"]
    if done.returncode or f"max_calls_per_second = {limit}" not in done.stdout:
        raise setup.wrong(f"the README's recipe ends with {done.returncode}: {done.stdout[-300:]}{done.stderr}", "mend it")


def started(binary, setup):
    """The gateway with the arguments of its pod, on free ports."""
    arguments = [str(setup.file) if argument.startswith(MOUNTED) else argument for argument in setup.gateway["args"]]
    free = environment(SERVER__LISTEN="127.0.0.1:0", SERVER__ADMIN_LISTEN="127.0.0.1:0")
    return subprocess.Popen([binary, *arguments], env=free, stderr=subprocess.PIPE, text=True)


def check_running(binary, setup):
    """The sandbox starts with the pod's arguments, answers the probes and the test pod, and ends when it is told to."""
    gateway = started(binary, setup)
    try:
        where = listening(gateway, setup)
        questions = [(setup.gateway[probe]["httpGet"]["port"], setup.gateway[probe]["httpGet"]["path"])
                     for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
        asked = 0
        for container in setup.pods["Pod"]["spec"]["containers"]:
            url = urlsplit(container["args"][1])
            questions.append(("admin" if "-admin." in url.hostname else "http", url._replace(scheme="", netloc="").geturl()))
        for port, path in questions:
            command = [binary, *setup.pods["Pod"]["spec"]["containers"][0]["args"]]
            command[2] = f"http://{where[port]}{path}"
            done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
            if done.returncode:
                raise setup.wrong(f"{path} on the {port} port: {done.stderr.strip()}", "ask for what the gateway serves")
            asked += 1
        start = time.monotonic()
        gateway.send_signal(signal.SIGTERM)
        code = gateway.wait(setup.pod["terminationGracePeriodSeconds"])
        if code:
            raise setup.wrong(f"the gateway ends with {code} on SIGTERM", "look at its log")
        return asked, time.monotonic() - start
    finally:
        gateway.kill()
        gateway.wait()


def check_rotation(binary, setup):
    """A client that a changed Secret brings is let in while the gateway runs, and one that it takes away is not."""
    def make(name):
        told = subprocess.run([binary, "token", "new", name], capture_output=True, text=True, check=True)
        return told.stdout.split("\n", 1)

    (old, old_line), (new, new_line) = make("old"), make("new")
    clients = setup.file.parent / "clients"
    bring(clients, {"clients.toml": old_line})
    gateway = started(binary, setup)
    try:
        url = f"http://{listening(gateway, setup)['http']}/v1/resends"
        if (codes := [answer(url, token) for token in (old, new)]) != [200, 401]:
            raise setup.wrong(f"the clients get {codes} before the Secret changes", "look at where the clients are mounted")
        bring(clients, {"clients.toml": new_line})
        start = time.monotonic()
        while answer(url, new) != 200:
            if time.monotonic() - start > 20:
                raise setup.wrong("a changed Secret is not read again", "mount its directory, and no subPath")
            time.sleep(0.2)
        if answer(url, old) != 401:
            raise setup.wrong("the client that was taken away is still let in", "look at the gateway's log")
        return time.monotonic() - start
    finally:
        gateway.kill()
        gateway.wait()


def answer(url, token):
    """The status that a client of this token gets."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as got:
            return got.status
    except urllib.error.HTTPError as refused:
        return refused.code


def listening(gateway, setup):
    """Where the gateway listens, by the names of the pod's ports, from the line that says so."""
    said = []
    for line in gateway.stderr:
        said.append(line)
        # A line before it names the admin listener alone, which answers while the store is opened.
        if line.startswith("{") and "address" in (fields := json.loads(line)) and "admin" in fields:
            return {"http": fields["address"], "admin": fields["admin"]}
    raise setup.wrong(f"the sandbox does not start: {''.join(said)}", "look at its log")


def check(chart=CHART):
    binary, files = program(), ci_values(chart)
    for values in files:
        with tempfile.TemporaryDirectory() as directory:
            setup = Setup(chart, values, pathlib.Path(directory))
            check_settings(binary, setup)
            if values.name == "sandbox.yaml":
                asked, seconds = check_running(binary, setup)
            if values.name == "production.yaml":
                reread = check_rotation(binary, setup)
                check_recipe(binary, chart, setup)
    return (
        f"the settings of {len(files)} values files are good without a warning, and one by the README's recipe; the sandbox of the pod runs, "
        f"answers all {asked} questions of probes and tests, and ends {seconds:.0f} s after SIGTERM; a changed Secret is "
        f"in force after {reread:.0f} s"
    )


if __name__ == "__main__":
    main(check)
