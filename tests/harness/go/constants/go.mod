module example.test/constants

go 1.21

require go.opentelemetry.io/otel v1.0.1
