{{/*
Rules of Prometheus: the alerts of files/rules/alerts.yaml with the values put in, and those of the service level.
*/}}

{{/* The labels that tell one gateway from the next. The instance is an address, which a replaced pod takes along. */}}
{{- define "faxplus-gateway.rules.instance" -}}
namespace, job, pod, instance
{{- end }}

{{/* Whether this release's series have a pod's name: a selector that asks for none may take two machines of one job. */}}
{{- define "faxplus-gateway.rules.inPods" -}}
{{- if regexMatch "\\bpod\\s*!?[=~]" (include "faxplus-gateway.rules.selector" .) -}}true{{- end -}}
{{- end }}

{{/* Those of the labels that outlast the pod. Without a pod's name, the instance is the gateway. */}}
{{- define "faxplus-gateway.rules.stable" -}}
namespace, job, pod
{{- if not (include "faxplus-gateway.rules.inPods" .) -}}, instance{{- end -}}
{{- end }}

{{/* The gateway's name in an alert's words. */}}
{{- define "faxplus-gateway.rules.gateway" -}}
{{- if include "faxplus-gateway.rules.inPods" . -}}
{{ "{{ $labels.namespace }}/{{ $labels.pod }}" }}
{{- else -}}
{{ "{{ or $labels.pod $labels.instance }}" }}
{{- end -}}
{{- end }}

{{/* How far back a gauge's last value is looked for. More than two of the longest intervals (_refusals_rules.tpl), so that
one failed scrape is bridged; less than the shortest `for` of a gauge's alert, so that one bad sample of a pod that then
goes never fires. */}}
{{- define "faxplus-gateway.rules.lookback" -}}
150s
{{- end }}

{{/* The labels of this release's series: the monitors' job is the chart's name, so the pod tells releases apart. */}}
{{- define "faxplus-gateway.rules.selector" -}}
{{- if .Values.prometheusRule.selector -}}
{{ tpl .Values.prometheusRule.selector . }}
{{- else -}}
{{- $job := include "faxplus-gateway.name" . -}}
{{- $pods := printf "%s-[0-9]+" (include "faxplus-gateway.fullname" .) -}}
namespace="{{ .Release.Namespace }}",job="{{ $job }}",pod=~"{{ $pods }}"
{{- end -}}
{{- end }}

{{/* What takes out the gateways that mail nobody, and did in all of the last hour; also when one has just gone. */}}
{{- define "faxplus-gateway.rules.real" -}}
{{- $selector := include "faxplus-gateway.rules.selector" . -}}
on ({{ include "faxplus-gateway.rules.instance" . }}) min_over_time(faxplus_gateway_sandbox{ {{- $selector -}} }[1h]) == 1
{{- end }}

{{/* The key of an alert in the values. */}}
{{- define "faxplus-gateway.rules.key" -}}
{{ . | trimPrefix "FaxplusGateway" | untitle }}
{{- end }}

{{/* Seconds of a duration. */}}
{{- define "faxplus-gateway.rules.seconds" -}}
{{- div (include "faxplus-gateway.milliseconds" . | int64) 1000 -}}
{{- end }}

{{/* A number of seconds in words, such as "12 hours". */}}
{{- define "faxplus-gateway.rules.inWords" -}}
{{- $seconds := int64 . -}}
{{- if and (ge $seconds 259200) (eq (mod $seconds 86400) 0) -}}
{{ div $seconds 86400 }} days
{{- else if and (ge $seconds 7200) (eq (mod $seconds 3600) 0) -}}
{{ div $seconds 3600 }} hours
{{- else if and (ge $seconds 120) (eq (mod $seconds 60) 0) -}}
{{ div $seconds 60 }} minutes
{{- else -}}
{{ $seconds }} seconds
{{- end -}}
{{- end }}

{{/* The longest hold, in seconds. */}}
{{- define "faxplus-gateway.rules.maxHold" -}}
{{- (include "faxplus-gateway.settingsInForce" . | fromJson).dispatch.max_hold_seconds | int64 -}}
{{- end }}

