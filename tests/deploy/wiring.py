"""How the objects of a release refer to each other: selectors, ports, names, volumes, labels. Each must find what it
names, and nothing else. Takes the objects of one rendering."""

import re
from urllib.parse import urlsplit

from common import NAMESPACE, RELEASE, Wrong, containers_of, name_of, pods_of

SELECTOR = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
STANDARD = SELECTOR | {"app.kubernetes.io/component", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"}
OWN_NAMESPACE_MAY_DIFFER = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "GrafanaDashboard"}


class Release:
    """The objects, and what the checks look for in them."""

    def __init__(self, found, where):
        self.found, self.where = found, where
        self.workload = self.only("StatefulSet")
        self.pod = self.workload["spec"]["template"]
        self.tests = self.kind("Pod")
        self.services = {service["metadata"]["name"]: service for service in self.kind("Service")}
        self.gateway = next(one for one in self.pod["spec"]["containers"] if one["name"] == "gateway")
        self.ports = {port["name"]: port["containerPort"] for port in self.gateway["ports"]}

    def kind(self, kind):
        return [one for one in self.found if one["kind"] == kind]

    def only(self, kind):
        ones = self.kind(kind)
        self.demand(len(ones) == 1, {"kind": kind, "metadata": {"name": "?"}}, f"there are {len(ones)}, not one")
        return ones[0]

    def demand(self, holds, one, what, remedy="look at its template"):
        if not holds:
            raise Wrong(f"{self.where}, {name_of(one)}", what, remedy)

    def selects_gateway_alone(self, one, selector):
        matches = [pod for pod in (self.pod, *self.tests) if selector.items() <= pod["metadata"]["labels"].items()]
        self.demand(selector and matches == [self.pod], one, f"{selector} does not select the gateway's pods alone")


# Lists whose elements an API server tells apart by keys of theirs: of a pod, and of each container.
KEYS_OF_POD = {"imagePullSecrets": ["name"], "volumes": ["name"], "hostAliases": ["ip"], "topologySpreadConstraints": ["topologyKey", "whenUnsatisfiable"]}
KEYS_OF_CONTAINER = {"env": ["name"], "volumeMounts": ["mountPath"], "ports": ["containerPort", "protocol"]}


def check(found, where):
    """All of it."""
    release = Release(found, where)
    for rule in (names, labels, workload, keys, volumes, containers, services, monitors, routes, policies, test_pods):
        rule(release)


def names(release):
    seen = set()
    for one in release.found:
        key = (one["kind"], one["metadata"].get("namespace", NAMESPACE), one["metadata"]["name"])
        release.demand(key not in seen, one, "there are two of this name")
        seen.add(key)
        limit = 52 if one["kind"] == "StatefulSet" else 63
        release.demand(len(key[2]) <= limit, one, f"its name is longer than {limit} characters")
        elsewhere = key[1] != NAMESPACE and one["kind"] not in OWN_NAMESPACE_MAY_DIFFER and not is_dashboard(one)
        release.demand(not elsewhere, one, f"is in namespace {key[1]}")
        release.demand(one["kind"] != "Secret", one, "the chart makes no Secrets: what is in values is in the release, too")
        release.demand(one["kind"] != "HorizontalPodAutoscaler", one, "the pace is the limit, and not the processor")
    account = release.pod["spec"]["serviceAccountName"]
    made = [one["metadata"]["name"] for one in release.kind("ServiceAccount")]
    release.demand(made in ([], [account]), release.workload, f"runs as {account}, but the chart makes {made}")


def is_dashboard(one):
    return one["kind"] == "ConfigMap" and all(key.endswith(".json") for key in one.get("data", {"": ""}))


def labels(release):
    for one in release.found:
        ours = one["metadata"].get("labels", {})
        if "helm.sh/chart" not in ours:  # of extraObjects, or a test pod
            continue
        release.demand(STANDARD <= set(ours), one, f"lacks {', '.join(sorted(STANDARD - set(ours)))}", "use faxplus-gateway.metadata")
        release.demand(ours["app.kubernetes.io/instance"] == RELEASE, one, "is of another release")
    for claim in release.workload["spec"].get("volumeClaimTemplates", []):
        bad = {"app.kubernetes.io/version", "helm.sh/chart", "app.kubernetes.io/managed-by"} & set(claim["metadata"]["labels"])
        release.demand(not bad, release.workload, f"its claim has {bad}: the next version could not be installed")


