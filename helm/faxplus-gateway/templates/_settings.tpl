{{/*
The gateway's settings file: `config` of the values, and over it what the chart makes from other values.
A setting that the chart owns, and every secret, is refused in `config` and in `extraEnv` (see _refusals.tpl).
*/}}

{{/* Settings that the chart owns, each with what to set instead. */}}
{{- define "faxplus-gateway.ownedSettings" -}}
server.listen: the pod listens on 8080; set service.port, or ipFamilyPolicy
server.admin_listen: the pod listens on 9090; set adminService.port, or ipFamilyPolicy
server.drain_delay_seconds: set terminationGracePeriodSeconds
server.drain_timeout_seconds: set terminationGracePeriodSeconds
store.path: set persistence
auth.mode: set auth.existingSecret
auth.clients_file: set auth.existingSecret and auth.clientsKey
auth.allow_anonymous: set auth.allowAnonymous
credentials.kind: set credentials.kind
credentials.client_id: set credentials.oauth2.clientId
credentials.token: secrets don't belong here; set credentials.existingSecret
credentials.token_file: set credentials.existingSecret and credentials.tokenKey
credentials.client_secret: secrets don't belong here; set credentials.existingSecret
credentials.client_secret_file: set credentials.existingSecret and credentials.oauth2.clientSecretKey
credentials.refresh_token: secrets don't belong here; set credentials.existingSecret
credentials.refresh_token_file: set credentials.existingSecret and credentials.oauth2.refreshTokenKey
{{- end -}}

{{/* `config` as JSON, without sections and keys that have nothing behind them. */}}
{{- define "faxplus-gateway.config" -}}
{{- $config := dict -}}
{{- range $section, $settings := .Values.config -}}
{{- with include "faxplus-gateway.kept" $settings | fromYaml -}}
{{- $_ := set $config $section . -}}
{{- end -}}
{{- end -}}
{{- toJson $config -}}
{{- end -}}

{{/* The settings that the chart makes, by section and key, as YAML. */}}
{{- define "faxplus-gateway.madeSettings" -}}
{{- $host := include "faxplus-gateway.listenHost" . -}}
server:
  listen: {{ printf "%s:8080" $host | quote }}
  admin_listen: {{ printf "%s:9090" $host | quote }}
  drain_delay_seconds: {{ include "faxplus-gateway.drainDelay" . }}
  drain_timeout_seconds: {{ include "faxplus-gateway.drainTimeout" . }}
{{- if .Values.auth.existingSecret }}
auth:
  mode: tokens
  clients_file: /etc/faxplus-gateway/clients/clients.toml
{{- else }}
auth:
  allow_anonymous: true
{{- end }}
{{- if .Values.sandbox.enabled }}
store:
  path: ":memory:"
{{- else }}
store:
  path: /var/lib/faxplus-gateway/gateway.db
credentials:
  kind: {{ .Values.credentials.kind }}
  {{- if eq .Values.credentials.kind "oauth2" }}
  client_id: {{ .Values.credentials.oauth2.clientId | quote }}
  client_secret_file: /etc/faxplus-gateway/credentials/client-secret
  refresh_token_file: /etc/faxplus-gateway/credentials/refresh-token
  {{- else }}
  token_file: /etc/faxplus-gateway/credentials/token
  {{- end }}
{{- end }}
{{- end -}}

{{/*
Settings that `config` may change, but whose default is not for here. The gateway bounds a store by the disk, but
what bounds an emptyDir is its size limit, and the kubelet evicts a pod that crosses it: a quarter stays for the
log. A store in memory may take 512 MiB by default; the pod's memory is not made for that.
*/}}
{{- define "faxplus-gateway.suggestedSettings" -}}
{{- if .Values.sandbox.enabled }}
store:
  max_bytes: 134217728
{{- else if not .Values.persistence.enabled }}
store:
  max_bytes: {{ div (mul 3 (include "faxplus-gateway.bytes" .Values.persistence.size | int64)) 4 }}
{{- end }}
{{- end -}}

{{/* What the gateway is given, as JSON: what the chart suggests, `config` over it, and what the chart makes over both. */}}
{{- define "faxplus-gateway.givenSettings" -}}
{{- $made := include "faxplus-gateway.madeSettings" . | fromYaml -}}
{{- $suggested := include "faxplus-gateway.suggestedSettings" . | fromYaml -}}
{{- mergeOverwrite $suggested (include "faxplus-gateway.config" . | fromJson) $made | toJson -}}
{{- end -}}

{{/* Every setting as it is in force, as JSON: what the gateway is given, over its own defaults. */}}
{{- define "faxplus-gateway.settingsInForce" -}}
{{- $defaults := include "faxplus-gateway.defaultSettings" . | fromYaml -}}
{{- mergeOverwrite $defaults (include "faxplus-gateway.givenSettings" . | fromJson) | toJson -}}
{{- end -}}

{{/* The settings file. JSON's texts are TOML's; a whole number must not look like a fraction. */}}
{{- define "faxplus-gateway.settings" -}}
{{- range $section, $settings := include "faxplus-gateway.givenSettings" . | fromJson }}
{{- with $settings }}
[{{ $section }}]
{{- range $key, $value := . }}
{{- $whole := and (kindIs "float64" $value) (eq (float64 (int64 $value)) $value) }}
{{ $key }} = {{ $whole | ternary (int64 $value | toString) (toJson $value) }}
{{- end }}
{{ end }}
{{- end }}
{{- end -}}
