{{/*
What NOTES.txt says of values that can be used, but hardly mean what they bring about: a paragraph for each, nothing when
all is well. Those about rules are in _rules.tpl.
*/}}

{{/* Who is cut off by the network policy. A peer with a podSelector alone is in the release's own namespace. */}}
{{- define "faxplus-gateway.warnings.ingress" -}}
{{- $policy := .Values.networkPolicy -}}
{{- $elsewhere := dict -}}
{{- range $key := list "ingressFrom" "metricsFrom" -}}
{{- range index $policy $key -}}
{{- if or (hasKey . "namespaceSelector") (hasKey . "ipBlock") -}}
{{- $_ := set $elsewhere $key true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $ways := list -}}
{{- if .Values.ingress.enabled }}{{ $ways = append $ways "the Ingress" }}{{ end -}}
{{- if .Values.httpRoute.enabled }}{{ $ways = append $ways "the HTTPRoute" }}{{ end -}}
{{- if ne .Values.service.type "ClusterIP" }}{{ $ways = append $ways (printf "the %s" .Values.service.type) }}{{ end -}}
{{- if and $policy.enabled (not $policy.ingressFrom) }}
WARNING: networkPolicy.ingressFrom is empty, so nobody {{ if .Values.tests.enabled }}but the test pods {{ end }}may call.
{{ else if and $policy.enabled $ways (not $elsewhere.ingressFrom) }}
WARNING: networkPolicy.ingressFrom lets nobody in from outside the namespace, so {{ join " and " $ways }} may lead
nowhere. Name who comes that way with a namespaceSelector or an ipBlock.
{{ end }}
{{- if and $policy.enabled (or .Values.serviceMonitor.enabled .Values.podMonitor.enabled) (not $elsewhere.metricsFrom) }}
WARNING: networkPolicy.metricsFrom lets nobody in from outside the namespace. A Prometheus elsewhere is cut off, and
FaxplusGatewayDown will page. Name it with a namespaceSelector.
{{ end }}
{{- end -}}

{{/* Addresses that no rule for what goes out covers. Told only where it is certain: names may lead anywhere. */}}
{{- define "faxplus-gateway.warnings.egress" -}}
{{- if and .Values.networkPolicy.enabled (not .Values.sandbox.enabled) -}}
{{- $settings := include "faxplus-gateway.settingsInForce" . | fromJson -}}
{{- $urls := dict "config.upstream.base_url" $settings.upstream.base_url -}}
{{- if eq .Values.credentials.kind "oauth2" -}}
{{- $_ := set $urls "config.credentials.token_url" $settings.credentials.token_url -}}
{{- end -}}
{{- range $key, $url := $urls -}}
{{- $authority := regexFind "^https?://[^/?#]+" (lower $url) | trimPrefix "https://" | trimPrefix "http://" -}}
{{- if $authority -}}
{{- $host := regexReplaceAll ":[0-9]+$" $authority "" -}}
{{- $usual := hasPrefix "https:" (lower $url) | ternary "443" "80" -}}
{{- $port := regexFind ":[0-9]+$" $authority | trimPrefix ":" | default $usual -}}
{{- /* What stays inside the pod, such as a proxy beside the gateway, meets no policy. */}}
{{- $out := regexMatch "^(127\\.[0-9.]+|localhost|\\[::1\\])$" $host -}}
{{- range $.Values.networkPolicy.egress -}}
{{- $asked := dict "rule" . "host" $host "port" $port -}}
{{- if and (include "faxplus-gateway.ruleHasPort" $asked) (include "faxplus-gateway.ruleHasHost" $asked) -}}
{{- $out = true -}}
{{- end -}}
{{- end -}}
{{- if not $out }}
WARNING: networkPolicy.egress has no rule that lets the gateway out to {{ $host }}, port {{ $port }} ({{ $key }}).
Add one, or its calls fail.
{{ end }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether a rule covers a TCP port, as a text that is empty when not. A named port may be any. */}}
{{- define "faxplus-gateway.ruleHasPort" -}}
{{- $port := int .port -}}
{{- if not .rule.ports }}yes{{ end -}}
{{- range .rule.ports -}}
{{- $within := and (not (kindIs "string" .port)) (le (int .port) $port) (le $port (.endPort | default .port | int)) -}}
{{- if and (eq (.protocol | default "TCP") "TCP") (or (not .port) (kindIs "string" .port) $within) }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{/* The same of a host. The exceptions of a block are taken for what they are as a rule: private networks. */}}
{{- define "faxplus-gateway.ruleHasHost" -}}
{{- $shared := "100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])" -}}
{{- $blocks := printf "^(10|169\\.254|172\\.(1[6-9]|2[0-9]|3[01])|192\\.168|%s)\\.[0-9.]+$" $shared -}}
{{- $private := printf "%s|^\\[f[cde]|\\.svc($|\\.)" $blocks -}}
{{- if or (not .rule.to) (not (regexMatch $private .host)) }}yes{{ end -}}
{{- range .rule.to -}}
{{- if not (dig "ipBlock" "except" "" .) }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{/* What a Prometheus operator may not find, a proxy that is not used, and a route that ends before the answer. */}}
{{- define "faxplus-gateway.warnings.others" -}}
{{- $proxies := list -}}
{{- range .Values.sandbox.enabled | ternary list .Values.extraEnv -}}
{{- if regexMatch "(?i)^(https?|all)_proxy$" .name -}}
{{- $proxies = append $proxies .name -}}
{{- end -}}
{{- end -}}
{{- with $proxies }}
WARNING: the gateway knows no proxy and does not read {{ join " or " . }} (extraEnv). It calls fax.plus directly, and where
only a proxy leads out, its calls fail.
{{ end }}
{{- $bare := list -}}
{{- range $key, $one := pick .Values "serviceMonitor" "podMonitor" "prometheusRule" -}}
{{- $labels := merge dict ($one.labels | default dict) ($.Values.commonLabels | default dict) | include "faxplus-gateway.kept" | fromYaml -}}
{{- if and $one.enabled (not $labels) -}}
{{- $bare = append $bare (printf "%s.labels" $key) -}}
{{- end -}}
{{- end -}}
{{- with $bare }}
NOTE: {{ join " and " . }} {{ len . | eq 1 | ternary "is" "are" }} empty. Most Prometheus operators look for a label, such as
release: kube-prometheus-stack, and overlook what has none.
{{ end }}
{{- $wait := (include "faxplus-gateway.settingsInForce" . | fromJson).server.max_wait_seconds | int64 -}}
{{- range $key, $time := .Values.httpRoute.enabled | ternary .Values.httpRoute.timeouts dict -}}
{{- $most := include "faxplus-gateway.milliseconds" ($time | default "0s") | int64 -}}
{{- if and (gt $most 0) (lt $most (mul 1000 $wait)) }}
NOTE: httpRoute.timeouts.{{ $key }} ({{ $time }}) is shorter than config.server.max_wait_seconds ({{ $wait }}): who waits
longer gets an answer of the Gateway, not of faxplus-gateway.
{{ end }}
{{- end -}}
{{- end -}}
