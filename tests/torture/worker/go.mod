module fileflow/torture/worker

go 1.25
