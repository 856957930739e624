{{/*
Refusals by the part of the chart that they are about: a line for each value that can't be used, as _refusals.tpl tells
them. An API server, a kubelet or Prometheus would find these mistakes as well, but later and in other words.
*/}}

{{/* What the image is called: a scheme, a slash or a tag too many would show when a node pulls it. */}}
{{- define "faxplus-gateway.refuse.image" -}}
{{- $image := .Values.image -}}
{{- $shared := (.Values.global | default dict).imageRegistry -}}
{{- $key := ternary "image.registry" "global.imageRegistry" (not (empty $image.registry)) -}}
{{- $host := "([a-zA-Z0-9]([-.a-zA-Z0-9]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])(:[0-9]+)?" -}}
{{- $name := "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*" -}}
{{- with $image.registry | default $shared }}
{{- if not (regexMatch (printf "^%s(/%s)*$" $host $name) (toString .)) }}
{{ $key }}: {{ toString . | quote }} is no registry. Say host, port and perhaps a path, without https:// and without a slash at the end, such as registry.example.com:5000
{{- end }}
{{- end }}
{{- $first := empty ($image.registry | default $shared) | ternary (printf "(%s/)?" $host) "" -}}
{{- if not (regexMatch (printf "^%s%s(/%s)*$" $first $name $name) $image.repository) }}
image.repository: {{ $image.repository | quote }} is no repository. Say its path alone; the tag goes to image.tag, and a port to image.registry
{{- end }}
{{- range include "faxplus-gateway.sharedPullSecrets" . | fromJsonArray }}
{{- $name := kindIs "map" . | ternary . dict | dig "name" "" | toString }}
{{- if not (regexMatch "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$" $name) }}
global.imagePullSecrets: {{ toJson . }} is no name of a Secret. Give a list of names, or of maps with a `name`
{{- end }}
{{- end }}
{{- end -}}

{{/* Bounds of a store without a volume. */}}
{{- define "faxplus-gateway.refuse.store" -}}
{{- $store := (include "faxplus-gateway.config" . | fromJson).store | default dict -}}
{{- if hasKey $store "max_bytes" }}
{{- $bound := int64 $store.max_bytes -}}
{{- $room := div (mul 3 (include "faxplus-gateway.bytes" .Values.persistence.size | int64)) 4 -}}
{{- if .Values.sandbox.enabled }}
{{- if gt $bound 536870912 }}
config.store.max_bytes: {{ $bound }} is too much for the sandbox, whose store is in the pod's memory. Take 536870912 (512 MiB) or less, or leave it out
{{- end }}
{{- else if and (not .Values.persistence.enabled) (or (eq $bound 0) (gt $bound $room)) }}
config.store.max_bytes: {{ eq $bound 0 | ternary "0 means no bound, and so" (toString $bound) }} lets the store outgrow its emptyDir, for which the kubelet evicts the pod. Take {{ $room }} or less, which is three quarters of persistence.size, or leave it out
{{- end }}
{{- end }}
{{- end -}}

{{/* Mounts that are there already, or whose volume is not. The chart's own come first in the pod. */}}
{{- define "faxplus-gateway.refuse.mounts" -}}
{{- $pod := (include "faxplus-gateway.pod" . | fromYaml).spec -}}
{{- $there := include "faxplus-gateway.claims" . | empty | ternary list (list "store") -}}
{{- range $pod.volumes }}
{{- $there = append $there .name }}
{{- end }}
{{- $paths := list }}
{{- range (first $pod.containers).volumeMounts }}
{{- $path := toString .mountPath | trimSuffix "/" }}
{{- if has $path $paths }}
extraVolumeMounts: something is mounted at {{ $path | quote }} already. Take another path
{{- end }}
{{- if not (has .name $there) }}
extraVolumeMounts: there is no volume {{ .name | quote }}. Name one of extraVolumes
{{- end }}
{{- $paths = append $paths $path }}
{{- end }}
{{- end -}}

{{/* Services. */}}
{{- define "faxplus-gateway.refuse.services" -}}
{{- $service := .Values.service -}}
{{- if and $service.nodePort (eq $service.type "ClusterIP") }}
service.nodePort: a ClusterIP has none. Set service.type=NodePort, or leave it out
{{- end }}
{{- if and $service.externalTrafficPolicy (eq $service.type "ClusterIP") }}
service.externalTrafficPolicy: a ClusterIP has none. Set service.type to NodePort or LoadBalancer, or leave it out
{{- end }}
{{- if and (or $service.loadBalancerClass $service.loadBalancerSourceRanges) (ne $service.type "LoadBalancer") }}
service.loadBalancerClass, service.loadBalancerSourceRanges: only with service.type=LoadBalancer
{{- end }}
{{- $dual := has .Values.ipFamilyPolicy (list "PreferDualStack" "RequireDualStack") -}}
{{- if and (gt (len (.Values.ipFamilies | default list)) 1) (not $dual) }}
ipFamilies: two of them need ipFamilyPolicy=PreferDualStack or RequireDualStack. Set it, or keep one family
{{- end }}
{{- end -}}

{{/* Monitors. */}}
{{- define "faxplus-gateway.refuse.monitors" -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled }}
podMonitor.enabled: serviceMonitor.enabled is true as well, so every sample would be there twice. Keep one of them
{{- end }}
{{- range $key, $monitor := dict "serviceMonitor" .Values.serviceMonitor "podMonitor" .Values.podMonitor }}
{{- $interval := include "faxplus-gateway.milliseconds" $monitor.interval | int64 -}}
{{- $timeout := include "faxplus-gateway.milliseconds" $monitor.scrapeTimeout | int64 -}}
{{- if and $monitor.enabled (gt $timeout $interval) }}
{{ $key }}.scrapeTimeout: {{ $monitor.scrapeTimeout }} is longer than {{ $key }}.interval, {{ $monitor.interval }}, which Prometheus refuses. Change one of them
{{- end }}
{{- end }}
{{- end -}}
