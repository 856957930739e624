{{/*
Rules of Prometheus: the alerts of files/rules/alerts.yaml with the values put in, and those of the service level.
*/}}

{{/* The labels that tell one gateway from the next. */}}
{{- define "faxplus-gateway.rules.instance" -}}
namespace, job, instance
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

{{/* What takes the gateways out that mail nobody. */}}
{{- define "faxplus-gateway.rules.real" -}}
on ({{ include "faxplus-gateway.rules.instance" . }}) faxplus_gateway_sandbox{ {{- include "faxplus-gateway.rules.selector" . -}} } == 1
{{- end }}

{{/* The key of an alert in the values. */}}
{{- define "faxplus-gateway.rules.key" -}}
{{ . | trimPrefix "FaxplusGateway" | untitle }}
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
{{- range (.Files.Get "files/rules/alerts.yaml" | fromYaml).groups }}
{{- $rules := list -}}
{{- range .rules -}}
{{- $settings := index $root.Values.prometheusRule.alerts (include "faxplus-gateway.rules.key" .alert) -}}
{{- if $settings.enabled -}}
{{- $words := merge (dict) $settings $common -}}
{{- $expr := .expr -}}
{{- if not $root.Values.prometheusRule.includeSandbox -}}
{{- $expr = printf "%s\n  unless %s" .expr (.sandbox | default (include "faxplus-gateway.rules.real" $root)) -}}
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
