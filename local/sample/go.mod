module fileflow.local/sample

go 1.21