{{/* Whether there is to be a gateway whose absence matters: a sandbox has no past that could tell. */}}
{{- define "faxplus-gateway.rules.running" -}}
{{- if and .Values.replicaCount (or .Values.prometheusRule.includeSandbox (not .Values.sandbox.enabled)) -}}true{{- end -}}
{{- end }}

{{/* The bound of the store; 0 when it has none. */}}
{{- define "faxplus-gateway.rules.maxBytes" -}}
{{- (include "faxplus-gateway.settingsInForce" . | fromJson).store.max_bytes | int64 -}}
{{- end }}

{{/* Thresholds that follow the gateway's settings where the values have null, by alert, as YAML. */}}
{{- define "faxplus-gateway.rules.bytes" -}}
{{- $reserve := (include "faxplus-gateway.settingsInForce" . | fromJson).store.reserve_bytes | int64 -}}
diskLow: "{{ max (div (mul 3 $reserve) 2) 67108864 }}"
diskFilling: "{{ $reserve }}"
{{- end }}

{{/*
What NOTES.txt warns of: a paragraph for each, nothing when all is well. With a hold no longer than the wait, the path
of fax.plus answers 503 for what fax.plus did not take, which would count as the gateway's own errors.
*/}}
{{- define "faxplus-gateway.rules.warnings" -}}
{{- $rules := .Values.prometheusRule -}}
{{- $hold := include "faxplus-gateway.rules.maxHold" . | int64 -}}
{{- $wait := (include "faxplus-gateway.settingsInForce" . | fromJson).compat.wait_seconds | int64 -}}
{{- if and $rules.enabled $rules.slo.enabled (le $hold $wait) }}
WARNING: config.dispatch.max_hold_seconds ({{ $hold }}) is not above config.compat.wait_seconds ({{ $wait }}), so the path
of fax.plus answers 503 when fax.plus is down. FaxplusGatewayErrorBudgetBurn takes that for the gateway's own error.
{{ end }}
{{- if and $rules.enabled (not (regexMatch "^https?://" (tpl $rules.runbookUrl .))) }}
NOTE: prometheusRule.runbookUrl is no URL, so the links of the alerts lead nowhere. Set it to where you keep RUNBOOK.md.
{{ end }}
{{- end }}

{{/* A text with its ${words} and ${in words} filled in: takes text and words. */}}
{{- define "faxplus-gateway.rules.fill" -}}
{{- $text := .text -}}
{{- range $word, $value := .words -}}
{{- $plain := kindIs "string" $value | ternary $value (toJson $value) -}}
{{- $text = $text | replace (printf "${%s}" $word) $plain -}}
{{- if contains (printf "${in %s}" $word) $text -}}
{{- $text = $text | replace (printf "${in %s}" $word) (include "faxplus-gateway.rules.inWords" $value) -}}
{{- end -}}
{{- end -}}
{{- if contains "${" $text -}}
{{- fail (printf "prometheusRule: a value is missing in %q" $text) -}}
{{- end -}}
{{ $text }}
{{- end }}

{{/* One alert: takes root, alert (its name), expr, summary, description, settings (severity, for), labels. */}}
{{- define "faxplus-gateway.rules.alert" -}}
{{- $values := .root.Values.prometheusRule -}}
alert: {{ .alert }}
expr: |-
  {{- .expr | nindent 2 }}
for: {{ .settings.for | quote }}
labels:
  {{- $own := dict "severity" .settings.severity "gateway" (include "faxplus-gateway.slo.release" .root) -}}
  {{- merge $own .labels $values.alertLabels | include "faxplus-gateway.kept" | nindent 2 }}
annotations:
  {{- $link := printf "%s#%s" (tpl $values.runbookUrl .root) (lower .alert) -}}
  {{- $texts := dict "summary" .summary "description" .description "runbook_url" $link -}}
  {{- merge $texts $values.alertAnnotations | include "faxplus-gateway.kept" | nindent 2 }}
{{- end }}

