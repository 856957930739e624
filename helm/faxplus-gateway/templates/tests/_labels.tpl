{{/* Labels of the test pods. Another name than the gateway's, so that no Service sends callers to them. */}}
{{- define "faxplus-gateway.testLabels" -}}
app.kubernetes.io/name: {{ include "faxplus-gateway.name" . | printf "%s-test" | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}
