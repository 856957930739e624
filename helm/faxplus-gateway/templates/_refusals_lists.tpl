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

{{/* What is there twice, or what the pod has already: a list, the keys that tell its elements apart, and what to do. */}}
{{- define "faxplus-gateway.refuse.twice" -}}
{{- $containers := concat (list (dict "name" "gateway")) (.Values.initContainers | default list) (.Values.extraContainers | default list) -}}
{{- $volumes := list -}}
{{- range list "config" "store" "tmp" "credentials" "clients" -}}
{{- $volumes = append $volumes (dict "name" .) -}}
{{- end -}}
{{- range list
  (list "initContainers, extraContainers" $containers (list "name") "Take another name")
  (list "extraVolumes" (concat $volumes (.Values.extraVolumes | default list)) (list "name") "Take another name")
  (list "extraEnv" .Values.extraEnv (list "name") "Keep one of them")
  (list "hostAliases" .Values.hostAliases (list "ip") "Give it once, with all its hostnames")
  (list "topologySpreadConstraints" .Values.topologySpreadConstraints (list "topologyKey" "whenUnsatisfiable") "Keep one of them") }}
{{- $key := index . 0 -}}
{{- $fields := index . 2 -}}
{{- $remedy := index . 3 -}}
{{- $there := list -}}
{{- range $element := index . 1 -}}
{{- $told := list -}}
{{- range $fields -}}
{{- $told = append $told (get $element .) -}}
{{- end -}}
{{- $told = join ", " $told -}}
{{- if has $told $there }}
{{ $key }}: {{ $told | quote }} is there already. {{ $remedy }}
{{- end -}}
{{- $there = append $there $told -}}
{{- end -}}
{{- end -}}
{{- end -}}
