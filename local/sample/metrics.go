package main

import (
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// metric is one line that Prometheus reads, with what is said of it.
type metric struct {
	name, kind, help, labels string
	value                    float64
}

// writeMetrics writes as Micrometer does for Prometheus. The names are those that dashboards of a Spring Boot
// application ask for; the values are the stand-in's own, measured by the Go runtime, and every help text says so.
func writeMetrics(output io.Writer, application string, started time.Time) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	var usage syscall.Rusage
	cpuSeconds := 0.0
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		for _, part := range []syscall.Timeval{usage.Utime, usage.Stime} {
			cpuSeconds += float64(part.Sec) + float64(part.Usec)/1e6
		}
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(application)
	for _, metric := range []metric{
		{"fileflow_stand_in", "gauge", "1: a stand-in answers, not FileFlow", "", 1},
		{"jvm_memory_used_bytes", "gauge", "Memory in use", `area="heap",id="Go heap",`, float64(memory.HeapAlloc)},
		{"process_uptime_seconds", "gauge", "Time since the start", "", time.Since(started).Seconds()},
		{"process_cpu_seconds_total", "counter", "Processor time used", "", cpuSeconds},
	} {
		fmt.Fprintf(output, "# HELP %s %s (of the stand-in for FileFlow)\n", metric.name, metric.help)
		fmt.Fprintf(output, "# TYPE %s %s\n", metric.name, metric.kind)
		fmt.Fprintf(output, "%s{%sapplication=\"%s\",stand_in=\"true\"} %s\n", metric.name, metric.labels, escaped,
			strconv.FormatFloat(metric.value, 'g', -1, 64))
	}
}
