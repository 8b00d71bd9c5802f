{{/* Names, labels and image. Parentheses around each step make a missing or null map read as empty. */}}

{{- define "emberscope.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* Release and chart, once where the release is named after the chart; at most 63 characters (a DNS label). */}}
{{- define "emberscope.fullname" -}}
{{- $name := include "emberscope.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "emberscope.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end }}

{{/* Name of a cluster-wide object: two releases of one name in two namespaces must not share it. */}}
{{- define "emberscope.clusterName" -}}
{{- printf "%s-%s" (include "emberscope.namespace" .) (include "emberscope.fullname" .) | trunc 253 -}}
{{- end }}

{{- define "emberscope.selectorLabels" -}}
app.kubernetes.io/name: {{ include "emberscope.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: agent
{{- end }}

{{- define "emberscope.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "emberscope.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: emberscope
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "emberscope.serviceAccountName" -}}
{{- $account := default dict .Values.serviceAccount -}}
{{- if $account.create -}}
{{- default (include "emberscope.fullname" .) $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end }}

{{- define "emberscope.image" -}}
{{- $image := default dict .Values.image -}}
{{- $registry := default $image.registry (default dict .Values.global).imageRegistry -}}
{{- with $registry }}{{ . }}/{{ end -}}
{{- default "emberscope/emberscope" $image.repository -}}
{{- if $image.digest -}}@{{ $image.digest }}{{- else -}}:{{ default .Chart.AppVersion $image.tag }}{{- end -}}
{{- end }}

{{/* Pull secrets as a list of maps with `name`, from names and maps. */}}
{{- define "emberscope.pullSecrets" -}}
{{- $shared := default list (default dict .Values.global).imagePullSecrets -}}
{{- $own := default list (default dict .Values.image).pullSecrets -}}
{{- range concat $shared $own }}
- name: {{ if kindIs "string" . }}{{ . }}{{ else }}{{ .name }}{{ end }}
{{- end }}
{{- end }}
