package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// metrics are written as Micrometer writes them for Prometheus. The names are those that dashboards of a
// Spring Boot application ask for; the values are the stand-in's own, measured by the Go runtime, and every
// help text says so.
type metrics struct {
	mutex    sync.Mutex
	requests map[requestKey]*requestTotals
}

type requestKey struct {
	method, uri string
	status      int
}

type requestTotals struct {
	count   int
	seconds float64
}

func newMetrics() *metrics { return &metrics{requests: map[requestKey]*requestTotals{}} }

func (m *metrics) count(method, uri string, status int, took time.Duration) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	key := requestKey{method, uri, status}
	totals := m.requests[key]
	if totals == nil {
		totals = &requestTotals{}
		m.requests[key] = totals
	}
	totals.count++
	totals.seconds += took.Seconds()
}

func (m *metrics) write(output io.Writer, application string, started time.Time, readyIn time.Duration) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	var usage syscall.Rusage
	cpuSeconds := 0.0
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		for _, part := range []syscall.Timeval{usage.Utime, usage.Stime} {
			cpuSeconds += float64(part.Sec) + float64(part.Usec)/1e6
		}
	}
	common := `application="` + escapeLabel(application) + `",stand_in="true"`
	page := page{common: common}
	page.gauge("fileflow_stand_in", "1: a stand-in answers, not FileFlow", "", 1)
	page.gauge("application_ready_time_seconds", "Time until ready", "", readyIn.Seconds())
	page.gauge("jvm_memory_used_bytes", "Memory in use", `area="heap",id="Go heap"`, float64(memory.HeapAlloc))
	page.gauge("jvm_memory_committed_bytes", "Memory taken from the system", `area="heap",id="Go heap"`, float64(memory.HeapSys))
	page.gauge("jvm_memory_max_bytes", "The container's memory limit, -1 if none", `area="heap",id="Go heap"`, float64(limitOrMinusOne()))
	page.gauge("jvm_threads_live_threads", "Goroutines", "", float64(runtime.NumGoroutine()))
	page.head("jvm_gc_pause_seconds", "Garbage collections", "summary")
	page.sample("jvm_gc_pause_seconds_count", `gc="Go"`, float64(memory.NumGC))
	page.sample("jvm_gc_pause_seconds_sum", `gc="Go"`, float64(memory.PauseTotalNs)/1e9)
	page.gauge("process_uptime_seconds", "Time since the start", "", time.Since(started).Seconds())
	page.gauge("process_start_time_seconds", "Start since the epoch", "", float64(started.UnixMilli())/1000)
	page.counter("process_cpu_seconds_total", "Processor time used", "", cpuSeconds)
	page.gauge("process_files_open_files", "Open file descriptors", "", float64(openFiles()))
	page.gauge("system_cpu_count", "Processors", "", float64(runtime.NumCPU()))
	m.writeRequests(&page)
	io.WriteString(output, page.text.String())
}

func (m *metrics) writeRequests(page *page) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	keys := make([]requestKey, 0, len(m.requests))
	for key := range m.requests {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
	if len(keys) > 0 {
		page.head("http_server_requests_seconds", "Requests answered", "summary")
	}
	for _, key := range keys {
		outcome := map[int]string{2: "SUCCESS", 4: "CLIENT_ERROR", 5: "SERVER_ERROR"}[key.status/100]
		labels := fmt.Sprintf(`method="%s",outcome="%s",status="%d",uri="%s"`,
			escapeLabel(key.method), outcome, key.status, escapeLabel(key.uri))
		page.sample("http_server_requests_seconds_count", labels, float64(m.requests[key].count))
		page.sample("http_server_requests_seconds_sum", labels, m.requests[key].seconds)
	}
}

// page is a text of metrics in Prometheus's format.
type page struct {
	common string
	text   strings.Builder
}

func (p *page) gauge(name, help, labels string, value float64) {
	p.head(name, help, "gauge")
	p.sample(name, labels, value)
}

func (p *page) counter(name, help, labels string, value float64) {
	p.head(name, help, "counter")
	p.sample(name, labels, value)
}

func (p *page) head(name, help, kind string) {
	fmt.Fprintf(&p.text, "# HELP %s %s (of the stand-in for FileFlow)\n# TYPE %s %s\n", name, help, name, kind)
}

func (p *page) sample(name, labels string, value float64) {
	if labels != "" {
		labels += ","
	}
	fmt.Fprintf(&p.text, "%s{%s%s} %s\n", name, labels, p.common, strconv.FormatFloat(value, 'g', -1, 64))
}

func escapeLabel(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text)
}

func limitOrMinusOne() int64 {
	if limit := memoryLimitBytes(); limit > 0 {
		return limit
	}
	return -1
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
