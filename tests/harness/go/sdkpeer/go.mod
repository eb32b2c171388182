module example.test/sdkpeer

go 1.19

require go.opentelemetry.io/otel/sdk v1.7.0