def workload(release):
    one, spec = release.workload, release.workload["spec"]
    release.demand(spec["replicas"] in (0, 1), one, "has more than one replica")
    release.demand(set(spec["selector"]["matchLabels"]) == SELECTOR, one, "its selector is not name and instance: it can never change")
    release.selects_gateway_alone(one, spec["selector"]["matchLabels"])
    service = release.services.get(spec["serviceName"], {})
    release.demand(service.get("spec", {}).get("clusterIP") == "None", one, f"{spec['serviceName']} is no headless Service")
    release.demand("checksum/config" in release.pod["metadata"]["annotations"], one, "a change of the settings would not restart it")
    own = [item for item in release.pod["spec"].get("topologySpreadConstraints", []) if "labelSelector" not in item]
    release.demand(not own, one, "a spread without labelSelector spreads nothing")


def keys(release):
    """No two elements of a list have the same keys: a server-side apply refuses them."""
    for one, _, spec in pods_of(release.found):
        lists = [("containers", ["name"], containers_of(spec))]
        lists += [(name, fields, spec.get(name, [])) for name, fields in KEYS_OF_POD.items()]
        lists += [(name, fields, container.get(name, [])) for container in containers_of(spec) for name, fields in KEYS_OF_CONTAINER.items()]
        lists += [("ports", ["name"], [port for container in spec["containers"] for port in container.get("ports", []) if "name" in port])]
        for name, fields, elements in lists:
            told = [tuple(element.get(field) for field in fields) for element in elements]
            twice = sorted({str(key) for key in told if told.count(key) > 1})
            release.demand(not twice, one, f"{name}: {', '.join(twice)} stands there twice")


