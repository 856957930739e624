{{/* What a ServiceMonitor and a PodMonitor have in common. */}}

{{/* Where their objects are looked for: in the release's namespace, wherever the monitor itself is. */}}
{{- define "faxplus-gateway.monitorTarget" -}}
# The job of all samples, whichever monitor reads them.
jobLabel: app.kubernetes.io/name
namespaceSelector:
  matchNames:
    - {{ .root.Release.Namespace | quote }}
{{- with .monitor.sampleLimit }}
sampleLimit: {{ int64 . }}
{{- end }}
{{- end -}}

{{/* The endpoint. Takes the values of the monitor. */}}
{{- define "faxplus-gateway.monitorEndpoint" -}}
port: admin
path: /metrics
interval: {{ .interval }}
scrapeTimeout: {{ .scrapeTimeout }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
