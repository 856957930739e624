"""What helm prints after an installation says what these values need said, and nothing that they don't."""

import concurrent.futures
import re

from common import CHART, NAMESPACE, RELEASE, Wrong, helm, main

TLS = ["ingress.enabled=true", "ingress.hosts[0].host=a.example", "ingress.hosts[1].host=b.example", "ingress.tls[0].hosts[0]=a.example"]
SANDBOX, POLICY, OAUTH2 = ["sandbox.enabled=true"], ["networkPolicy.enabled=true"], ["credentials.kind=oauth2", "credentials.oauth2.clientId=a"]
ROUTE = ["httpRoute.enabled=true", "httpRoute.parentRefs[0].name=a"]
RULES = ["prometheusRule.enabled=true", "prometheusRule.alerts.holdEndsSoon.enabled=false", "prometheusRule.runbookUrl=https://runbooks.example"]
EGRESS = ["networkPolicy.egress[0].ports[0].port=8443", "networkPolicy.egress[0].to[0].ipBlock.cidr=10.0.0.0/8"]
READY = "wait pod/fax-faxplus-gateway-0 --for=condition=Ready --timeout=5m"
# Values over good ones, what must be said, and what must not.
CASES = [
    ([], ["no registry is set"], ["WARNING: a call", "OnDelete", "STOPPED"]),
    (["image.registry=registry.example.com"], [], ["no registry"]),
    (["global.imageRegistry=registry.example.com"], [], ["no registry"]),
    (["image.repository=registry.example.com/faxplus-gateway"], [], ["no registry"]),
    (["config.upstream.request_timeout_seconds=30"], [], ["WARNING: a call"]),
    (["config.upstream.request_timeout_seconds=31"], ["may take 31 s", "60 s", "to 82 or more"], []),
    (["terminationGracePeriodSeconds=30"], ["may take 30 s", "to 80 or more"], []),
    (["image.repository=localhost/faxplus-gateway"], [], ["no registry"]),
    (["image.repository=local/faxplus-gateway"], ["no registry"], []),
    ([], ["rollout status statefulset/fax-faxplus-gateway"], ["wait pod/"]),
    *((["updateStrategy.type=OnDelete", *more], ["delete pod fax-faxplus-gateway-0", READY], ["rollout"]) for more in ([], SANDBOX)),
    (["replicaCount=0"], ["STOPPED: replicaCount is 0"], []),
    (TLS, ["https://a.example", "http://b.example"], ["https://b.example", "http://a.example"]),
    (["ingress.enabled=true", "ingress.hosts[0].paths[0].path=/"], ["http://ADDRESS, where", "get ingress fax-faxplus-gateway"], ["https://A"]),
    (['ingress={"enabled": true, "hosts": [{"host": "a.example"}, {}], "tls": [{"hosts": ["a.example"]}]}'], ["https://a.example", "http://ADDRESS"], ["https://ADDRESS"]),
    (["ingress.enabled=true", "ingress.hosts=[{}]", "ingress.tls[0].secretName=a"], ["https://ADDRESS"], ["http://ADDRESS"]),
    (["service.type=NodePort"], ["http://NODE:PORT", "nodePort}"], ["ADDRESS"]),
    (["service.type=NodePort", "service.nodePort=30080"], ["http://NODE:30080"], ["nodePort}"]),
    (["service.type=LoadBalancer"], ["http://ADDRESS:8080", "loadBalancer"], ["NODE"]),
    (["tests.enabled=false"], [], ["helm test", "--all-containers"]),
    ([], ["--all-containers", "--set 'ipFamilies={IPv6}'"], []),
    (SANDBOX, ["auth.existingSecret=faxplus-clients Health"], ["--set-string", "other values"]),
    ([*SANDBOX, "image.registry=a.example", 'image.tag="20240101"'],
     ["--set-string image.registry=a.example", "--set-string image.tag=20240101"], ["image.repository", "other values"]),
    ([*SANDBOX, "imagePullSecrets[0].name=a"], ["your other values (imagePullSecrets) along with -f, without sandbox"], []),
    ([*SANDBOX, "podSecurityContext.fsGroup=null", "podSecurityContext.runAsUser=null"], ["other values (podSecurityContext) along"], []),
    ([*SANDBOX, "podSecurityContext=null", "imagePullSecrets[0].name=a"], ["(imagePullSecrets, podSecurityContext)"], []),
    (["extraEnv[0].name=HTTPS_PROXY", "extraEnv[1].name=all_proxy", "extraEnv[2].name=Http_Proxy"],
     ["the gateway knows no proxy and does not read HTTPS_PROXY or all_proxy or Http_Proxy"], []),
    (["extraEnv[0].name=NO_PROXY", "extraEnv[1].name=MY_HTTP_PROXY"], [], ["proxy and"]),
    ([*SANDBOX, "extraEnv[0].name=HTTPS_PROXY"], [], ["proxy and"]),
    (POLICY, [], ["networkPolicy"]),
    ([*POLICY, "ingress.enabled=true", "ingress.hosts[0].host=a.example"], ["ingressFrom lets nobody in", "the Ingress may"], ["metricsFrom"]),
    ([*POLICY, *ROUTE, "service.type=NodePort"], ["the HTTPRoute and the NodePort may"], []),
    ([*POLICY, "service.type=LoadBalancer"], ["the LoadBalancer may"], []),
    (["service.type=LoadBalancer"], [], ["ingressFrom"]),
    ([*POLICY, *ROUTE, "networkPolicy.ingressFrom[0].ipBlock.cidr=10.0.0.0/8"], [], ["ingressFrom"]),
    ([*POLICY, "serviceMonitor.enabled=true"], ["metricsFrom lets nobody in"], ["ingressFrom"]),
    ([*POLICY, "podMonitor.enabled=true"], ["metricsFrom lets nobody in"], []),
    ([*POLICY, "serviceMonitor.enabled=true", "networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.a=b"], [], ["metricsFrom"]),
    ([*POLICY, "config.upstream.base_url=https://restapi.fax.plus/v3"], [], ["networkPolicy"]),
    ([*POLICY, "config.upstream.base_url=https://a.example:8443/v3"], ["out to a.example, port 8443 (config.upstream.base_url)"], []),
    ([*POLICY, "config.upstream.base_url=http://a.example/v3"], ["out to a.example, port 80"], []),
    ([*POLICY, "config.upstream.base_url=https://10.7.0.1/v3"], ["out to 10.7.0.1, port 443"], []),
    ([*POLICY, "config.upstream.base_url=https://[fd00::1]/v3"], ["out to [fd00::1], port 443"], []),
    ([*POLICY, "config.upstream.base_url=https://mock.fax.svc/v3"], ["out to mock.fax.svc, port 443"], []),
    ([*POLICY, "config.upstream.base_url=https://10.example/v3"], [], ["networkPolicy"]),
    ([*POLICY, "config.upstream.base_url=http://127.0.0.1:3128/v3"], [], ["networkPolicy"]),
    ([*POLICY, "config.upstream.base_url=http://100.64.0.1:443"], ["out to 100.64.0.1, port 443"], []),
    (["config.upstream.base_url=http://a.example"], [], ["networkPolicy"]),
    ([*POLICY, *SANDBOX, "config.upstream.base_url=http://a.example"], [], ["networkPolicy"]),
    ([*POLICY, "config.upstream.base_url=http://10.7.0.1:8443", *EGRESS], [], ["networkPolicy"]),
    ([*POLICY, "config.upstream.base_url=http://10.7.0.1:8444", *EGRESS], ["out to 10.7.0.1, port 8444"], []),
    ([*POLICY, "config.upstream.base_url=http://10.7.0.1:8444", *EGRESS, "networkPolicy.egress[0].ports[0].endPort=8444"], [], ["networkPolicy"]),
    ([*POLICY, "config.upstream.base_url=http://10.7.0.1:1", "networkPolicy.egress[0].to[0].podSelector.matchLabels.a=b"], [], ["networkPolicy"]),
    ([*POLICY, *OAUTH2, "config.credentials.token_url=https://a.example:1/token"], ["port 1 (config.credentials.token_url)"], []),
    ([*POLICY, "config.credentials.token_url=https://a.example:1/token"], [], ["networkPolicy"]),
    ([*POLICY, "networkPolicy.egress=null"], ["out to restapi.fax.plus, port 443 (config.upstream.base_url)"], ["token_url"]),
    ([*POLICY, *OAUTH2, "networkPolicy.egress=null"], ["restapi.fax.plus", "out to accounts.fax.plus, port 443"], []),
    ([*POLICY, "networkPolicy.ingressFrom=null"], ["nobody but the test pods may call"], ["may lead"]),
    ([*POLICY, "networkPolicy.ingressFrom=null", "tests.enabled=false"], ["so nobody may call"], ["test pods"]),
    (["networkPolicy.ingressFrom=null"], [], ["test pods may call"]),
    ([], ["In a cluster of IPv6 alone", "nothing scrapes"], ["FaxplusGatewayAbsent"]),
    (["ipFamilies={IPv6}"], [], ["In a cluster of IPv6 alone"]),
    (["prometheusRule.enabled=true"], ["FaxplusGatewayAbsent will page"], ["nothing scrapes"]),
    (["prometheusRule.enabled=true", 'prometheusRule.selector=job="a"'], [], ["FaxplusGatewayAbsent", "nothing scrapes"]),
    (["prometheusRule.enabled=true", "serviceMonitor.enabled=true"], [], ["FaxplusGatewayAbsent", "nothing scrapes"]),
    (["prometheusRule.enabled=true", "prometheusRule.alerts.absent.enabled=false"], ["nothing scrapes"], ["FaxplusGatewayAbsent"]),
    (["prometheusRule.enabled=true", "replicaCount=0"], ["nothing scrapes"], ["FaxplusGatewayAbsent"]),
    ([*SANDBOX, "prometheusRule.enabled=true"], ["nothing scrapes"], ["FaxplusGatewayAbsent"]),
    ([*SANDBOX, "prometheusRule.enabled=true", "prometheusRule.includeSandbox=true"], ["FaxplusGatewayAbsent will page"], []),
    (['prometheusRule.selector=job="a"'], ["nothing scrapes"], []),
    (['podAnnotations={"prometheus.io/scrape": "true"}'], [], ["nothing scrapes"]),
    (['podAnnotations={"prometheus.io/scrape": "false"}'], ["nothing scrapes"], []),
    (["podAnnotations=null"], ["nothing scrapes"], []),
    (["serviceMonitor.enabled=true"], ["serviceMonitor.labels is empty"], ["prometheusRule.labels", "nothing scrapes"]),
    (["podMonitor.enabled=true", "prometheusRule.enabled=true"], ["podMonitor.labels and prometheusRule.labels are empty"], []),
    (["serviceMonitor.enabled=true", "serviceMonitor.labels.release=a"], [], ["labels is empty"]),
    (["serviceMonitor.enabled=true", "serviceMonitor.labels.release=null"], ["labels is empty"], []),
    (["serviceMonitor.enabled=true", "commonLabels.release=a"], [], ["labels is empty"]),
    (ROUTE, [], ["timeouts"]),
    (["httpRoute.timeouts.request=60s"], [], ["timeouts"]),
    ([*ROUTE, "httpRoute.timeouts.request=4m59s999ms"], ["httpRoute.timeouts.request (4m59s999ms) is shorter", "(300)"], []),
    ([*ROUTE, "httpRoute.timeouts.backendRequest=1m"], ["httpRoute.timeouts.backendRequest (1m) is shorter"], ["timeouts.request"]),
    ([*ROUTE, "httpRoute.timeouts.request=0s"], [], ["timeouts"]),
    ([*ROUTE, "config.server.max_wait_seconds=331"], ["timeouts.request (330s) is shorter", "(331)"], []),
    (["prometheusRule.enabled=true"], ["runbookUrl is no URL"], ["max_hold_seconds"]),
    (RULES, [], ["runbookUrl", "max_hold_seconds"]),
    ([*RULES, "config.dispatch.max_hold_seconds=30"], ["max_hold_seconds (30) is not above config.compat.wait_seconds (50)"], ["runbookUrl"]),
    ([*RULES, "config.dispatch.max_hold_seconds=30", "config.compat.wait_seconds=30"], ["max_hold_seconds (30)"], ["runbookUrl"]),
    ([*RULES, "config.dispatch.max_hold_seconds=30", "config.compat.wait_seconds=20"], [], ["max_hold_seconds"]),
    (["config.dispatch.max_hold_seconds=30"], [], ["max_hold_seconds", "runbookUrl"]),
]


