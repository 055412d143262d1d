package main

import (
	"fmt"
	"io"
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

func (m *metrics) write(output io.Writer, application string, started time.Time) {
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
	page.gauge("jvm_memory_used_bytes", "Memory in use", `area="heap",id="Go heap"`, float64(memory.HeapAlloc))
	page.gauge("process_uptime_seconds", "Time since the start", "", time.Since(started).Seconds())
	page.counter("process_cpu_seconds_total", "Processor time used", "", cpuSeconds)
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
