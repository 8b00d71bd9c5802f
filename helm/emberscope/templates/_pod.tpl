{{/* Parts of the pod that the DaemonSet and the test share: security, environment, placing. */}}

{{- define "emberscope.securityContext" -}}
{{- $security := default dict .Values.securityContext -}}
{{- $extra := default list $security.extraCapabilities -}}
{{- if $security.override -}}
{{- toYaml $security.override -}}
{{- else -}}
runAsUser: 0
runAsGroup: 0
runAsNonRoot: false
readOnlyRootFilesystem: true
{{- if eq (default "capabilities" $security.mode) "privileged" }}
privileged: true
{{- else }}
privileged: false
{{- /* The API server refuses `false` together with CAP_SYS_ADMIN. */}}
allowPrivilegeEscalation: {{ has "SYS_ADMIN" $extra }}
capabilities:
  drop: [ALL]
  add:
    {{- range concat (list "BPF" "PERFMON" "SYS_PTRACE" "CHECKPOINT_RESTORE" "SYSLOG" "DAC_READ_SEARCH") $extra | uniq }}
    - {{ . }}
    {{- end }}
{{- end }}
{{- with $security.seccompProfile }}
seccompProfile:
  type: {{ . }}
  {{- if eq . "Localhost" }}
  localhostProfile: {{ $security.seccompLocalhostProfile }}
  {{- end }}
{{- end }}
{{- with $security.appArmorProfile }}
{{- if semverCompare ">=1.30.0-0" $.Capabilities.KubeVersion.Version }}
appArmorProfile:
  type: {{ . }}
{{- end }}
{{- end }}
{{- with $security.seLinuxType }}
seLinuxOptions:
  type: {{ . }}
{{- end }}
{{- end -}}
{{- end }}

{{/* AppArmor before Kubernetes 1.30: an annotation of the pod. Takes the root context and the container's name. */}}
{{- define "emberscope.appArmorAnnotation" -}}
{{- $security := default dict .root.Values.securityContext -}}
{{- if $security.appArmorProfile -}}
{{- if not $security.override -}}
{{- if semverCompare "<1.30.0-0" .root.Capabilities.KubeVersion.Version -}}
container.apparmor.security.beta.kubernetes.io/{{ .container }}: {{ ternary "unconfined" "runtime/default" (eq $security.appArmorProfile "Unconfined") }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "emberscope.fieldEnv" -}}
- name: {{ .name }}
  valueFrom:
    fieldRef:
      fieldPath: {{ .path }}
{{- end }}

{{- define "emberscope.env" -}}
{{- $secrets := default dict .Values.secrets -}}
{{- $headers := default dict $secrets.headers -}}
{{- $page := default dict $secrets.page -}}
{{- $tls := default dict $secrets.tls -}}
{{ include "emberscope.fieldEnv" (dict "name" "NODE_NAME" "path" "spec.nodeName") }}
- name: EMBERSCOPE_KUBERNETES_NODE_NAME
  value: $(NODE_NAME)
{{ include "emberscope.fieldEnv" (dict "name" "HOST_IP" "path" "status.hostIP") }}
{{ include "emberscope.fieldEnv" (dict "name" "POD_NAME" "path" "metadata.name") }}
{{ include "emberscope.fieldEnv" (dict "name" "POD_NAMESPACE" "path" "metadata.namespace") }}
{{ include "emberscope.fieldEnv" (dict "name" "POD_UID" "path" "metadata.uid") }}
{{ include "emberscope.fieldEnv" (dict "name" "POD_IP" "path" "status.podIP") }}
{{- if include "emberscope.hasEndpoint" . }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .Values.endpoint | quote }}
{{- with .Values.protocol }}
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: {{ . }}
{{- end }}
{{- end }}
{{- if include "emberscope.hasOneDestination" . }}
{{- with $headers.existingSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ default "headers" $headers.key }}
{{- end }}
{{- if $tls.existingSecret }}
- name: OTEL_EXPORTER_OTLP_CERTIFICATE
  value: /etc/emberscope/tls/ca.crt
{{- if $tls.clientCertificate }}
- name: OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE
  value: /etc/emberscope/tls/tls.crt
- name: OTEL_EXPORTER_OTLP_CLIENT_KEY
  value: /etc/emberscope/tls/tls.key
{{- end }}
{{- end }}
{{- end }}
{{- with $page.existingSecret }}
- name: EMBERSCOPE_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ default "token" $page.key }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Linux nodes of the image's architectures, and whatever else the user asks of a node. */}}
{{- define "emberscope.affinity" -}}
{{- $affinity := deepCopy (default dict .Values.affinity) -}}
{{- $architectures := default (list "amd64") .Values.architectures -}}
{{- $linux := dict "key" "kubernetes.io/os" "operator" "In" "values" (list "linux") -}}
{{- $cpu := dict "key" "kubernetes.io/arch" "operator" "In" "values" $architectures -}}
{{- $terms := list (dict "matchExpressions" (list $linux $cpu)) -}}
{{- $required := dict "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" $terms) -}}
{{- if not $affinity.nodeAffinity -}}
{{- $_ := set $affinity "nodeAffinity" $required -}}
{{- end -}}
{{- toYaml $affinity -}}
{{- end }}

{{/* What the DaemonSet and the test say about accounts and nodes. */}}
{{- define "emberscope.podBase" -}}
serviceAccountName: {{ include "emberscope.serviceAccountName" . }}
automountServiceAccountToken: {{ default false (default dict .Values.kubernetes).enabled }}
hostPID: true
enableServiceLinks: false
{{- with include "emberscope.pullSecrets" . }}
imagePullSecrets:
  {{- . | trim | nindent 2 }}
{{- end }}
affinity:
  {{- include "emberscope.affinity" . | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The configuration and the TLS files in one volume: a mount inside a read-only mount cannot be made. 256 is 0400. */}}
{{- define "emberscope.configVolume" -}}
{{- $tls := default dict (default dict .Values.secrets).tls -}}
projected:
  defaultMode: 256
  sources:
    - configMap:
        name: {{ include "emberscope.configMapName" . }}
        items:
          - key: agent.yaml
            path: agent.yaml
    {{- with $tls.existingSecret }}
    - secret:
        name: {{ . }}
        items:
          {{- range ternary (list "ca.crt" "tls.crt" "tls.key") (list "ca.crt") (default false $tls.clientCertificate) }}
          - key: {{ . }}
            path: tls/{{ . }}
          {{- end }}
    {{- end }}
{{- end }}

{{- define "emberscope.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
periodSeconds: {{ default 10 .probe.periodSeconds }}
timeoutSeconds: {{ default 5 .probe.timeoutSeconds }}
failureThreshold: {{ default 3 .probe.failureThreshold }}
{{- end }}
