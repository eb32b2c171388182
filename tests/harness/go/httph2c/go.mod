module example.test/httph2c

go 1.24

require golang.org/x/net v0.27.0

require golang.org/x/text v0.16.0 // indirect
