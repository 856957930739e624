{{/*
Refusals of what stands in lists: an API server tells what is there twice by its key, and refuses it, or keeps one of the
two without a word. One line for each, as _refusals.tpl tells them.
*/}}

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
{{- end -}}
