{{/*
The service level: recording rules for each window, and an alert for each pair of windows that burns the error budget
too fast. What counts stands in files/rules/service-level.yaml.
*/}}

{{/* Requests of some matchers within a window: takes root, matchers, window. */}}
{{- define "faxplus-gateway.slo.count" -}}
{{- $selector := include "faxplus-gateway.rules.selector" .root -}}
{{- $window := .window -}}
{{- $parts := list -}}
{{- range .matchers -}}
{{- $parts = append $parts (printf "increase(faxplus_gateway_http_requests_total{%s,%s}[%s])" $selector . $window) -}}
{{- end -}}
{{- $sum := join "\n    or\n  " $parts -}}
{{- if not .root.Values.prometheusRule.includeSandbox -}}
{{- $instance := include "faxplus-gateway.rules.instance" .root -}}
{{- $simulated := printf "min_over_time(faxplus_gateway_sandbox{%s}[%s]) == 1" $selector $window -}}
{{- $sum = printf "(%s)\n    unless on (%s) %s" $sum $instance $simulated -}}
{{- end -}}
sum by (namespace, job) (
  {{ $sum }}
)
{{- end }}

{{/* The label that tells this release's records from those of others. */}}
{{- define "faxplus-gateway.slo.release" -}}
{{ .Release.Namespace }}/{{ include "faxplus-gateway.fullname" . }}
{{- end }}

{{/* The groups of the service level. */}}
{{- define "faxplus-gateway.slo.groups" -}}
{{- $root := . -}}
{{- $slo := .Values.prometheusRule.slo -}}
{{- $release := include "faxplus-gateway.slo.release" . -}}
{{- $burn := (.Files.Get "files/rules/service-level.yaml" | fromYaml).burn -}}
{{- $indicators := (.Files.Get "files/rules/service-level.yaml" | fromYaml).indicators -}}
{{- $windows := list -}}
{{- range $slo.windows -}}
{{- $windows = concat $windows (list .long .short) -}}
{{- end -}}
- name: faxplus-gateway-service-level
  rules:
    {{- range $window := uniq $windows }}
    {{- range $name, $indicator := $indicators }}
    {{- $of := dict "root" $root "window" $window }}
    {{- $requests := include "faxplus-gateway.slo.count" (set $of "matchers" $indicator.requests) }}
    {{- $errors := include "faxplus-gateway.slo.count" (set $of "matchers" $indicator.errors) }}
    - record: faxplus_gateway:slo_requests:increase{{ $window }}
      expr: |-
        {{- $requests | nindent 8 }}
      labels:
        gateway: {{ $release }}
        slo: {{ $name }}
    - record: faxplus_gateway:slo_errors:increase{{ $window }}
      expr: |-
        {{- printf "%s\nor 0 * %s" $errors $requests | nindent 8 }}
      labels:
        gateway: {{ $release }}
        slo: {{ $name }}
    {{- end }}
    - record: faxplus_gateway:slo_errors:ratio{{ $window }}
      expr: |-
        faxplus_gateway:slo_errors:increase{{ $window }}{gateway="{{ $release }}"}
          / (faxplus_gateway:slo_requests:increase{{ $window }}{gateway="{{ $release }}"} > 0)
    {{- end }}
- name: faxplus-gateway-error-budget
  rules:
    {{- range $slo.windows }}
    {{- $words := dict "release" $release "long" .long "short" .short "factor" .factor -}}
    {{- $words = merge $words (dict "target" $slo.target "minErrors" $slo.minErrors) -}}
    {{- $rule := dict "root" $root "alert" $burn.alert "settings" . -}}
    {{- $_ := set $rule "labels" (dict "long_window" .long "short_window" .short) -}}
    {{- range $part := list "expr" "summary" "description" -}}
    {{- $text := dict "words" $words "text" (get $burn $part) -}}
    {{- $_ := set $rule $part (include "faxplus-gateway.rules.fill" $text) -}}
    {{- end }}
    - {{ include "faxplus-gateway.rules.alert" $rule | nindent 6 | trim }}
    {{- end }}
{{- end }}
