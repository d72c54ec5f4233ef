{{/* The name that all objects of this release start with. */}}
{{- define "redis.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of this release; never changes between versions. */}}
{{- define "redis.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "redis.labels" -}}
{{ include "redis.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* The password in use: the one given, else the one of the last revision, else a new one. */}}
{{- define "redis.password" -}}
{{- $last := lookup "v1" "Secret" .Release.Namespace (include "redis.fullname" .) -}}
{{- if .Values.auth.password -}}
{{- .Values.auth.password | b64enc -}}
{{- else if and $last $last.data (index $last.data "redis-password") -}}
{{- index $last.data "redis-password" -}}
{{- else -}}
{{- randAlphaNum 24 | b64enc -}}
{{- end -}}
{{- end -}}

{{- define "redis.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 999
runAsGroup: 999
fsGroup: 999
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "redis.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end -}}

{{/* redis-cli reads the password from REDISCLI_AUTH, so it never shows among the processes. */}}
{{- define "redis.environment" -}}
{{- if .Values.auth.enabled }}
- name: REDISCLI_AUTH
  valueFrom:
    secretKeyRef:
      name: {{ include "redis.fullname" . }}
      key: redis-password
{{- end }}
{{- end -}}

{{- define "redis.probes" -}}
startupProbe:
  exec:
    command: [sh, /etc/redis/ping.sh]
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
readinessProbe:
  exec:
    command: [sh, /etc/redis/ping.sh]
  periodSeconds: 5
  timeoutSeconds: 5
livenessProbe:
  tcpSocket:
    port: redis
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}
