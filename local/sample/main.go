// The stand-in for FileFlow on the local stack: one small static program in place of three Spring Boot
// applications that need a JVM, a database and Redis. It answers the paths that load balancer, Prometheus
// and people ask for, logs in Spring Boot's format, and can be told by environment variables to fail in the
// ways that FileFlow fails. It does no work of FileFlow's, and says so in its log, in /actuator/info and in
// its metrics.
//
// Usage:
//
//	fileflow           serve until SIGTERM
//	fileflow health    exit 0 when the one that serves here is UP (for a container's health check)
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// exitBySIGTERM is what a JVM exits with after an orderly shutdown on SIGTERM.
const exitBySIGTERM = 143

// shutdownSeconds is Spring Boot's own default for spring.lifecycle.timeout-per-shutdown-phase.
const shutdownSeconds = 30

func main() {
	settings, err := readSettings(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if len(os.Args) > 1 {
		if len(os.Args) == 2 && os.Args[1] == "health" {
			os.Exit(checkHealth(settings))
		}
		fmt.Fprintf(os.Stderr, "unknown arguments %q; usage: fileflow [health]\n", os.Args[1:])
		os.Exit(2)
	}
	os.Exit(serve(settings))
}

// serve runs the application and returns the process's exit code.
func serve(settings settings) int {
	// Before anything else: as process 1 of a container, only signals that are asked for arrive at all.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)

	log := newLogger(os.Stdout, settings.applicationName)
	log.info("main", settings.logClass, fmt.Sprintf(
		"Starting %s using a stand-in for FileFlow (no JVM, no database, no Redis) with PID %d",
		settings.mainClass, os.Getpid()))
	log.info("main", settings.logClass, `The following 1 profile is active: "stand-in"`)
	for _, line := range settings.simulated.logLines {
		log.raw(line)
	}

	application := newApplication(settings, log)
	servers, err := application.listen()
	if err != nil {
		log.failedToStart(err.Error(), "Identify and stop the process that's listening, or configure another port.")
		return 1
	}
	failed := make(chan int, 1)
	go func() {
		if code, ends := settings.simulated.run(log); ends {
			failed <- code
		}
	}()
	go application.becomeReady()

	select {
	case code := <-failed:
		return code
	case <-stop:
		return application.shutDown(servers, stop)
	}
}

// listen opens the ports and starts to answer.
func (a *application) listen() ([]*http.Server, error) {
	var servers []*http.Server
	for _, port := range a.settings.ports() {
		listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
		if err != nil {
			return nil, fmt.Errorf("Web server failed to start. Port %d was already in use (%w).", port, err)
		}
		server := &http.Server{Handler: a.handler(port), ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, server)
		go func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				a.log.failedToStart(err.Error(), "Restart the container.")
				os.Exit(1)
			}
		}()
	}
	return servers, nil
}

// shutDown refuses traffic, waits for requests under way, and returns a JVM's exit code.
func (a *application) shutDown(servers []*http.Server, stop <-chan os.Signal) int {
	a.ready.Store(false)
	a.log.info("ionShutdownHook", "o.s.boot.tomcat.GracefulShutdown",
		"Commencing graceful shutdown. Waiting for active requests to complete")
	if a.settings.simulated.ignoresSIGTERM {
		// The engine's SIGKILL ends it.
		for range stop {
			continue
		}
	}
	time.Sleep(a.settings.simulated.stopAfter)
	deadline, cancel := context.WithTimeout(context.Background(), shutdownSeconds*time.Second)
	defer cancel()
	outcome := "Graceful shutdown complete"
	for _, server := range servers {
		if err := server.Shutdown(deadline); err != nil {
			outcome = "Graceful shutdown aborted with one or more requests still active"
		}
	}
	a.log.info("tomcat-shutdown", "o.s.boot.tomcat.GracefulShutdown", outcome)
	return exitBySIGTERM
}

// checkHealth asks the application of this container for its health and returns an exit code.
func checkHealth(settings settings) int {
	client := http.Client{Timeout: 2 * time.Second}
	url := fmt.Sprintf("http://127.0.0.1:%d/actuator/health", settings.managementPort)
	response, err := client.Get(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	response.Body.Close()
	fmt.Println(url, response.Status)
	if response.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}
