module go.opentelemetry.io/collector/otelcol

go 1.24