def said(chart, values):
    """The notes of an installation with these values."""
    values = ["credentials.existingSecret=a", "auth.existingSecret=b", *values]
    return notes(chart, [word for value in values for word in ("--set-json" if re.match(r'[\w.]+=({"|"|\[)', value) else "--set", value)])


def notes(chart, arguments):
    """The notes of an installation with these arguments, in one line."""
    told = helm(["install", RELEASE, str(chart), "--namespace", NAMESPACE, "--dry-run=client", *arguments])
    return " ".join(told.split("\nNOTES:\n")[1].split())


def nothing_to_warn_of(chart):
    """The values for production are a good example: there is nothing to add."""
    found = re.search(r"(WARNING|NOTE): .*", notes(chart, ["--values", str(chart / "ci" / "production.yaml")]))
    if found:
        raise Wrong("NOTES.txt with ci/production.yaml", f"says {found[0]!r}", "mend the values, or don't warn of them")


def holds(chart, case):
    values, wanted, unwanted = case
    told = said(chart, values)
    where = f"NOTES.txt with {', '.join(values) or 'good values'}"
    for words in wanted:
        if words not in told:
            raise Wrong(where, f"does not say {words!r}", "look at NOTES.txt")
    for words in unwanted:
        if words in told:
            raise Wrong(where, f"says {words!r}", "look at NOTES.txt")
    if odd := re.search(r"<no value>|%!|<nil>", told):
        raise Wrong(where, f"has {odd[0]} in it", "look at NOTES.txt")


def check(chart=CHART):
    nothing_to_warn_of(chart)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for one in [pool.submit(holds, chart, case) for case in CASES]:
            one.result()
    return f"{len(CASES)} installations are told what they need to be told, and no more"


if __name__ == "__main__":
    main(check)
