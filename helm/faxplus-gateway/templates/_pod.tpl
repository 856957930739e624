{{/* The pod, the same for every kind of workload: metadata and spec, as they stand under `template`. */}}

{{- define "faxplus-gateway.pod" -}}
{{- $sandbox := .Values.sandbox.enabled -}}
metadata:
  labels:
    {{- $own := include "faxplus-gateway.selectorLabels" . | fromYaml }}
    {{- $_ := set $own "app.kubernetes.io/component" "gateway" }}
    {{- merge $own (.Values.podLabels | default dict) (.Values.commonLabels | default dict) | include "faxplus-gateway.kept" | nindent 4 }}
  annotations:
    {{- /* The gateway reads its settings once, so a change of them replaces the pod. Secrets it reads again by itself. */}}
    {{- $own = dict "checksum/config" (include "faxplus-gateway.settings" . | sha256sum) }}
    {{- $_ := set $own "kubectl.kubernetes.io/default-container" "gateway" }}
    {{- merge $own (.Values.podAnnotations | default dict) (.Values.commonAnnotations | default dict) | include "faxplus-gateway.kept" | nindent 4 }}
spec:
  serviceAccountName: {{ include "faxplus-gateway.serviceAccountName" . | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ int64 .Values.terminationGracePeriodSeconds }}
  {{- with include "faxplus-gateway.imagePullSecrets" . }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .Values.runtimeClassName }}
  runtimeClassName: {{ . | quote }}
  {{- end }}
  {{- with include "faxplus-gateway.kept" .Values.podSecurityContext | fromYaml }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: gateway
      image: {{ include "faxplus-gateway.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        {{- if $sandbox }}
        - --sandbox
        {{- end }}
        - --config
        - /etc/faxplus-gateway/config/gateway.toml
      {{- with .Values.extraEnv }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8080
        - name: admin
          containerPort: 9090
      startupProbe:
        httpGet:
          path: /livez
          port: admin
        {{- toYaml .Values.startupProbe | nindent 8 }}
      livenessProbe:
        httpGet:
          path: /livez
          port: admin
        {{- toYaml .Values.livenessProbe | nindent 8 }}
      readinessProbe:
        httpGet:
          path: /readyz
          port: admin
        {{- toYaml .Values.readinessProbe | nindent 8 }}
      {{- with include "faxplus-gateway.kept" .Values.resources | fromYaml }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with include "faxplus-gateway.kept" .Values.securityContext | fromYaml }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      # Wrong settings end the gateway with a list of mistakes; this shows it in `kubectl describe pod`.
      terminationMessagePolicy: FallbackToLogsOnError
      volumeMounts:
        - name: config
          mountPath: /etc/faxplus-gateway/config
          readOnly: true
        {{- if not $sandbox }}
        - name: credentials
          mountPath: /etc/faxplus-gateway/credentials
          readOnly: true
        - name: store
          mountPath: /var/lib/faxplus-gateway
        {{- end }}
        {{- if .Values.auth.existingSecret }}
        - name: clients
          mountPath: /etc/faxplus-gateway/clients
          readOnly: true
        {{- end }}
        - name: tmp
          mountPath: /tmp
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "faxplus-gateway.fullname" . | quote }}
    {{- if not $sandbox }}
    {{- include "faxplus-gateway.credentialsVolume" . | nindent 4 }}
    {{- with include "faxplus-gateway.storeVolume" . }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with .Values.auth.existingSecret }}
    - name: clients
      secret:
        secretName: {{ . | quote }}
        defaultMode: 0440
        items:
          - key: {{ $.Values.auth.clientsKey | quote }}
            path: clients.toml
    {{- end }}
    # Should SQLite need a temporary file: the root file system is read-only.
    - name: tmp
      emptyDir:
        sizeLimit: 64Mi
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "faxplus-gateway.kept" .Values.dnsConfig | fromYaml }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "faxplus-gateway.kept" .Values.nodeSelector | fromYaml }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "faxplus-gateway.kept" .Values.affinity | fromYaml }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- $selector := dict "matchLabels" (include "faxplus-gateway.selectorLabels" $ | fromYaml) }}
    {{- range . }}
    {{- list (hasKey . "labelSelector" | ternary . (merge (dict "labelSelector" $selector) .)) | toYaml | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end -}}

{{/* The directory of the credential. A directory, so that a changed Secret shows up while the pod runs. */}}
{{- define "faxplus-gateway.credentialsVolume" -}}
{{- with .Values.credentials -}}
- name: credentials
  secret:
    secretName: {{ .existingSecret | quote }}
    defaultMode: 0440
    items:
      {{- if eq .kind "oauth2" }}
      - key: {{ .oauth2.clientSecretKey | quote }}
        path: client-secret
      - key: {{ .oauth2.refreshTokenKey | quote }}
        path: refresh-token
      {{- else }}
      - key: {{ .tokenKey | quote }}
        path: token
      {{- end }}
{{- end -}}
{{- end -}}

{{/* The directory of the store, unless the StatefulSet claims it. */}}
{{- define "faxplus-gateway.storeVolume" -}}
{{- with .Values.persistence -}}
{{- if not .enabled -}}
- name: store
  emptyDir:
    sizeLimit: {{ .size }}
{{- else if .existingClaim -}}
- name: store
  persistentVolumeClaim:
    claimName: {{ .existingClaim | quote }}
{{- end -}}
{{- end -}}
{{- end -}}
