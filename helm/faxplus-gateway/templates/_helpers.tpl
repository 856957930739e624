{{/* Names, labels and figures that several objects share. */}}

{{/* The chart's name, for labels. */}}
{{- define "faxplus-gateway.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of all objects. 52 characters leave room for the hash that a StatefulSet puts behind it in a label. */}}
{{- define "faxplus-gateway.fullname" -}}
{{- $name := include "faxplus-gateway.name" . -}}
{{- $both := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $both .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* What selects the gateway's pods, and never changes. */}}
{{- define "faxplus-gateway.selectorLabels" -}}
app.kubernetes.io/name: {{ include "faxplus-gateway.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* A map as YAML, without what is null in it: so a values file takes away what another one before it says. Lists stay as
they are. */}}
{{- define "faxplus-gateway.kept" -}}
{{- $kept := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $kept $key (include "faxplus-gateway.kept" $value | fromYaml) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $kept $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- end -}}

{{/* Labels of an object. Takes root, component, and labels of the object's own; the chart's win. */}}
{{- define "faxplus-gateway.labels" -}}
{{- $labels := include "faxplus-gateway.selectorLabels" .root | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/component" .component -}}
{{- $_ := set $labels "app.kubernetes.io/version" (.root.Values.image.tag | default .root.Chart.AppVersion | trunc 63 | trimAll "-_.") -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- merge $labels (.labels | default dict) (.root.Values.commonLabels | default dict) | include "faxplus-gateway.kept" -}}
{{- end -}}

{{/* The metadata of an object. Takes root, component, and optionally name or suffix, namespace, labels, annotations. */}}
{{- define "faxplus-gateway.metadata" -}}
{{- $name := .name | default (include "faxplus-gateway.fullname" .root) -}}
name: {{ .suffix | empty | ternary $name (printf "%s-%s" $name .suffix) | quote }}
namespace: {{ .namespace | default .root.Release.Namespace | quote }}
labels:
  {{- include "faxplus-gateway.labels" . | nindent 2 }}
{{- with merge dict (.annotations | default dict) (.root.Values.commonAnnotations | default dict) | include "faxplus-gateway.kept" | fromYaml }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The ServiceAccount of the pods. */}}
{{- define "faxplus-gateway.serviceAccountName" -}}
{{- $made := ternary (include "faxplus-gateway.fullname" .) "default" .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default $made -}}
{{- end -}}

{{/* The image, by digest where there is one. */}}
{{- define "faxplus-gateway.image" -}}
{{- $image := .Values.image -}}
{{- $global := .Values.global | default dict -}}
{{- with $image.registry | default $global.imageRegistry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{/* What a parent chart gives as its secrets, as a JSON list of `name`: it may give names alone, or one name, or none. */}}
{{- define "faxplus-gateway.sharedPullSecrets" -}}
{{- $given := (.Values.global | default dict).imagePullSecrets -}}
{{- $secrets := list -}}
{{- range kindIs "slice" $given | ternary $given (list $given) -}}
{{- if . -}}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}

{{/* Secrets to pull it with: those of the chart and of its parent, each once, because an API server refuses one that is
there twice. */}}
{{- define "faxplus-gateway.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (.Values.imagePullSecrets | default list) (include "faxplus-gateway.sharedPullSecrets" . | fromJsonArray) -}}
{{- if kindIs "map" . -}}
{{- $secrets = append $secrets (pick . "name") -}}
{{- end -}}
{{- end -}}
{{- with uniq $secrets -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* The kind of a Service, with its IP families. Takes root and type. */}}
{{- define "faxplus-gateway.serviceType" -}}
type: {{ .type }}
{{- with .root.Values.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .root.Values.ipFamilies }}
ipFamilies:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The address of all interfaces, with as many families as the Services have. */}}
{{- define "faxplus-gateway.listenHost" -}}
{{- $dual := has .Values.ipFamilyPolicy (list "PreferDualStack" "RequireDualStack") -}}
{{- or $dual (has "IPv6" .Values.ipFamilies) | ternary "[::]" "0.0.0.0" -}}
{{- end -}}

{{/* Bytes of a size in Mi, Gi or Ti. */}}
{{- define "faxplus-gateway.bytes" -}}
{{- $unit := dict "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- mul (regexFind "^[0-9]+" . | int64) (get $unit (regexFind "[A-Z]i$" .) | int64) -}}
{{- end -}}

{{/* Milliseconds of a duration such as 30s, or of several in a row, such as 1h30m. */}}
{{- define "faxplus-gateway.milliseconds" -}}
{{- $unit := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+[a-z]+" . -1 -}}
{{- $sum = add $sum (mul (regexFind "^[0-9]+" . | int64) (get $unit (regexFind "[a-z]+$" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* Seconds from SIGTERM until nothing new is taken: what proxies need to see it. */}}
{{- define "faxplus-gateway.drainDelay" -}}5{{- end -}}

{{/* Seconds that work in progress gets after that. 15 are left for last answers (two times 5) and the store. */}}
{{- define "faxplus-gateway.drainTimeout" -}}
{{- sub (sub .Values.terminationGracePeriodSeconds 15) (include "faxplus-gateway.drainDelay" . | int) -}}
{{- end -}}

{{/* Whether the StatefulSet claims a volume of its own, as a text that is empty when not. */}}
{{- define "faxplus-gateway.claims" -}}
{{- $store := .Values.persistence -}}
{{- if and $store.enabled (not $store.existingClaim) (not .Values.sandbox.enabled) }}yes{{ end -}}
{{- end -}}
