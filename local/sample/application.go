package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// actuatorJSON is the content type of Spring Boot 3's Actuator.
const actuatorJSON = "application/vnd.spring-boot.actuator.v3+json"

// application answers requests; its state is what Spring Boot calls availability.
type application struct {
	settings settings
	log      *logger
	started  time.Time
	ready    atomic.Bool
}

func newApplication(settings settings, log *logger) *application {
	return &application{settings: settings, log: log, started: time.Now()}
}

// becomeReady accepts traffic from the moment on that a Spring application would.
func (a *application) becomeReady() {
	time.Sleep(a.settings.simulated.startsAfter)
	a.ready.Store(true)
	readyIn := time.Since(a.started).Seconds()
	for _, port := range a.settings.ports() {
		a.log.info("main", "o.s.b.w.embedded.tomcat.TomcatWebServer",
			fmt.Sprintf("Tomcat started on port %d (http) with context path '/'", port))
	}
	a.log.info("main", a.settings.logClass, fmt.Sprintf("Started %s in %.3f seconds (process running for %.3f)",
		a.settings.mainClass, readyIn, readyIn))
}

// handler answers on one port: the Actuator on the management port, the application on its own.
func (a *application) handler(port int) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		path := strings.TrimSuffix(request.URL.Path, "/")
		switch {
		case a.settings.simulated.hangs:
			<-request.Context().Done()
		case request.Method != http.MethodGet && request.Method != http.MethodHead:
			writeError(writer, http.StatusMethodNotAllowed, request.URL.Path)
		case path == "" && port == a.settings.port:
			writeJSON(writer, http.StatusOK, "application/json", map[string]any{
				"application": a.settings.applicationName,
				"standIn":     true,
				"message":     "A stand-in for FileFlow on the local stack; it does none of FileFlow's work.",
			})
		case port != a.settings.managementPort || !a.answerActuator(writer, path):
			writeError(writer, http.StatusNotFound, request.URL.Path)
		}
	})
}

// answerActuator answers on the Actuator's paths, and says whether this is one.
func (a *application) answerActuator(writer http.ResponseWriter, path string) bool {
	switch path {
	case "/actuator":
		links := map[string]any{"self": map[string]any{"href": "/actuator", "templated": false}}
		for _, name := range []string{"health", "info", "prometheus"} {
			links[name] = map[string]any{"href": "/actuator/" + name, "templated": false}
		}
		writeJSON(writer, http.StatusOK, actuatorJSON, map[string]any{"_links": links})
	case "/actuator/health":
		a.writeHealth(writer, !a.settings.simulated.unhealthy && a.ready.Load(), map[string]any{
			"groups": []string{"liveness", "readiness"},
		})
	case "/actuator/health/liveness":
		a.writeHealth(writer, true, nil)
	case "/actuator/health/readiness":
		a.writeHealth(writer, !a.settings.simulated.unhealthy && a.ready.Load(), nil)
	case "/actuator/info":
		writeJSON(writer, http.StatusOK, actuatorJSON, map[string]any{
			"app":   map[string]any{"name": a.settings.applicationName, "module": a.settings.module, "standIn": true},
			"build": map[string]any{"go": runtime.Version(), "architecture": runtime.GOARCH},
		})
	case "/actuator/prometheus":
		writer.Header().Set("Content-Type", "text/plain;version=0.0.4;charset=utf-8")
		writeMetrics(writer, a.settings.applicationName, a.started)
	default:
		return false
	}
	return true
}

// writeHealth answers 200 and UP, or 503 and what Spring Boot says of an application that isn't.
func (a *application) writeHealth(writer http.ResponseWriter, up bool, rest map[string]any) {
	body := map[string]any{"status": "UP"}
	status := http.StatusOK
	if !up {
		status = http.StatusServiceUnavailable
		body["status"] = "DOWN"
		if !a.settings.simulated.unhealthy {
			body["status"] = "OUT_OF_SERVICE"
		}
	}
	for key, value := range rest {
		body[key] = value
	}
	writeJSON(writer, status, actuatorJSON, body)
}

func writeError(writer http.ResponseWriter, status int, path string) {
	writeJSON(writer, status, "application/json", map[string]any{
		"timestamp": time.Now().Format("2006-01-02T15:04:05.000Z07:00"),
		"status":    status,
		"error":     http.StatusText(status),
		"path":      path,
	})
}

func writeJSON(writer http.ResponseWriter, status int, contentType string, body map[string]any) {
	writer.Header().Set("Content-Type", contentType)
	writer.WriteHeader(status)
	// Fails only when the client has gone, whom nobody can tell.
	_ = json.NewEncoder(writer).Encode(body)
}
