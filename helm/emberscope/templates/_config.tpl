{{/* The agent's configuration file: what the chart must set for a pod, and over it what the user wrote in `config`. */}}

{{- define "emberscope.port" -}}
{{- default 9464 .Values.port | int -}}
{{- end }}

{{- define "emberscope.config" -}}
{{- $metadata := ternary "on" "off" (default false (default dict .Values.kubernetes).enabled) -}}
{{- $ours := dict
  "listen" (printf "0.0.0.0:%s" (include "emberscope.port" .))
  "queue" (dict "dir" "/var/lib/emberscope/queue")
  "kubernetes" (dict "metadata" $metadata) -}}
{{- mustMergeOverwrite $ours (deepCopy (default dict .Values.config)) | toYaml -}}
{{- end }}

{{/* True where one destination is meant, which the environment describes; `destinations` bring everything themselves. */}}
{{- define "emberscope.hasOneDestination" -}}
{{- if not (default dict .Values.config).destinations -}}true{{- end -}}
{{- end }}

{{- define "emberscope.hasEndpoint" -}}
{{- if .Values.endpoint }}{{ include "emberscope.hasOneDestination" . }}{{ end -}}
{{- end }}

{{- define "emberscope.configMapName" -}}
{{- default (include "emberscope.fullname" .) .Values.existingConfigMap -}}
{{- end }}

{{/* Fails on values that no schema can refuse. */}}
{{- define "emberscope.validate" -}}
{{- $security := default dict .Values.securityContext -}}
{{- if not .Values.hostPID -}}
{{- fail "hostPID must be true: the agent sees the processes of a node only in the node's own pid namespace" -}}
{{- end -}}
{{- if eq (default "" $security.seccompProfile) "Localhost" -}}
{{- if not $security.seccompLocalhostProfile -}}
{{- fail "securityContext.seccompLocalhostProfile is empty: name the profile's file, or choose another securityContext.seccompProfile than Localhost" -}}
{{- end -}}
{{- end -}}
{{- with (default dict .Values.config).listen -}}
{{- if not (hasSuffix (printf ":%s" (include "emberscope.port" $)) .) -}}
{{- fail (printf "config.listen is %q, but the probes and Prometheus ask port %s: set port to the same" . (include "emberscope.port" $)) -}}
{{- end -}}
{{- end -}}
{{- if .Values.existingConfigMap -}}
{{- if .Values.config -}}
{{- fail "config is set beside existingConfigMap and would be ignored: leave one of them out" -}}
{{- end -}}
{{- end -}}
{{- end }}