def volumes(release):
    for one, _, spec in pods_of(release.found):
        there = {volume["name"] for volume in spec.get("volumes", [])}
        there |= {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
        mounts = [mount for container in containers_of(spec) for mount in container.get("volumeMounts", [])]
        mounted = {mount["name"] for mount in mounts}
        release.demand(there == mounted, one, f"volumes {sorted(there)} are not the mounts {sorted(mounted)}")
        release.demand(not any("subPath" in mount for mount in mounts), one, "a subPath is never read again")


def containers(release):
    for one, _, spec in pods_of(release.found):
        release.demand(spec.get("automountServiceAccountToken") is False, one, "a token of the API server is mounted")
        release.demand(spec.get("enableServiceLinks") is False, one, "Services come as environment variables")
        for container in containers_of(spec):
            where = f"container {container['name']}"
            resources = container.get("resources", {})
            release.demand({"cpu", "memory"} <= set(resources.get("requests", {})), one, f"{where}: asks for no cpu or memory")
            release.demand(set(resources.get("limits", {})) == {"memory"}, one, f"{where}: the limit is memory, and memory alone")
            release.demand(container["securityContext"].get("readOnlyRootFilesystem"), one, f"{where}: its root can be written")
            release.demand(re.search(r"(:(?!latest$)[^/:@]+|@sha256:[0-9a-f]{64})$", container["image"]), one, f"{where}: no fixed image")
            inline = [env["name"] for env in container.get("env", []) if re.search("TOKEN|SECRET|PASSWORD", env["name"]) and env.get("value")]
            release.demand(not inline, one, f"{where}: {inline} hold secrets")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = release.gateway[probe]["httpGet"]
        release.demand(asked["port"] == "admin", release.workload, f"{probe} asks port {asked['port']}: callers could starve it")
    release.demand(release.gateway["livenessProbe"]["httpGet"]["path"] == "/livez", release.workload, "liveness depends on something")


def services(release):
    for one in release.services.values():
        release.selects_gateway_alone(one, one["spec"]["selector"])
        for port in one["spec"]["ports"]:
            release.demand(port["targetPort"] in release.ports, one, f"the pod has no port {port['targetPort']}")
        targets = {port["targetPort"] for port in one["spec"]["ports"]}
        release.demand(len(targets) == 1, one, "serves callers and operators together")
        exposed = one["spec"]["type"] != "ClusterIP" and "admin" in targets
        release.demand(not exposed, one, "metrics and status ask for no token and must stay inside")


def monitors(release):
    for one in release.kind("ServiceMonitor"):
        selector = one["spec"]["selector"]["matchLabels"]
        chosen = [found for found in release.services.values() if selector.items() <= found["metadata"]["labels"].items()]
        release.demand(len(chosen) == 1, one, f"selects {len(chosen)} Services: samples are missing or there twice")
        ports = {port["name"] for port in chosen[0]["spec"]["ports"]}
        release.demand({end["port"] for end in one["spec"]["endpoints"]} <= ports, one, f"{name_of(chosen[0])} has no such port")
    for one in release.kind("PodMonitor"):
        release.selects_gateway_alone(one, one["spec"]["selector"]["matchLabels"])
        ports = {end["port"] for end in one["spec"]["podMetricsEndpoints"]}
        release.demand(ports <= set(release.ports), one, "the pod has no such port")
    for one in release.kind("ServiceMonitor") + release.kind("PodMonitor"):
        release.demand(one["spec"]["namespaceSelector"]["matchNames"] == [NAMESPACE], one, "looks in another namespace")


def routes(release):
    for one in release.kind("Ingress"):
        for rule in one["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                is_route_to_api(release, one, backend["name"], backend["port"])
    for one in release.kind("HTTPRoute"):
        for rule in one["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                is_route_to_api(release, one, backend["name"], {"number": backend["port"]})


def is_route_to_api(release, one, name, wanted):
    release.demand(name in release.services, one, f"there is no Service {name}")
    hits = [
        port for port in release.services[name]["spec"]["ports"]
        if wanted in ({"name": port["name"]}, {"number": port["port"]})
    ]
    release.demand(len(hits) == 1, one, f"Service {name} has no port {wanted}")
    release.demand(hits[0]["targetPort"] == "http", one, "routes to metrics and status, which ask for no token")


def policies(release):
    for one in release.kind("PodDisruptionBudget"):
        release.selects_gateway_alone(one, one["spec"]["selector"]["matchLabels"])
        release.demand("minAvailable" not in one["spec"], one, "minAvailable blocks every drain of a lone pod")
        release.demand(one["spec"]["maxUnavailable"] not in (0, "0%"), one, "blocks every drain")
    for one in release.kind("NetworkPolicy"):
        spec = one["spec"]
        release.selects_gateway_alone(one, spec["podSelector"]["matchLabels"])
        release.demand(spec["policyTypes"] == ["Ingress", "Egress"], one, "leaves a direction open")
        for rule in spec.get("ingress", []):
            release.demand(rule.get("from"), one, "a rule without peers lets everybody in")
            release.demand({port["port"] for port in rule["ports"]} <= set(release.ports), one, "the pod has no such port")
        dns = [{"protocol": protocol, "port": port} for port in (53, 5353) for protocol in ("UDP", "TCP")]
        release.demand({"ports": dns} in spec["egress"], one, "DNS is not let out")
        tests = [rule for rule in spec.get("ingress", []) for peer in rule["from"] if any(
            set(peer.get("podSelector", {}).get("matchLabels", {"": ""}).items()) <= set(pod["metadata"]["labels"].items())
            for pod in release.tests)]
        release.demand(tests or not release.tests, one, "keeps the test pods out")


def test_pods(release):
    for one in release.tests:
        release.demand(one["metadata"]["annotations"].get("helm.sh/hook") == "test", one, "is no test, and would never be replaced")
        for field in ("runtimeClassName", "priorityClassName", "nodeSelector", "tolerations"):
            same = one["spec"].get(field) == release.pod["spec"].get(field)
            release.demand(same, one, f"its {field} is not the gateway's, so it may not run where the gateway does")
        nodes, others = (pod["spec"].get("affinity", {}) for pod in (release.pod, one))
        nodes = {key: value for key, value in nodes.items() if key == "nodeAffinity"}
        release.demand(others == nodes, one, "its affinity is not the gateway's to nodes, and that alone")
        for container in one["spec"]["containers"]:
            release.demand(container["image"] == release.gateway["image"], one, "asks with another image than the gateway's")
            url = urlsplit(container["args"][1])
            name, namespace, _ = url.hostname.split(".")
            ports = [port["port"] for port in release.services.get(name, {"spec": {"ports": []}})["spec"]["ports"]]
            release.demand(namespace == NAMESPACE and url.port in ports, one, f"asks {url.netloc}, where nobody is")
