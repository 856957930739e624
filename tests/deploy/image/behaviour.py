#!/usr/bin/env python3
"""Runs the image as a strict cluster would, and stops it with work in flight. Fails at the first check that fails.

    PODMAN="podman --root ..." IMAGE=NAME behaviour.py VERSION COMMIT [CHECK...]     all checks, or those named

The simulated fax.plus runs in a container of the same image.
"""

import contextlib
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

from containers import Container, Failed, ask, holds, podman, resend, run_to_end, until

DATA = "/var/lib/faxplus-gateway"
CONFIG = "/etc/faxplus-gateway/gateway.toml"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
ANY_PORT = {"SERVER__LISTEN": "127.0.0.1:0", "SERVER__ADMIN_LISTEN": "127.0.0.1:0", "LOG__FORMAT": "json"}


def says_what_is_missing(_version, _commit):
    """As it comes it does not start, and says why; so does check-config, with every mistake at once."""
    plain = run_to_end()
    holds(plain.returncode == 78, f"without settings it ended with {plain.returncode}: {plain.stderr}")
    for words in ["credentials.token: is missing", "server.listen", "auth.allow_anonymous"]:
        holds(words in plain.stderr, f"without settings it does not say {words!r}: {plain.stderr}")
    wrong = run_to_end(
        "check-config", "--config", CONFIG,
        options=["--env=FAXPLUS_GATEWAY__UPSTREAM__BATCH_SIZE=11", "--env=FAXPLUS_GATEWAY__SERVER__WORKERS=none"],
    )  # fmt: skip
    holds(wrong.returncode == 78, f"check-config ended with {wrong.returncode}")
    for words in ["upstream.batch_size", "server.workers", "credentials.token"]:
        holds(words in wrong.stderr, f"check-config does not say {words!r}: {wrong.stderr}")
    holds("panicked" not in wrong.stderr, "check-config panicked")


def has_no_shell(_version, _commit):
    """Nothing but the program can be started."""
    for name in ["/bin/sh", "/bin/bash", "/busybox/sh"]:
        refused = run_to_end(options=[f"--entrypoint={name}"])
        holds("no such file or directory" in refused.stderr, f"{name}: {refused.stderr}")


