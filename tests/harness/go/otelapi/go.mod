module example.test/otelapi

go 1.19

require go.opentelemetry.io/otel v1.0.1
