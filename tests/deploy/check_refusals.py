"""Values that must be refused, each by both helms and in words that name what is wrong. The first half is refused by the
schema, the second by the chart, which has to say more. What only comes close to one of them is taken."""

import concurrent.futures
import json
import pathlib
import re
import tempfile

import yaml

from check_empty import parent_of
from common import CHART, HELMS, HelmError, Wrong, main, template

GOOD = "{credentials: {existingSecret: faxplus}, auth: {allowAnonymous: true}}"

# What is added to good values, and a pattern of what must be said.
BY_SCHEMA = {
    "replicas: 2": "replicas",
    "replicaCount: two": "replicaCount",
    "replicaCount: -1": "replicaCount",
    "sandbox: {enable: true}": "enable",
    "sandbox: {enabled: 'yes'}": "enabled",
    "image: {digest: 'sha256:12'}": "digest",
    "image: {tag: 'a b'}": "tag",
    "image: {pullPolicy: Sometimes}": "pullPolicy",
    "imagePullSecrets: [name]": "imagePullSecrets",
    "credentials: {token: fxp_1}": "token",
    "credentials: {kind: password}": "kind",
    "auth: {tokens: [a]}": "tokens",
    "config: {serverr: {workers: 4}}": "serverr",
    "config: {server: {worker: 4}}": "worker",
    "config: {server: {workers: four}}": "workers",
    "config: {server: 4}": "server",
    "config: {upstream: {base_url: [a]}}": "base_url",
    "config: {auth: {allow_anonymous: 'true'}}": "allow_anonymous",
    "terminationGracePeriodSeconds: 20": "terminationGracePeriodSeconds",
    "terminationGracePeriodSeconds: 3601": "terminationGracePeriodSeconds",
    "resources: {limit: {memory: 1Gi}}": "limit",
    "resources: {limits: {memory: much}}": "memory",
    "persistence: {size: 2G}": "size",
    "persistence: {size: 0Gi}": "size",
    "persistence: {accessMode: ReadWriteMany}": "accessMode",
    "persistence: {whenDeleted: Keep}": "whenDeleted",
    "service: {type: ExternalName}": "type",
    "service: {port: 70000}": "port",
    "adminService: {type: NodePort}": "type",
    "ipFamilies: [IPv5]": "ipFamilies",
    "ingress: {hosts: [{paths: []}]}": "host",
    "ingress: {hosts: [{host: a.example, paths: [{path: v1}]}]}": "path",
    "networkPolicy: {ingressFrom: all}": "ingressFrom",
    "serviceMonitor: {interval: 30}": "interval",
    "livenessProbe: {path: /readyz}": "path",
    "pdb: {minAvailable: 1}": "minAvailable",
    "pdb: {maxUnavailable: 0}": "maxUnavailable",
    "pdb: {maxUnavailable: '0%'}": "maxUnavailable",
    "podLabels: {a: 1}": "podLabels",
    "extraEnv: [{value: a}]": "extraEnv",
    "updateStrategy: {type: Recreate}": "updateStrategy",
    "hpa: {enabled: true}": "hpa",
    "credentials: {tokenKey: ..}": "tokenKey",
    "credentials: {oauth2: {clientSecretKey: .}}": "clientSecretKey",
    "credentials: {oauth2: {refreshTokenKey: ..a}}": "refreshTokenKey",
    "auth: {clientsKey: ..}": "clientsKey",
    "auth: {existingSecret: a..b}": "existingSecret",
    "resources: {requests: {memory: 128000m}}": "memory",
    "tests: {resources: {limits: {ephemeral-storage: 500m}}}": "ephemeral-storage",
    "persistence: {storageClass: '--'}": "storageClass",
    "service: {loadBalancerSourceRanges: [10.0.0.0]}": "loadBalancerSourceRanges",
    "service: {loadBalancerSourceRanges: [10.0.0.256/8]}": "loadBalancerSourceRanges",
    "service: {loadBalancerSourceRanges: ['fd00::/129']}": "loadBalancerSourceRanges",
    "service: {externalTrafficPolicy: local}": "externalTrafficPolicy",
    "ingress: {hosts: [{host: a..example}]}": "host",
    "ingress: {tls: [{hosts: ['https://a.example']}]}": "hosts",
    "httpRoute: {hostnames: ['https://a.example']}": "hostnames",
    "httpRoute: {hostnames: [a..example]}": "hostnames",
    "networkPolicy: {ingressFrom: [{}]}": "ingressFrom",
    "networkPolicy: {ingressFrom: [{namespaceSelektor: {}}]}": "namespaceSelektor",
    "networkPolicy: {metricsFrom: [{podSelector: {matchLabel: {a: b}}}]}": "matchLabel",
    "networkPolicy: {metricsFrom: [{ipBlock: {cidr: 10.0.0.1}}]}": "cidr",
    "networkPolicy: {egress: [{port: 443}]}": "port",
    "networkPolicy: {egress: [{to: [{ipBlocks: {}}]}]}": "ipBlocks",
    "networkPolicy: {egress: [{ports: [{ports: 443}]}]}": "ports",
    "serviceMonitor: {sampleLimit: 100000001}": "sampleLimit",
    "revisionHistoryLimit: 1001": "revisionHistoryLimit",
    "pdb: {maxUnavailable: 1001}": "maxUnavailable",
    "podSecurityContext: {runAsUsers: 1}": "runAsUsers",
    "securityContext: {readOnlyRootFileSystem: true}": "readOnlyRootFileSystem",
    "dnsConfig: {option: []}": "option",
    "extraEnv: [{name: A, value: 5}]": "value",
    "extraEnv: [{name: A, valeu: a}]": "valeu",
    "extraEnv: [{name: A, valueFrom: {secretRef: {}}}]": "secretRef",
    "extraEnv: [{name: A=B}]": "name",
    f"nameOverride: {53 * 'a'}": "nameOverride",
    f"fullnameOverride: {53 * 'a'}": "fullnameOverride",
}
BY_CHART = {
    "replicaCount: 2": "replicaCount: there can be one gateway only",
    "credentials: {existingSecret: ''}": r"credentials\.existingSecret: is missing",
    "auth: {allowAnonymous: false}": "auth: nobody may call",
    "auth: {existingSecret: tokens, allowAnonymous: true}": r"auth\.allowAnonymous: contradicts",
    "credentials: {existingSecret: a, kind: oauth2}": r"credentials\.oauth2\.clientId: is missing",
    "credentials: {existingSecret: a, oauth2: {clientId: b}}": r"clientId: does nothing with a personal access token",
    "config: {server: {listen: '0.0.0.0:80'}}": r"config\.server\.listen: belongs to the chart; .*service\.port",
    "config: {server: {admin_listen: '0.0.0.0:80'}}": r"config\.server\.admin_listen: belongs to the chart",
    "config: {server: {drain_timeout_seconds: 5}}": "set terminationGracePeriodSeconds",
    "config: {server: {drain_delay_seconds: 5}}": "set terminationGracePeriodSeconds",
    "config: {store: {path: ':memory:'}}": r"config\.store\.path: belongs to the chart; set persistence",
    "config: {auth: {mode: tokens}}": r"set auth\.existingSecret",
    "config: {auth: {clients_file: /a}}": r"set auth\.existingSecret and auth\.clientsKey",
    "config: {auth: {allow_anonymous: true}}": r"set auth\.allowAnonymous",
    "config: {credentials: {kind: oauth2}}": r"set credentials\.kind",
    "config: {credentials: {client_id: a}}": r"set credentials\.oauth2\.clientId",
    "config: {credentials: {token: hush}}": "secrets don't belong here",
    "config: {credentials: {token_file: /a}}": r"set credentials\.existingSecret",
    "config: {credentials: {client_secret: hush}}": "secrets don't belong here",
    "config: {credentials: {client_secret_file: /a}}": r"set credentials\.existingSecret",
    "config: {credentials: {refresh_token: hush}}": "secrets don't belong here",
    "config: {credentials: {refresh_token_file: /a}}": r"set credentials\.existingSecret",
    "extraEnv: [{name: FAXPLUS_GATEWAY__CREDENTIALS__TOKEN, value: a}]": "extraEnv: what FAXPLUS_GATEWAY__CREDENTIALS__TOKEN sets",
    "extraEnv: [{name: faxplus_gateway__server__listen, value: a}]": "extraEnv: what faxplus_gateway__server__listen sets",
    "persistence: {size: 512Mi}": r"persistence\.size: of 512Mi",
    "persistence: {enabled: false, existingClaim: last-year}": r"persistence\.existingClaim: does nothing",
    "persistence: {enabled: false, size: 63Mi}": r"persistence\.size: 63Mi are too little",
    "{persistence: {enabled: false}, config: {store: {max_bytes: 0}}}": r"max_bytes: 0 means no bound, .* Take 3221225472 or less",
    "{persistence: {enabled: false, size: 1Gi}, config: {store: {max_bytes: 805306369}}}": r"max_bytes: 805306369 lets the store outgrow",
    "{sandbox: {enabled: true}, config: {store: {max_bytes: 536870913}}}": r"max_bytes: 536870913 is too much for the sandbox",
    "extraVolumes: [{name: store, emptyDir: {}}]": 'there is a volume "store" already',
    "extraVolumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]": 'there is a volume "a" already',
    "extraVolumeMounts: [{name: tmp, mountPath: /tmp/}]": 'something is mounted at "/tmp" already',
    "extraVolumeMounts: [{name: tmp, mountPath: /var/lib/faxplus-gateway}]": "mounted at .* already",
    "extraVolumeMounts: [{name: tmp, mountPath: /a}, {name: tmp, mountPath: /a}]": 'something is mounted at "/a" already',
    "extraVolumeMounts: [{name: company, mountPath: /a}]": 'there is no volume "company"',
    "extraVolumeMounts: [{name: clients, mountPath: /a}]": 'there is no volume "clients"',
    "image: {registry: 'https://foo.example'}": r'image\.registry: "https://foo\.example" is no registry',
    "image: {registry: foo.example/}": r'image\.registry: "foo\.example/" is no registry',
    "global: {imageRegistry: 'http://foo.example'}": r"global\.imageRegistry: .* is no registry",
    "image: {repository: 'foo/bar:1.0'}": r'image\.repository: "foo/bar:1\.0" is no repository',
    "image: {repository: foo//bar}": r"image\.repository: .* is no repository",
    "image: {registry: a.example, repository: 'b.example:5000/c'}": r"image\.repository: .* a port to image\.registry",
    "initContainers: [{name: gateway, image: 'a:1'}]": "already",
    "service: {nodePort: 30000}": r"service\.nodePort: a ClusterIP has none",
    "service: {loadBalancerClass: a}": "only with service.type=LoadBalancer",
    "ingress: {enabled: true}": r"ingress\.hosts: is empty",
    "httpRoute: {enabled: true}": r"httpRoute\.parentRefs: is empty",
    "httpRoute: {enabled: true, parentRefs: [{name: a}], filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}":
        r"httpRoute\.filters: a RequestRedirect",
    "httpRoute: {enabled: true, parentRefs: [{name: a}], timeouts: {request: 60s, backendRequest: 1m1s}}":
        r"httpRoute\.timeouts\.backendRequest: 1m1s is longer than timeouts\.request, 60s",
    "service: {externalTrafficPolicy: Local}": r"service\.externalTrafficPolicy: a ClusterIP has none",
    "ipFamilies: [IPv4, IPv6]": r"ipFamilies: two of them need ipFamilyPolicy",
    "{ipFamilies: [IPv4, IPv6], ipFamilyPolicy: SingleStack}": r"ipFamilies: two of them need ipFamilyPolicy",
    "serviceMonitor: {enabled: true, interval: 5s}": r"serviceMonitor\.scrapeTimeout: 10s is longer than serviceMonitor\.interval, 5s",
    "podMonitor: {enabled: true, interval: 1m, scrapeTimeout: 60001ms}": r"podMonitor\.scrapeTimeout: 60001ms is longer",
    "serviceMonitor: {enabled: true, interval: 1h, scrapeTimeout: 61m}": r"serviceMonitor\.scrapeTimeout: 61m is longer",
    "{serviceMonitor: {enabled: true}, podMonitor: {enabled: true}}": r"podMonitor\.enabled: serviceMonitor",
    "serviceMonitor: {enabled: true, interval: 999ms, scrapeTimeout: 500ms}": r"serviceMonitor\.interval: 999ms would scrape",
    **{f"{{{values}, prometheusRule: {{enabled: true{rules}}}}}": pattern for values, rules, pattern in (
        ("serviceMonitor: {enabled: true, interval: 61s}", "", r"serviceMonitor\.interval: 61s is too long"),
        ("podMonitor: {enabled: true, interval: 2m}", "", r"podMonitor\.interval: 2m is too long"),
        ("serviceMonitor: {enabled: true}", ", alerts: {storeErrors: {window: 119s}}",
         r"storeErrors\.window: 119s is less than four times serviceMonitor\.interval, 30s"),
        ("podMonitor: {enabled: true, interval: 60s}", ", alerts: {workHeld: {seconds: 239}}",
         r"workHeld\.seconds: 239s is less than four times podMonitor\.interval, 60s"),
        ("serviceMonitor: {enabled: true}", ", slo: {windows: [{long: 1h, short: 1m, factor: 9, for: 2m, severity: page}]}",
         r"slo\.windows\[0\]\.short: 1m is less than four times serviceMonitor\.interval, 30s"),
        ("replicaCount: 1", ", slo: {windows: [{long: 60m, short: 1h, factor: 9, for: 2m, severity: page}]}",
         r"slo\.windows\[0\]\.short: 1h is not shorter than long, 60m"),
        ("replicaCount: 1", ", slo: {windows: [{long: 1h, short: 5m, factor: 9, for: 2m, severity: page}, "
         "{long: 1h, short: 5m, factor: 3, for: 9m, severity: page}]}",
         r"slo\.windows\[1\]: long, short and severity \(1h, 5m, page\) are those of slo\.windows\[0\]"),
        ("replicaCount: 1", ", alerts: {credentialExpiring: {withinSeconds: 43200}}",
         r"credentialExpiring\.withinSeconds: 43200 is not above credentialExpiringSoon\.withinSeconds, 43200"),
        ("replicaCount: 1", ", slo: {target: 93}", r"slo\.windows\[0\]\.factor: 14\.4 times .* Take less than 14\.29"),
        ("config: {dispatch: {max_hold_seconds: 600}}", "", r"alerts\.holdEndsSoon: config.dispatch.max_hold_seconds is 600, .* after 600 seconds"),
        ("config: {dispatch: {max_hold_seconds: 238}}", ", alerts: {holdEndsSoon: {for: 0m}}", r"alerts\.holdEndsSoon: config"),
        ("replicaCount: 1", ", selector: '{job=\"a\"}'", r'prometheusRule\.selector: \{job="a"\} are no labels'),
        ("replicaCount: 1", ", selector: job=a", r"prometheusRule\.selector: job=a are no labels"),
        ("replicaCount: 1", ", selector: job=Q", r"prometheusRule\.selector: job=Q are no labels"),
        ("replicaCount: 1", ", selector: 'job=\"a\",'", r"prometheusRule\.selector: .* are no labels"),
        ("replicaCount: 1", ", selector: 'job=\"a\" or job=\"b\"'", r"prometheusRule\.selector: .* are no labels"),
    )},
}
# What comes close to one of these and is taken.
TAKEN = (
    "image: {registry: 'localhost:5000/team/fax'}",
    "image: {registry: '[fd00::1]:5000'}",
    "image: {repository: 'registry.example.com:5000/fax__plus/gateway'}",
    "{global: {imageRegistry: 'https://a.example'}, image: {registry: a.example}}",
    "{sandbox: {enabled: true}, config: {store: {max_bytes: 536870912}}}",
    "{sandbox: {enabled: true}, config: {store: {max_bytes: 0}}}",
    "{persistence: {enabled: false, size: 1Gi}, config: {store: {max_bytes: 805306368}}}",
    "config: {store: {max_bytes: 0}}",
    "extraVolumeMounts: [{name: tmp, mountPath: /var/tmp}]",
    "serviceMonitor: {enabled: true, interval: 1m, scrapeTimeout: 60s}",
    "serviceMonitor: {interval: 5s}",
    """prometheusRule: {enabled: true, selector: 'job = "a, b",pod=~"gw-[0-9]{1}"'}""",
    "prometheusRule: {enabled: true, slo: {target: 93.1}}",
    "{config: {dispatch: {max_hold_seconds: 602}}, prometheusRule: {enabled: true}}",
    "{config: {dispatch: {max_hold_seconds: 240}}, prometheusRule: {enabled: true, alerts: {holdEndsSoon: {for: 0m}}}}",
    "{config: {dispatch: {max_hold_seconds: 60}}, prometheusRule: {enabled: true, alerts: {holdEndsSoon: {enabled: false}}}}",
    "httpRoute: {enabled: true, parentRefs: [{name: a}], timeouts: {request: 1m30s, backendRequest: 90s}}",
    "httpRoute: {enabled: true, parentRefs: [{name: a}], timeouts: {backendRequest: 90s}}",
    "service: {type: NodePort, externalTrafficPolicy: Local}",
    "{ipFamilies: [IPv4, IPv6], ipFamilyPolicy: PreferDualStack}",
    "credentials: {existingSecret: a, tokenKey: .a..b}",
    f"fullnameOverride: {52 * 'a'}",
    "networkPolicy: {metricsFrom: [{ipBlock: {cidr: 'fd00::/8', except: ['fd00:1::/32']}}], egress: [{}]}",
    "podSecurityContext: {seLinuxChangePolicy: MountOption, supplementalGroups: [1]}",
)
# Releases whose names make none that Kubernetes takes for a Service; with fullnameOverride they are taken.
BAD_RELEASES = ("1fax", "my.fax")
# Wrong values all at once: each must be told in the same answer.
TOGETHER = "{replicaCount: 3, ingress: {enabled: true}, config: {store: {path: a}}}"
TOGETHER_SAID = ["replicaCount", r"credentials\.existingSecret", "auth: nobody", r"ingress\.hosts", r"config\.store\.path"]


