"""The checks can fail: each of these mistakes is made in a copy of the chart, and must be found, by the check that is there
for it and in words that name it. Takes the path of the program, as check_program does."""

import concurrent.futures
import pathlib
import re
import shutil
import tempfile

import check_any_values
import check_empty
import check_notes
import check_program
import check_refusals
import check_render
import check_values
import documents
from common import CHART, KUBERNETES, Wrong, main

POD, STATEFULSET, POLICY = "templates/_pod.tpl", "templates/statefulset.yaml", "templates/networkpolicy.yaml"
PARTS = "templates/_refusals_parts.tpl"
VALUES, SCHEMA, SETTINGS = "values.yaml", "values.schema.json", "templates/_settings.tpl"


def render(name):
    return lambda chart: check_render.look_at(chart, chart / "ci" / f"{name}.yaml", KUBERNETES[-1])


def only(module, part):
    return lambda chart: module.check(chart, part)


EVERYTHING, PRODUCTION, CLAIM, PART = (render(name) for name in ("everything", "production", "existing-claim", "under-a-parent"))

# The check, the file, what is replaced, by what, and a pattern of what is to be said.
MISTAKES = [
    (documents.check, VALUES, "  # Its port; the pod listens on 9090.\n", "", "adminService.port has no comment"),
    (documents.check, VALUES, "replicaCount: 1", "replicaCount: 0", "is behind"),
    (documents.check, "templates/_default_settings.tpl", "max_hold_seconds: 86400", "max_hold_seconds: 3600", "is behind"),
    (documents.check, SCHEMA, '"replicaCount"', '"replicas"', "does not know replicaCount"),
    (documents.check, "Chart.yaml", "appVersion: ", "appVersion: 9", "appVersion is 9"),
    (PRODUCTION, STATEFULSET, "  replicas:", "  replica:", r"\breplica\b.* unexpected|unexpected.*\breplica\b"),
    (PRODUCTION, "templates/servicemonitor.yaml", "  endpoints:", "  endpoint:", "endpoint"),
    (EVERYTHING, "templates/httproute.yaml", "- backendRefs:", "- backends:", "backends"),
    (PRODUCTION, "templates/pdb.yaml", "policy/v1", "policy/v1beta1", "is not in Kubernetes"),
    (PRODUCTION, "templates/service.yaml", "  selector:", "  selector: {}\n  selector:", "stands twice"),
    (PRODUCTION, VALUES, "    type: RuntimeDefault", "    type: Unconfined", "seccompProfile"),
    (PRODUCTION, VALUES, "  allowPrivilegeEscalation: false", "  allowPrivilegeEscalation: true", "allowPrivilegeEscalation"),
    (PRODUCTION, VALUES, "    drop: [ALL]", "    drop: [NET_RAW]", "drop ALL"),
    (PRODUCTION, VALUES, "  runAsNonRoot: true", "  runAsNonRoot: false", "runAsNonRoot"),
    (PRODUCTION, VALUES, "  runAsUser: 65532", "  runAsUser: 0", "runs as root"),
    (PRODUCTION, POD, "      emptyDir:\n        sizeLimit: 64Mi", "      hostPath:\n        path: /tmp", "hostPath"),
    (PRODUCTION, "templates/tests/probe.yaml", "\"faxplus-gateway.kept\" .Values.podSecurityContext", "\"faxplus-gateway.kept\" .Values.nodeSelector", "Pod/.*runAsNonRoot"),
    (PRODUCTION, VALUES, "  readOnlyRootFilesystem: true", "  readOnlyRootFilesystem: false", "root can be written"),
    (PRODUCTION, "templates/service.yaml", "targetPort: http", "targetPort: https", "no port https"),
    (PRODUCTION, "templates/service-admin.yaml", '"ClusterIP"', '"LoadBalancer"', "must stay inside"),
    (PRODUCTION, "templates/service.yaml", '"faxplus-gateway.selectorLabels" $', '"faxplus-gateway.testLabels" $', "does not select the gateway"),
    (PRODUCTION, "templates/tests/_labels.tpl", '"%s-test"', '"%s"', "does not select the gateway's pods alone"),
    (PRODUCTION, "templates/service-headless.yaml", '"headless" "suffix"', '"admin" "suffix"', "selects 2 Services"),
    (PRODUCTION, "templates/pdb.yaml", "maxUnavailable: ", "minAvailable: ", "blocks every drain"),
    (PRODUCTION, POLICY, "          port: admin\n      from:", "          port: metrics\n      from:", "no such port"),
    (PRODUCTION, POLICY, "      from:\n        {{- toYaml . | nindent 8 }}\n", "", "without peers"),
    (PRODUCTION, POLICY, "if $.Values.tests.enabled }}", "if false }}", "keeps the test pods out"),
    (PRODUCTION, POLICY, "port: 53", "port: 54", "DNS"),
    (PART, "templates/_helpers.tpl", "with uniq $secrets", "with $secrets", "imagePullSecrets: .*'mirror'.* stands there twice"),
    (PRODUCTION, POD, "        - name: admin\n", "        - name: http\n", "ports: .*'http'.* stands there twice"),
    (CLAIM, "templates/ingress.yaml", 'name: {{ include "faxplus-gateway.fullname" $ | quote }}',
     'name: {{ include "faxplus-gateway.fullname" $ }}-admin', "has no port"),
    (CLAIM, "templates/podmonitor.yaml", '"faxplus-gateway.selectorLabels" $', '"faxplus-gateway.testLabels" $', "does not select"),
    (EVERYTHING, STATEFULSET, '(include "faxplus-gateway.selectorLabels" $ | fromYaml) (.labels | default dict)',
     '(include "faxplus-gateway.labels" (dict "root" $ "component" "store") | fromYaml) .labels', "could not be installed"),
    (EVERYTHING, POD, "        - name: tmp\n          mountPath: /tmp\n", "", "are not the mounts"),
    (EVERYTHING, POD, "          mountPath: /etc/faxplus-gateway/clients\n", "          mountPath: /etc/faxplus-gateway/clients\n          subPath: clients.toml\n", "never read again"),
    (EVERYTHING, POD, "  automountServiceAccountToken: false\n", "", "token of the API server"),
    (EVERYTHING, POD, '"checksum/config"', '"checksum/setting"', "would not restart"),
    (EVERYTHING, POD, "path: /livez", "path: /readyz", "liveness depends"),
    (EVERYTHING, "templates/tests/probe.yaml", "%s-admin.%s.svc", "%s-metrics.%s.svc", "where nobody is"),
    (EVERYTHING, "templates/tests/probe.yaml", 'pick (.Values.affinity | default dict) "nodeAffinity"', ".Values.affinity", "and that alone"),
    (EVERYTHING, "templates/tests/probe.yaml", "  runtimeClassName: {{ . | quote }}\n", "", "runtimeClassName is not the gateway's"),
    (PRODUCTION, "templates/tests/probe.yaml", "  priorityClassName: {{ . | quote }}\n", "", "priorityClassName is not the gateway's"),
    (EVERYTHING, "templates/tests/probe.yaml", '"helm.sh/hook" "test"', '"helm.sh/hooks" "test"', "is no test"),
    (only(check_empty, "commonLabels"), "templates/_helpers.tpl", "(.root.Values.commonLabels | default dict)", ".root.Values.commonLabels", "commonLabels.*error"),
    (only(check_empty, "podAnnotations"), "templates/NOTES.txt", "(.Values.podAnnotations | default dict)", ".Values.podAnnotations", "yaml with podAnnotations empty"),
    (only(check_empty, "service.port"), "templates/_required.tpl", "service.port\n", "", "service.port is empty, and nothing says so"),
    (only(check_empty, "config"), SETTINGS, '(include "faxplus-gateway.config" . | fromJson) $made', "(deepCopy .Values.config) $made", "config empty|config.*error"),
    (check_empty.check_overlays, POD, 'with include "faxplus-gateway.kept" .Values.nodeSelector | fromYaml', "with .Values.nodeSelector", r"leaves something:.*\+ taken-away: null"),
    (check_empty.check_overlays, SCHEMA, '        "type": [\n          "string",\n          "null"\n        ]\n', '        "type": "string"\n', "commonLabels.taken-away: .*given: null"),
    (check_render.check_numbers, "templates/_monitor.tpl", "{{ int64 . }}", "{{ . }}", r"has 'sampleLimit: 1e\+08'"),
    (check_render.check_class, STATEFULSET, 'eq . "-" | ternary "" . | quote', ". | quote", r"storageClass='-' makes \['-'\]"),
    (check_notes.check, "templates/NOTES.txt", ' "rules.warnings"', "", "does not say 'runbookUrl is no URL'"),
    (check_notes.check, "templates/_warnings.tpl", "(?i)", "", "does not say 'the gateway knows no proxy"),
    (check_notes.check, "templates/_warnings.tpl", "(mul 1000 $wait)", "$wait", "does not say 'httpRoute.timeouts.request"),
    (check_notes.check, "templates/_warnings.tpl", "(not $elsewhere.metricsFrom)", "true", "says .*metricsFrom"),
    (check_notes.check, "ci/production.yaml", "  runbookUrl:", "  includeSandbox: false #", "ci/production.yaml says 'NOTE: prometheusRule.runbookUrl"),
    (check_notes.check, "templates/NOTES.txt", "gt (mul 2 $timeout) $drain", "gt $timeout $drain", "may take 31 s"),
    (documents.check, "README.md", "--set sandbox.enabled=true", "--set sandbox.enable=true", "a command of a README"),
    (documents.check, "README.md", "[RUNBOOK.md](RUNBOOK.md)", "[RUNBOOK.md](../RUNBOOK.md)", "not in the package"),
    (only(check_refusals, "existingClaim"), "templates/_refusals.tpl", "(not .Values.persistence.enabled) -}}\n{{- $wrong = append $wrong \"persistence.existingClaim", "false -}}\n{{- $wrong = append $wrong \"persistence.existingClaim", "is taken"),
    (only(check_refusals, "scrapeTimeout: 60s"), PARTS, "(gt $timeout $interval)", "(ge $timeout $interval)", "is refused: "),
    (only(check_refusals, "60001ms"), "templates/_helpers.tpl", '"ms" 1 ', '"ms" 0 ', "is taken"),
    (only(check_refusals, "mountPath: /tmp/"), PARTS, '| trimSuffix "/"', "", "is taken"),
    (only(check_refusals, "max_bytes: 805306369"), PARTS, "(gt $bound $room)", "false", "is taken"),
    (only(check_refusals, "/8}, podSelector"), "templates/_refusals_lists.tpl", '(hasKey . "podSelector")', "false", "is taken"),
    (only(check_refusals, "hostAliases: [{ip"), "templates/_refusals_lists.tpl", "has $told $there", "false", "is taken"),
    (only(check_values, "replicaCount"), STATEFULSET, ".Values.replicaCount", ".Values.replicas", "reads .Values.replicas"),
    (only(check_values, "pdb.maxUnavailable"), "templates/pdb.yaml", "{{ toJson .maxUnavailable }}", "1", r"pdb\.maxUnavailable.*changes nothing"),
    (only(check_refusals, "existingSecret: ''"), "templates/_refusals.tpl", "(not $credentials.existingSecret)", "false", "is taken|nothing says"),
    (only(check_refusals, "{token: hush}"), SETTINGS, "credentials.token: secrets", "credentials.tokens: secrets", "config: {credentials: {token: hush}}.*is taken"),
    (only(check_any_values, "config."), SETTINGS, "(toJson $value)", "(quote $value)", "arrives as|is not TOML"),
    (only(check_any_values, "priorityClassName"), POD, "priorityClassName: {{ . | quote }}", "priorityClassName: {{ . }}", "priorityClassName"),
    (check_program.check, "templates/_helpers.tpl", "terminationGracePeriodSeconds 15", "terminationGracePeriodSeconds 5", "the kubelet kills"),
    (check_program.check, SETTINGS, "  allow_anonymous: true", "  mode: none", "check-config ends with 78"),
    (check_program.check, SETTINGS, '"%s:9090"', '"%s:9091"', "the pod's port 9090"),
    (check_program.check, POD, "- --sandbox", "- --sandboxed", "does not start"),
    (check_program.check, "README.md", "s/^    //p", "s/^  //p", "recipe ends with"),
    (check_program.check, "templates/tests/probe.yaml", "/openapi.json", "/openapi.yaml", "/openapi.yaml on the http port"),
]


def found(mistake):
    """Whether the mistake is found."""
    check, file, old, new, pattern = mistake
    with tempfile.TemporaryDirectory() as directory:
        chart = pathlib.Path(directory) / "faxplus-gateway"
        shutil.copytree(CHART, chart)
        text = (chart / file).read_text()
        if old not in text:
            raise Wrong(f"check_checks.py, {file}", f"{old!r} is not there any more", "make the mistake of today's text")
        (chart / file).write_text(text.replace(old, new))
        try:
            check(chart)
        except Wrong as wrong:
            said = " ".join(str(wrong).split())
            if re.search(pattern, said):
                return
            raise Wrong(f"{file} with {new!r}", f"is found wrong, but for another reason: {said}", "look at the check") from wrong
    raise Wrong(f"{file} with {new!r} for {old!r}", "no check finds it", "a check has stopped looking")


def check():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(found, mistake) for mistake in MISTAKES]:
            one.result()
    return f"{len(MISTAKES)} mistakes are found, each by its check"


if __name__ == "__main__":
    main(check)
