{{/* The gateway's settings where nothing is given, as YAML; written by tests/deploy/run --write. */}}
{{- define "faxplus-gateway.defaultSettings" -}}
server:
  listen: 127.0.0.1:8080
  admin_listen: 127.0.0.1:9090
  workers: 2
  default_wait_seconds: 20
  max_wait_seconds: 300
  body_idle_timeout_seconds: 30
  min_body_bytes_per_second: 1024
  keep_alive_seconds: 75
  max_connections: 1024
  drain_delay_seconds: 5
  drain_timeout_seconds: 60
intake:
  max_body_bytes: 0
  max_addresses: 10000000
  memory_bytes: 33554432
upstream:
  base_url: https://restapi.fax.plus/v3
  batch_size: 10
  max_in_flight: 8
  max_calls_per_second: 10
  request_timeout_seconds: 30
  connect_timeout_seconds: 5
  max_retry_after_seconds: 3600
  ca_file: ''
  on_unknown: report
  max_attempts: 3
  isolate_rejected: true
  min_backoff_ms: 200
  max_backoff_ms: 30000
  breaker_failures: 5
  breaker_cooldown_seconds: 10
credentials:
  kind: personal_access_token
  token: ''
  token_file: ''
  client_id: ''
  client_secret: ''
  client_secret_file: ''
  refresh_token: ''
  refresh_token_file: ''
  token_url: https://accounts.fax.plus/token
  refresh_in: body
dedupe:
  window_seconds: 3600
  max_entries: 400000
  ignore_local_part_case: true
dispatch:
  max_queued_addresses: 10000000
  max_hold_seconds: 86400
store:
  path: data/gateway.db
  retention_seconds: 259200
  max_bytes: 0
  reserve_bytes: 268435456
compat:
  wait_seconds: 50
auth:
  mode: none
  clients_file: ''
  allow_anonymous: false
log:
  format: auto
  level: info
{{- end -}}
