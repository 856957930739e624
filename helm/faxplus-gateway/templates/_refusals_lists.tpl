{{/*
Refusals of what stands in lists: an API server tells what is there twice by its key, and refuses it, or keeps one of the
two without a word. One line for each, as _refusals.tpl tells them.
*/}}

{{/* Elements whose parts exclude each other, or that have a form which an API server refuses. */}}
{{- define "faxplus-gateway.refuse.elements" -}}
{{- range .Values.extraEnv }}
{{- if and .value .valueFrom }}
extraEnv: {{ .name }} has a value and a valueFrom. Keep one of them
{{- end }}
{{- end }}
{{- range .Values.ingress.enabled | ternary .Values.ingress.hosts list }}
{{- if regexMatch "^[0-9]+([.][0-9]+){3}$" (.host | default "") }}
ingress.hosts: {{ .host }} is an address, and an Ingress knows names. Leave host out to take all of them
{{- end }}
{{- end }}
{{- $policy := .Values.networkPolicy -}}
{{- $lists := dict "ingressFrom" $policy.ingressFrom "metricsFrom" $policy.metricsFrom -}}
{{- range $number, $rule := $policy.egress -}}
{{- $_ := set $lists (printf "egress[%d].to" $number) $rule.to -}}
{{- end }}
{{- range $key, $peers := $lists }}
{{- range $peers }}
{{- if and (hasKey . "ipBlock") (or (hasKey . "podSelector") (hasKey . "namespaceSelector")) }}
networkPolicy.{{ $key }}: a peer is an ipBlock, or pods that are selected, and not both. Make two peers of it
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Containers, variables and addresses that are there twice. */}}
{{- define "faxplus-gateway.refuse.twice" -}}
{{- $names := list "gateway" -}}
{{- range concat (.Values.initContainers | default list) (.Values.extraContainers | default list) }}
{{- if has .name $names }}
initContainers, extraContainers: there is a container {{ .name | quote }} already. Take another name
{{- end }}
{{- $names = append $names .name }}
{{- end }}
{{- $variables := list -}}
{{- range .Values.extraEnv }}
{{- if has .name $variables }}
extraEnv: {{ .name }} stands there twice. Keep one of them
{{- end }}
{{- $variables = append $variables .name }}
{{- end }}
{{- $addresses := list -}}
{{- range .Values.hostAliases }}
{{- if has .ip $addresses }}
hostAliases: {{ .ip }} stands there twice. Give it once, with all its hostnames
{{- end }}
{{- $addresses = append $addresses .ip }}
{{- end }}
{{- $spreads := list -}}
{{- range .Values.topologySpreadConstraints }}
{{- $same := pick . "topologyKey" "whenUnsatisfiable" }}
{{- if has $same $spreads }}
topologySpreadConstraints: {{ .topologyKey }} with {{ .whenUnsatisfiable }} stands there twice. Keep one of them
{{- end }}
{{- $spreads = append $spreads $same }}
{{- end }}
{{- end -}}
