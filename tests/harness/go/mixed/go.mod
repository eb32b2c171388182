module example.test/mixed

go 1.19

require google.golang.org/grpc v1.40.0
