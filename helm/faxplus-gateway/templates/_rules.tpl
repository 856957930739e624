{{/*
Rules of Prometheus: the alerts of files/rules/alerts.yaml with the values put in, and those of the service level.
*/}}

{{/* The labels that tell one gateway from the next. The instance is an address, which a replaced pod takes along. */}}
{{- define "faxplus-gateway.rules.instance" -}}
namespace, job, pod, instance
{{- end }}

{{/* Those of them that outlast the pod. Where nobody gives a pod's name, the job is the gateway. */}}
{{- define "faxplus-gateway.rules.stable" -}}
namespace, job, pod
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

{{/* What takes the gateways out that mail nobody; for the windows' sake also when one has just gone. */}}
{{- define "faxplus-gateway.rules.real" -}}
{{- $selector := include "faxplus-gateway.rules.selector" . -}}
on ({{ include "faxplus-gateway.rules.instance" . }}) max_over_time(faxplus_gateway_sandbox{ {{- $selector -}} }[1h]) == 1
{{- end }}

{{/* The key of an alert in the values. */}}
{{- define "faxplus-gateway.rules.key" -}}
{{ . | trimPrefix "FaxplusGateway" | untitle }}
{{- end }}

{{/* Seconds of one of Prometheus' durations. */}}
{{- define "faxplus-gateway.rules.seconds" -}}
{{- $unit := dict "s" 1 "m" 60 "h" 3600 "d" 86400 "w" 604800 -}}
{{- mul (regexFind "^[0-9]+" . | int64) (get $unit (regexFind "[smhdw]$" .) | int64) -}}
{{- end }}

{{/* The bound of the store, with what the chart suggests; 0 when it has none. */}}
{{- define "faxplus-gateway.rules.maxBytes" -}}
{{- $suggested := include "faxplus-gateway.suggestedSettings" . | fromYaml -}}
{{- $store := mergeOverwrite ($suggested.store | default dict) ((.Values.config | default dict).store | default dict) -}}
{{- $store.max_bytes | default 0 | int64 -}}
{{- end }}

{{/* Thresholds that follow the gateway's settings where the values have null, by alert, as YAML. */}}
{{- define "faxplus-gateway.rules.bytes" -}}
{{- $store := (.Values.config | default dict).store | default dict -}}
{{- $reserve := hasKey $store "reserve_bytes" | ternary $store.reserve_bytes 268435456 | int64 -}}
diskLow: "{{ max (div (mul 3 $reserve) 2) 67108864 }}"
diskFilling: "{{ $reserve }}"
{{- end }}

{{/*
What NOTES.txt warns of: a paragraph for each, nothing when all is well. With a hold shorter than the wait, the path of
fax.plus answers 503 for what fax.plus did not take, which would count as the gateway's own errors.
*/}}
{{- define "faxplus-gateway.rules.warnings" -}}
{{- $rules := .Values.prometheusRule -}}
{{- $config := .Values.config | default dict -}}
{{- $hold := ($config.dispatch | default dict).max_hold_seconds | default 86400 | int64 -}}
{{- $wait := ($config.compat | default dict).wait_seconds | default 50 | int64 -}}
{{- if and $rules.enabled $rules.slo.enabled (lt $hold $wait) }}
WARNING: config.dispatch.max_hold_seconds ({{ $hold }}) is below config.compat.wait_seconds ({{ $wait }}), so the path of
fax.plus answers 503 when fax.plus is down. FaxplusGatewayErrorBudgetBurn takes that for the gateway's own error.
{{ end }}
{{- if and $rules.enabled (not (regexMatch "^https?://" (tpl $rules.runbookUrl .))) }}
NOTE: prometheusRule.runbookUrl is no URL, so the links of the alerts lead nowhere. Set it to where you keep RUNBOOK.md.
{{ end }}
{{- end }}

{{/* A text with its ${words} filled in: takes text and words. */}}
{{- define "faxplus-gateway.rules.fill" -}}
{{- $text := .text -}}
{{- range $word, $value := .words -}}
{{- $plain := kindIs "string" $value | ternary $value (toJson $value) -}}
{{- $text = $text | replace (printf "${%s}" $word) $plain -}}
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
  {{- merge (dict "severity" .settings.severity) .labels $values.alertLabels | toYaml | nindent 2 }}
annotations:
  {{- $link := printf "%s#%s" (tpl $values.runbookUrl .root) (lower .alert) -}}
  {{- $texts := dict "summary" .summary "description" .description "runbook_url" $link -}}
  {{- merge $texts $values.alertAnnotations | toYaml | nindent 2 }}
{{- end }}

{{/* The groups of the cause alerts. */}}
{{- define "faxplus-gateway.rules.causes" -}}
{{- $root := . -}}
{{- $common := dict "selector" (include "faxplus-gateway.rules.selector" .) -}}
{{- $_ := set $common "instance" (include "faxplus-gateway.rules.instance" .) -}}
{{- $_ := set $common "stable" (include "faxplus-gateway.rules.stable" .) -}}
{{- $_ := set $common "gateway" "{{ or $labels.pod $labels.instance }}" -}}
{{- $_ := set $common "maxBytes" (include "faxplus-gateway.rules.maxBytes" .) -}}
{{- $bytes := include "faxplus-gateway.rules.bytes" . | fromYaml -}}
{{- $when := dict "running" (gt (int .Values.replicaCount) 0) "bounded" (ne $common.maxBytes "0") -}}
{{- range (.Files.Get "files/rules/alerts.yaml" | fromYaml).groups }}
{{- $rules := list -}}
{{- range .rules -}}
{{- $key := include "faxplus-gateway.rules.key" .alert -}}
{{- $settings := index $root.Values.prometheusRule.alerts $key -}}
{{- if and $settings.enabled (or (not .only) (get $when (.only | default ""))) -}}
{{- $words := merge (dict) $settings $common -}}
{{- with get $bytes $key -}}
{{- $_ := set $words "bytes" ($settings.bytes | default .) -}}
{{- end -}}
{{- with $settings.window -}}
{{- $seconds := include "faxplus-gateway.rules.seconds" . | int64 -}}
{{- $_ := set $words "windowSeconds" $seconds -}}
{{- $_ := set $words "quietSeconds" (add $seconds $root.Values.terminationGracePeriodSeconds) -}}
{{- end -}}
{{- $expr := .expr -}}
{{- if not $root.Values.prometheusRule.includeSandbox -}}
{{- $expr = printf "(\n%s\n)\n  unless %s" (.expr | indent 2) (.sandbox | default (include "faxplus-gateway.rules.real" $root)) -}}
{{- end -}}
{{- $rule := dict "root" $root "alert" .alert "settings" $settings "labels" (dict) -}}
{{- $_ := set $rule "expr" (include "faxplus-gateway.rules.fill" (dict "text" $expr "words" $words)) -}}
{{- $_ := set $rule "summary" (include "faxplus-gateway.rules.fill" (dict "text" .summary "words" $words)) -}}
{{- $_ := set $rule "description" (include "faxplus-gateway.rules.fill" (dict "text" .description "words" $words)) -}}
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
