{{/*
Values of the monitors and the rules that would render, and make alerts that never fire, or always do. One line for each.
*/}}

{{- define "faxplus-gateway.refuse.rules" -}}
{{- $rules := .Values.prometheusRule -}}
{{- range $key := list "serviceMonitor" "podMonitor" -}}
{{- $monitor := index $.Values $key -}}
{{- $interval := include "faxplus-gateway.milliseconds" $monitor.interval | int64 -}}
{{- if and $monitor.enabled (lt $interval 1000) }}
{{ $key }}.interval: {{ $monitor.interval }} would scrape more than once a second. Take 1s or more
{{- end }}
{{- if and $monitor.enabled $rules.enabled }}
{{- if gt $interval 60000 }}
{{ $key }}.interval: {{ $monitor.interval }} is too long for the alerts: after {{ include "faxplus-gateway.rules.lookback" $ }} without a sample they know nothing, and one failed scrape would clear them. Take 60s or less, or set prometheusRule.enabled=false
{{- else }}
{{- range $name, $settings := $rules.alerts }}
{{- if $settings.enabled }}
{{- with $settings.window }}
{{- include "faxplus-gateway.refuse.window" (dict "place" (printf "prometheusRule.alerts.%s.window" $name) "window" . "key" $key "monitor" $monitor) }}
{{- end }}
{{- with $settings.seconds }}
{{- include "faxplus-gateway.refuse.window" (dict "place" (printf "prometheusRule.alerts.%s.seconds" $name) "window" (printf "%ds" (int64 .)) "key" $key "monitor" $monitor) }}
{{- end }}
{{- end }}
{{- end }}
{{- if $rules.slo.enabled }}
{{- range $number, $pair := $rules.slo.windows }}
{{- range $which := list "long" "short" }}
{{- include "faxplus-gateway.refuse.window" (dict "place" (printf "prometheusRule.slo.windows[%d].%s" $number $which) "window" (index $pair $which) "key" $key "monitor" $monitor) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if $rules.enabled }}
{{- if $rules.slo.enabled }}
{{- $known := dict }}
{{- range $number, $pair := $rules.slo.windows }}
{{- if ge (include "faxplus-gateway.milliseconds" .short | int64) (include "faxplus-gateway.milliseconds" .long | int64) }}
prometheusRule.slo.windows[{{ $number }}].short: {{ .short }} is not shorter than long, {{ .long }}. The short window is there to end the alert soon after
{{- end }}
{{- $same := printf "%s, %s, %s" .long .short .severity }}
{{- if hasKey $known $same }}
prometheusRule.slo.windows[{{ $number }}]: long, short and severity ({{ $same }}) are those of slo.windows[{{ get $known $same }}], so both would be the same alert. Change one of them, or take one out
{{- end }}
{{- $_ := set $known $same (printf "%d" $number) }}
{{- $burnt := divf (mulf .factor (subf 100 $rules.slo.target)) 100 }}
{{- if ge $burnt 1.0 }}
prometheusRule.slo.windows[{{ $number }}].factor: {{ toJson .factor }} times what an objective of {{ $rules.slo.target }} % allows is every request and more, so the alert could never fire. Take less than {{ round (divf 100 (subf 100 $rules.slo.target)) 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- with $rules.alerts }}
{{- if and .credentialExpiring.enabled .credentialExpiringSoon.enabled (ge (float64 .credentialExpiringSoon.withinSeconds) (float64 .credentialExpiring.withinSeconds)) }}
prometheusRule.alerts.credentialExpiring.withinSeconds: {{ int64 .credentialExpiring.withinSeconds }} is not above credentialExpiringSoon.withinSeconds, {{ int64 .credentialExpiringSoon.withinSeconds }}, which takes over from it, so the alert could never fire. Take more, or set prometheusRule.alerts.credentialExpiring.enabled=false
{{- end }}
{{- end }}
{{- with $rules.alerts.holdEndsSoon }}
{{- $hold := include "faxplus-gateway.rules.maxHold" $ | int64 }}
{{- $share := mulf $hold .share | int64 }}
{{- $told := include "faxplus-gateway.rules.seconds" .for | int64 | add $share }}
{{- if and .enabled (or (lt $share 120) (ge $told $hold)) }}
prometheusRule.alerts.holdEndsSoon: config.dispatch.max_hold_seconds is {{ $hold }}, so the alert would fire after {{ $told }} seconds at best, too late to do anything. Take a shorter "for" or a smaller "share", of which two minutes at least are left, or set prometheusRule.alerts.holdEndsSoon.enabled=false
{{- end }}
{{- end }}
{{- /* What stands between quotes may be anything. */}}
{{- $selector := include "faxplus-gateway.rules.selector" . }}
{{- $bare := regexReplaceAll "\"(\\\\.|[^\"\\\\])*\"|'(\\\\.|[^'\\\\])*'|`[^`]*`" $selector "\"\"" }}
{{- if not (regexMatch "^\\s*[a-zA-Z_]\\w*\\s*(=|!=|=~|!~)\\s*\"\"(\\s*,\\s*[a-zA-Z_]\\w*\\s*(=|!=|=~|!~)\\s*\"\")*\\s*$" $bare) }}
prometheusRule.selector: {{ $selector }} are no labels as the rules put them between braces. Give labels alone, with a comma between them, such as namespace="faxplus",job="gateway"
{{- end }}
{{- end }}
{{- end -}}

{{/* A window in which too few samples lie: takes its place and value, and key and values of the monitor. */}}
{{- define "faxplus-gateway.refuse.window" -}}
{{- $interval := include "faxplus-gateway.milliseconds" .monitor.interval | int64 -}}
{{- if lt (include "faxplus-gateway.milliseconds" .window | int64) (mul 4 $interval) }}
{{ .place }}: {{ .window }} is less than four times {{ .key }}.interval, {{ .monitor.interval }}, so one failed scrape would leave too few samples in it. Take a longer window, or a shorter interval
{{- end }}
{{- end -}}