def refused(chart, values, added, pattern):
    """Both helms refuse `added` over `values`, and their words match."""
    for version in HELMS:
        where = f"{version} with {added}"
        try:
            template(chart=chart, version=version, more=sets(values) + sets(added))
        except HelmError as error:
            said = " ".join(str(error).split())
            if not re.search(pattern, said):
                raise Wrong(where, f"is refused, but nothing says {pattern!r}: {said}", "say it in _refusals.tpl or the schema") from error
            if "hush" in said:
                raise Wrong(where, "the refusal tells the secret", "leave the value out of the message") from error
            continue
        raise Wrong(where, "is taken", "refuse it, in values.schema.json or in _refusals.tpl")


def taken(chart, added):
    """Both helms take `added` over good values."""
    for version in HELMS:
        try:
            template(chart=chart, version=version, more=sets(GOOD) + sets(added))
        except HelmError as error:
            raise Wrong(f"{version} with {added}", f"is refused: {error}", "refuse no more than what can't be used") from error


def refused_release(chart, release):
    """Both helms refuse a release whose name can't be that of a Service, and take it with another one."""
    for version in HELMS:
        where, good = f"{version} with the release {release}", sets(GOOD)
        try:
            template(chart=chart, version=version, release=release, more=good)
        except HelmError as error:
            if not re.search(r"fullnameOverride: is needed", str(error)):
                raise Wrong(where, f"is refused in other words: {error}", "look at _refusals.tpl") from error
        else:
            raise Wrong(where, "is taken, and an API server would refuse its Services", "refuse it in _refusals.tpl")
        template(chart=chart, version=version, release=release, more=[*good, "--set", "fullnameOverride=fax"])