{{/* The words that all alerts have in common, as YAML. */}}
{{- define "faxplus-gateway.rules.words" -}}
{{- range $word := list "selector" "instance" "stable" "gateway" "lookback" "maxBytes" }}
{{ $word }}: {{ include (printf "faxplus-gateway.rules.%s" $word) $ | quote }}
{{- end }}
{{- $hold := include "faxplus-gateway.rules.maxHold" . | int64 }}
{{- $lookback := include "faxplus-gateway.rules.seconds" (include "faxplus-gateway.rules.lookback" .) | int64 }}
maxHoldSeconds: {{ $hold }}
# So old is a resend at the last scrape before it is given up.
heldSeconds: {{ max 0 (sub $hold $lookback) }}
{{- $alerts := .Values.prometheusRule.alerts }}
endsSeconds: {{ max 1 (mulf $hold $alerts.holdEndsSoon.share | int64) }}
# Nobody takes over from an alert that is not made; one that is made does so when it fires.
{{- with $alerts.credentialExpiringSoon }}
{{- $until := include "faxplus-gateway.rules.seconds" .for | int64 | sub (int64 .withinSeconds) }}
until: {{ .enabled | ternary (printf " >= %d" $until) "" | quote }}
{{- end }}
{{- end }}

{{/* The words made of an alert's own settings: takes root and settings; as YAML. */}}
{{- define "faxplus-gateway.rules.ownWords" -}}
{{- with .settings.window }}
{{- $seconds := include "faxplus-gateway.rules.seconds" . | int64 }}
{{- $quiet := add $seconds $.root.Values.terminationGracePeriodSeconds }}
windowSeconds: {{ $seconds }}
quietSeconds: {{ $quiet }}
{{- with $.settings.share }}
quietShare: {{ round (subf 1 (divf (mulf (subf 1 .) $seconds) $quiet)) 4 }}
{{- end }}
{{- end }}
{{- end }}

{{/* The groups of the cause alerts. */}}
{{- define "faxplus-gateway.rules.causes" -}}
{{- $root := . -}}
{{- $common := include "faxplus-gateway.rules.words" . | fromYaml -}}
{{- $bytes := include "faxplus-gateway.rules.bytes" . | fromYaml -}}
{{- $when := dict "running" (eq (include "faxplus-gateway.rules.running" .) "true") "bounded" (ne $common.maxBytes "0") -}}
{{- $file := .Files.Get "files/rules/alerts.yaml" | fromYaml -}}
{{- range $file.groups }}
{{- $rules := list -}}
{{- range .rules -}}
{{- $key := include "faxplus-gateway.rules.key" .alert -}}
{{- $settings := index $root.Values.prometheusRule.alerts $key -}}
{{- if and $settings.enabled (or (not .only) (get $when (.only | default ""))) -}}
{{- $words := merge (dict) $settings $common -}}
{{- with get $bytes $key -}}
{{- $_ := set $words "bytes" ($settings.bytes | default .) -}}
{{- end -}}
{{- $words = include "faxplus-gateway.rules.ownWords" (dict "root" $root "settings" $settings) | fromYaml | merge $words -}}
{{- $expr := .expr -}}
{{- if not $root.Values.prometheusRule.includeSandbox -}}
{{- $real := .sandbox | default (include "faxplus-gateway.rules.real" $root) -}}
{{- $expr = printf "(\n%s\n)\n  unless %s" ($expr | indent 2) $real -}}
{{- end -}}
{{- range $phrase, $text := $file.phrases -}}
{{- $expr = $expr | replace (printf "${%s}" $phrase) $text -}}
{{- end -}}
{{- $rule := dict "root" $root "alert" .alert "settings" $settings "labels" (dict) -}}
{{- range $part, $text := dict "expr" $expr "summary" .summary "description" .description -}}
{{- $_ := set $rule $part (include "faxplus-gateway.rules.fill" (dict "text" $text "words" $words)) -}}
{{- end -}}
{{- $rules = append $rules (include "faxplus-gateway.rules.alert" $rule) -}}
{{- end -}}
{{- end }}
{{- if $rules }}
- name: faxplus-gateway-{{ .name }}
  rules:
    {{- range $rules }}
    - {{ . | nindent 6 | trim }}
    {{- end }}
{{- end }}
{{- end }}
{{- end }}
