module example.test/sqldriver

go 1.19
