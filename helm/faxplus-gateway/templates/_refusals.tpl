{{/*
What the schema can't say, or not in words that help: values that contradict each other or lack what nobody can guess.
All of them are told at once. Each says where, what is wrong and what to do.
*/}}

{{- define "faxplus-gateway.refuse" -}}
{{- include "faxplus-gateway.refuseEmpty" . -}}
{{- $wrong := list -}}

{{- $name := include "faxplus-gateway.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- $wrong = append $wrong (printf "fullnameOverride: is needed, because Kubernetes takes no Service of the name %q, which release and chart make. Set one of small letters, digits and dashes, a letter first" $name) -}}
{{- end -}}

{{- $sandbox := .Values.sandbox.enabled -}}
{{- $credentials := .Values.credentials -}}

{{- if gt (int .Values.replicaCount) 1 -}}
{{- $wrong = append $wrong "replicaCount: there can be one gateway only; two would not know whom the other has mailed. Set 1" -}}
{{- end -}}

{{- if and (not $sandbox) (not $credentials.existingSecret) -}}
{{- $wrong = append $wrong "credentials.existingSecret: is missing. Name a Secret with the access token for fax.plus (kubectl create secret generic faxplus --from-file=token=FILE), or set sandbox.enabled=true to try the gateway without mailing anybody" -}}
{{- end -}}
{{- if and (eq $credentials.kind "oauth2") (not $credentials.oauth2.clientId) (not $sandbox) -}}
{{- $wrong = append $wrong "credentials.oauth2.clientId: is missing; OAuth2 needs the client's id" -}}
{{- end -}}
{{- if and (ne $credentials.kind "oauth2") $credentials.oauth2.clientId -}}
{{- $wrong = append $wrong "credentials.oauth2.clientId: does nothing with a personal access token. Set credentials.kind=oauth2, or leave it out" -}}
{{- end -}}

{{- if and .Values.auth.existingSecret .Values.auth.allowAnonymous -}}
{{- $wrong = append $wrong "auth.allowAnonymous: contradicts auth.existingSecret, which demands a token of every caller. Keep one of them" -}}
{{- end -}}
{{- if not (or $sandbox .Values.auth.existingSecret .Values.auth.allowAnonymous) -}}
{{- $wrong = append $wrong "auth: nobody may call. Name a Secret with the clients file in auth.existingSecret (kubectl create secret generic faxplus-clients --from-file=clients.toml=FILE), or set auth.allowAnonymous=true if everybody who reaches the port may send" -}}
{{- end -}}

{{- $owned := include "faxplus-gateway.ownedSettings" . | fromYaml -}}
{{- range $section, $settings := include "faxplus-gateway.config" . | fromJson -}}
{{- range $key, $value := $settings -}}
{{- with get $owned (printf "%s.%s" $section $key) -}}
{{- $wrong = append $wrong (printf "config.%s.%s: belongs to the chart; %s" $section $key .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $variables := dict -}}
{{- range $setting, $instead := $owned -}}
{{- $_ := set $variables (printf "FAXPLUS_GATEWAY__%s" (replace "." "__" $setting | upper)) $instead -}}
{{- end -}}
{{- range $variable := .Values.extraEnv -}}
{{- with get $variables (upper $variable.name) -}}
{{- $wrong = append $wrong (printf "extraEnv: what %s sets belongs to the chart; %s" $variable.name .) -}}
{{- end -}}
{{- end -}}

{{- if include "faxplus-gateway.claims" . -}}
{{- $reserve := (include "faxplus-gateway.settingsInForce" . | fromJson).store.reserve_bytes | int64 -}}
{{- if le (include "faxplus-gateway.bytes" .Values.persistence.size | int64) (mul 2 $reserve) -}}
{{- $wrong = append $wrong (printf "persistence.size: of %s the gateway keeps %d bytes free (config.store.reserve_bytes), which leaves too little for lists. Take more than twice that" .Values.persistence.size $reserve) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.persistence.existingClaim (not .Values.persistence.enabled) -}}
{{- $wrong = append $wrong "persistence.existingClaim: does nothing with persistence.enabled=false, and the store would end with the pod. Set persistence.enabled=true, or leave the claim out" -}}
{{- end -}}
{{- if and (not $sandbox) (not .Values.persistence.enabled) (lt (include "faxplus-gateway.bytes" .Values.persistence.size | int64) 67108864) -}}
{{- $wrong = append $wrong (printf "persistence.size: %s are too little for a store in an emptyDir. Take 64Mi or more" .Values.persistence.size) -}}
{{- end -}}

{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- $wrong = append $wrong "ingress.hosts: is empty, so nothing would be routed. Name at least one host, or give {} for all of them" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- $wrong = append $wrong "httpRoute.parentRefs: is empty, so no Gateway would take the route. Name one" -}}
{{- end -}}
{{- range .Values.httpRoute.enabled | ternary .Values.httpRoute.filters list -}}
{{- if eq (.type | default "") "RequestRedirect" -}}
{{- $wrong = append $wrong "httpRoute.filters: a RequestRedirect leads away from the gateway, and no Gateway takes it beside a backend. Make such a route with extraObjects" -}}
{{- end -}}
{{- end -}}
{{- with .Values.httpRoute -}}
{{- $timeouts := .timeouts | default dict -}}
{{- $whole := $timeouts.request | default "0s" -}}
{{- $part := $timeouts.backendRequest | default "0s" -}}
{{- $most := include "faxplus-gateway.milliseconds" $whole | int64 -}}
{{- if and .enabled (gt $most 0) (gt (include "faxplus-gateway.milliseconds" $part | int64) $most) -}}
{{- $wrong = append $wrong (printf "httpRoute.timeouts.backendRequest: %s is longer than timeouts.request, %s, of which it is a part. Take less" $part $whole) -}}
{{- end -}}
{{- end -}}
{{- range $part := list "image" "store" "mounts" "services" "monitors" "rules" "elements" "twice" -}}
{{- range include (printf "faxplus-gateway.refuse.%s" $part) $ | trim | splitList "\n" -}}
{{- with trim . -}}
{{- $wrong = append $wrong . -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- with $wrong -}}
{{- fail (printf "\n\nThese values can't be used:\n  - %s\n" (join "\n  - " .)) -}}
{{- end -}}
{{- end -}}

{{/*
A key with nothing behind it, or only comments, is null, and Helm takes the default away. Where that can mean "none" the
templates take it so; what they can't do without is told here, before they stumble over it.
*/}}
{{- define "faxplus-gateway.refuseEmpty" -}}
{{- $empty := list -}}
{{- range $place := include "faxplus-gateway.required" . | splitList "\n" -}}
{{- $here := $.Values -}}
{{- $way := list -}}
{{- range $key := splitList "." $place -}}
{{- if kindIs "map" $here -}}
{{- $way = append $way $key -}}
{{- $here = index $here $key -}}
{{- end -}}
{{- end -}}
{{- if kindIs "invalid" $here -}}
{{- $empty = append $empty (join "." $way) -}}
{{- end -}}
{{- end -}}
{{- with uniq $empty -}}
{{- fail (printf "\n\nThese values can't be used:\n  - %s: is empty, which takes its default away. Leave the key out, or say what it should be\n" (join ": is empty, which takes its default away. Leave the key out, or say what it should be\n  - " .)) -}}
{{- end -}}
{{- end -}}