def refused_alias(chart):
    """The same of a parent chart that calls it by a name with capitals."""
    with tempfile.TemporaryDirectory() as directory:
        parent = parent_of(chart, pathlib.Path(directory), alias="Fax")
        for version in HELMS:
            told = {"sandbox": {"enabled": True}}
            try:
                template(json.dumps({"Fax": told}), chart=parent, version=version)
            except HelmError as error:
                if "fullnameOverride: is needed" not in str(error):
                    raise Wrong(f"{version} with the alias Fax", f"is refused in other words: {error}", "look at _refusals.tpl") from error
            else:
                raise Wrong(f"{version} with the alias Fax", "is taken", "refuse it in _refusals.tpl")
            template(json.dumps({"Fax": {**told, "fullnameOverride": "fax"}}), chart=parent, version=version)


def sets(values):
    """Values as arguments: `--set-json` of each key at the root, because it merges as values files do."""
    return [word for key, value in yaml.safe_load(values).items() for word in ("--set-json", f"{key}={json.dumps(value)}")]


def check(chart=CHART, only=""):
    """All wrong values, or those that have `only` in them."""
    cases = [(GOOD, added, pattern) for added, pattern in (BY_SCHEMA | BY_CHART).items()]
    cases += [("{}", TOGETHER, pattern) for pattern in TOGETHER_SAID]
    cases += [("{}", "{}", r"credentials\.existingSecret"), ("{}", "{}", r"auth\.existingSecret")]
    cases = [case for case in cases if only in case[1]]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        tried = [pool.submit(refused, chart, *case) for case in cases]
        tried += [pool.submit(refused_release, chart, release) for release in BAD_RELEASES if not only]
        tried += [pool.submit(refused_alias, chart)] if not only else []
        near = [pool.submit(taken, chart, added) for added in TAKEN if only in added]
        for one in tried + near:
            one.result()
    return f"{len(tried)} wrong values and names are refused by both helms, in words that say which; {len(near)} near them are taken"


if __name__ == "__main__":
    main(check)