def runs_restricted(version, commit):
    """As it comes, before a simulated fax.plus: root is read-only, there is no right to lose, and it works."""
    with Container(
        "serve", "--config", CONFIG, "--sandbox", settings={"AUTH__ALLOW_ANONYMOUS": "true"}, network="none"
    ) as gateway:
        gateway.line("The gateway is ready.")
        for path in ["livez", "readyz"]:
            probe = gateway.inside("probe", f"http://127.0.0.1:9090/{path}")
            holds(probe.returncode == 0, f"probe {path}: {probe.stderr}")
        holds(gateway.inside("probe", "http://127.0.0.1:9090/none").returncode == 1, "probe is content with a 404")
        metrics = gateway.inside("probe", "http://127.0.0.1:9090/metrics").stdout
        wanted = f'faxplus_gateway_build_info{{commit="{commit}",version="{version}"}} 1'
        holds(wanted in metrics, f"no {wanted} in the metrics")
        pid = gateway.state()["Pid"]
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
        wanted = {"Uid": "\t".join(["65532"] * 4), "Gid": "\t".join(["65532"] * 4), "NSpid": f"{pid}\t1"}
        wanted |= {"CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
        for name, value in wanted.items():
            holds(status[name] == value, f"{name} is {status[name]!r}, not {value!r}")
        with open(f"/proc/{pid}/mountinfo", encoding="ascii") as file:
            root = next(line.split() for line in file if line.split()[4] == "/")
        holds("ro" in root[5].split(","), "the root can be written")


def runs_as_anybody(_version, _commit):
    """A cluster may choose the user, as OpenShift does: it starts there too, where nothing is mounted over the store.

    Some runtimes go to the directory as root, so that this alone shows nothing; hence the file is named from there.
    """
    settings = {"AUTH__ALLOW_ANONYMOUS": "true"}
    chosen = ["--user=1000650000:0"]
    config = os.path.relpath(CONFIG, DATA)
    with Container("serve", "--config", config, "--sandbox", settings=settings, options=chosen, network="none") as gateway:
        gateway.line("The gateway is ready.")
        with open(f"/proc/{gateway.state()['Pid']}/status", encoding="ascii") as file:
            holds("Uid:\t1000650000" in file.read(), "it runs as somebody else than was asked for")


def shows_the_demo(_version, _commit):
    """The demo needs nothing but the image."""
    demo = run_to_end("demo")
    holds(demo.returncode == 0 and "balanced:" in demo.stdout, f"the demo: {demo.stdout}{demo.stderr}")


def finds_and_trusts(_version, _commit):
    """Looks names up in /etc/hosts and by DNS, and trusts whom the file of authorities names, nobody else."""
    with tempfile.TemporaryDirectory() as scratch, tls_server(scratch) as port, name_server(scratch):
        os.chmod(scratch, 0o755)

        def online(host, *options):
            url = f"--env=FAXPLUS_GATEWAY__UPSTREAM__BASE_URL=https://{host}:{port}/v3"
            options = ["--env=FAXPLUS_GATEWAY__CREDENTIALS__TOKEN=t", url, *options]
            return run_to_end("check-config", "--online", options=options, network="host")

        hosts = f"--volume={scratch}/hosts:/etc/hosts:ro"
        resolver = f"--volume={scratch}/resolv.conf:/etc/resolv.conf:ro"
        trust = f"--volume={scratch}/ca.pem:{AUTHORITIES}:ro"
        by_hosts = online("hosts.upstream.test", hosts, trust)
        holds(by_hosts.returncode == 0, f"a name in /etc/hosts: {by_hosts.stdout}{by_hosts.stderr}")
        by_dns = online("dns.upstream.test", resolver, trust)
        holds(by_dns.returncode == 0, f"a name in DNS: {by_dns.stdout}{by_dns.stderr}")
        stranger = online("hosts.upstream.test", hosts)
        refused = stranger.returncode == 1 and "can't be reached" in stranger.stderr
        holds(refused, f"trusts a stranger: {stranger.stderr}")
        unknown = online("nobody.upstream.test", resolver, trust)
        holds("does not resolve" in unknown.stderr, f"a name that nobody has: {unknown.stderr}")


def drains_and_remembers(_version, _commit, *options):
    """With a real store on a volume: a stop lets what is in flight end and tells it; the next run remembers it."""
    addresses = [f"user{number}@example.com" for number in range(12)]
    slow = ["sandbox", "--listen=127.0.0.1:0", "--latency-ms=3000"]
    with tempfile.TemporaryDirectory() as scratch, Container(*slow) as upstream:
        base_url = upstream.line("http://").strip()
        os.chmod(scratch, 0o755)
        os.mkdir(f"{scratch}/data", 0o700)
        os.chown(f"{scratch}/data", 65532, 65532)
        with open(f"{scratch}/token", "w", encoding="ascii") as file:
            file.write("token")
        upstream_of = {"UPSTREAM__BASE_URL": base_url, "CREDENTIALS__TOKEN_FILE": "/token"}
        settings = ANY_PORT | upstream_of | {"SERVER__DRAIN_DELAY_SECONDS": "2"}
        volumes = [f"--volume={scratch}/data:{DATA}", f"--volume={scratch}/token:/token:ro"]
        with Container(settings=settings, options=[*volumes, *options]) as gateway, ThreadPoolExecutor() as threads:
            api, admin = gateway.ready()
            caller = threads.submit(resend, api, addresses)
            in_flight = re.compile(r"^faxplus_gateway_upstream_in_flight [1-9]", re.MULTILINE)
            until("a call in flight", lambda: in_flight.search(ask(f"{admin}/metrics")[1]))
            stopped = threads.submit(podman, "stop", "--time=60", gateway.id)
            until("unreadiness", lambda: ask(f"{admin}/readyz")[0] == 503, seconds=15)
            holds(not caller.done(), "the caller was answered before the gateway was unready")
            holds(ask(f"{admin}/livez")[0] == 200, "it is not alive while it drains")
            status, told = caller.result()
            holds(status == 200 and told["counts"]["sent"] == 12, f"the caller was told {status}: {told}")
            stopped.result()
            state = gateway.state()
            ended = [state[name] for name in ("Running", "ExitCode", "OOMKilled")]
            holds(ended == [False, 0, False], f"it ended with {state}")
        holds(os.stat(f"{scratch}/data/gateway.db").st_uid == 65532, "the store belongs to somebody else")
        ledger = ask(f"{base_url.removesuffix('/v3')}/sandbox/ledger")[1]
        once = [row["email"] for row in map(json.loads, ledger.splitlines()) if row["accepted"] == 1]
        holds(sorted(once) == sorted(addresses), f"accepted: {ledger}")
        with Container(settings=settings | {"SERVER__DRAIN_DELAY_SECONDS": "0"}, options=volumes) as gateway:
            api, _ = gateway.ready()
            status, told = resend(api, addresses)
            holds(status == 200 and told["counts"]["duplicate"] == 12, f"the next run forgot: {status} {told}")
            list_of_many = json.dumps([f"many{number}@example.com" for number in range(200_000)])
            headers = {"Content-Type": "application/json"}
            status, text = ask(f"{api}/v1/resends?dry_run=true&results=none", list_of_many, headers)
            taken = status == 200 and json.loads(text)["counts"]["would_send"] == 200_000
            holds(taken, f"a long list in 96 MiB: {status} {text[:300]}")


def fails_when_killed(version, commit):
    """The proof of the drain's check: a container that is killed in place of told to end must not pass it."""
    try:
        drains_and_remembers(version, commit, "--stop-signal=KILL")
    except (Failed, KeyError, json.JSONDecodeError) as error:
        print(f"   refused, as it should: {error}")
    else:
        raise Failed("a killed gateway passed the check of the drain")


@contextlib.contextmanager
def tls_server(scratch):
    """Answers anything with an account, under a certificate of an authority made here, on a free port of loopback."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=scratch)

    make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl(*make, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    names = "subjectAltName=DNS:*.upstream.test"
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", names, "-addext", "basicConstraints=critical,CA:FALSE"]
    openssl(*make, *signed, "-subj", "/CN=upstream", "-keyout", "server.key", "-out", "server.pem")

    class Account(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"uid": "1", "email": "admin@example.com"}')

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Account)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{scratch}/server.pem", f"{scratch}/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


@contextlib.contextmanager
def name_server(scratch):
    """Answers A of dns.upstream.test with loopback and says of every other name that it does not exist."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.73", 53))
    with open(f"{scratch}/resolv.conf", "w", encoding="ascii") as file:
        file.write("nameserver 127.0.0.73\n")
    with open(f"{scratch}/hosts", "w", encoding="ascii") as file:
        file.write("127.0.0.1 localhost hosts.upstream.test\n")

    def serve():
        while True:
            query, caller = listening.recvfrom(512)
            if not query:
                return
            question = query[12 : query.index(b"\0", 12) + 5]
            known = question[:-5].lower() == b"\x03dns\x08upstream\x04test"
            address = b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4\x7f\0\0\1" if known and question[-4:-2] == b"\0\1" else b""
            flags = b"\x81\x80" if known else b"\x81\x83"
            answers = b"\0\1" if address else b"\0\0"
            listening.sendto(query[:2] + flags + b"\0\1" + answers + b"\0\0\0\0" + question + address, caller)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listening.sendto(b"", ("127.0.0.73", 53))
        thread.join()
        listening.close()


CHECKS = [
    says_what_is_missing,
    has_no_shell,
    runs_restricted,
    runs_as_anybody,
    shows_the_demo,
    finds_and_trusts,
    drains_and_remembers,
    fails_when_killed,
]


def main(version, commit, *names):
    """The checks in order; the first that does not hold ends it."""
    for check in CHECKS:
        if not names or check.__name__ in names:
            print(f"-- {check.__name__.replace('_', ' ')}", flush=True)
            try:
                check(version, commit)
            except Failed as failed:
                print(f"FAILED: {failed}")
                return 1
    return 0


if __name__ == "__main__":
    # Whoever ends this early, as CI does when something else has failed, leaves no container behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(*sys.argv[1:]))
