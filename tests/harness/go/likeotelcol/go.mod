module example.test/telemetry

go 1.24

require go.opentelemetry.io/collector/otelcol v0.0.0

replace go.opentelemetry.io/collector/otelcol => ./otelcol
