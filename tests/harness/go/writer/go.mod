module example.test/writer

go 1.19

require (
	golang.org/x/net v0.0.0-20200822124328-c89045814202
	google.golang.org/grpc v1.40.0
)
