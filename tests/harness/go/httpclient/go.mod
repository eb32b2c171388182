module example.test/httpclient

go 1.19

require (
	golang.org/x/net v0.27.0
	golang.org/x/sync v0.7.0
)

require golang.org/x/text v0.16.0 // indirect
