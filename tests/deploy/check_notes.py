"""What helm prints after an installation says what these values need said, and nothing that they don't."""

import concurrent.futures
import re

from common import CHART, NAMESPACE, RELEASE, Wrong, helm, main

TLS = ["ingress.enabled=true", "ingress.hosts[0].host=a.example", "ingress.hosts[1].host=b.example", "ingress.tls[0].hosts[0]=a.example"]
# Values over good ones, what must be said, and what must not.
CASES = [
    ([], ["no registry is set"], ["WARNING: a call", "OnDelete", "STOPPED"]),
    (["image.registry=registry.example.com"], [], ["no registry"]),
    (["global.imageRegistry=registry.example.com"], [], ["no registry"]),
    (["image.repository=registry.example.com/faxplus-gateway"], [], ["no registry"]),
    (["config.upstream.request_timeout_seconds=30"], [], ["WARNING: a call"]),
    (["config.upstream.request_timeout_seconds=31"], ["may take 31 s", "60 s", "to 82 or more"], []),
    (["terminationGracePeriodSeconds=30"], ["may take 30 s", "to 80 or more"], []),
    (["updateStrategy.type=OnDelete"], ["delete pod fax-faxplus-gateway-0"], []),
    (["replicaCount=0"], ["STOPPED: replicaCount is 0"], []),
    (TLS, ["https://a.example", "http://b.example"], ["https://b.example", "http://a.example"]),
    (["service.type=NodePort"], ["http://NODE:PORT", "nodePort}"], ["ADDRESS"]),
    (["service.type=NodePort", "service.nodePort=30080"], ["http://NODE:30080"], ["nodePort}"]),
    (["service.type=LoadBalancer"], ["http://ADDRESS:8080", "loadBalancer"], ["NODE"]),
    (["tests.enabled=false"], [], ["helm test", "--all-containers"]),
    ([], ["--all-containers", "ipFamilies=[IPv6]"], []),
]


def said(chart, values):
    """The notes of an installation with these values."""
    words = [word for value in ["credentials.existingSecret=a", "auth.existingSecret=b", *values] for word in ("--set", value)]
    told = helm(["install", RELEASE, str(chart), "--namespace", NAMESPACE, "--dry-run=client", *words])
    return " ".join(told.split("\nNOTES:\n")[1].split())


def holds(chart, case):
    values, wanted, unwanted = case
    notes = said(chart, values)
    where = f"NOTES.txt with {', '.join(values) or 'good values'}"
    for words in wanted:
        if words not in notes:
            raise Wrong(where, f"does not say {words!r}", "look at NOTES.txt")
    for words in unwanted:
        if words in notes:
            raise Wrong(where, f"says {words!r}", "look at NOTES.txt")
    if odd := re.search(r"<no value>|%!|<nil>", notes):
        raise Wrong(where, f"has {odd[0]} in it", "look at NOTES.txt")


def check(chart=CHART):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for one in [pool.submit(holds, chart, case) for case in CASES]:
            one.result()
    return f"{len(CASES)} installations are told what they need to be told, and no more"


if __name__ == "__main__":
    main(check)
