package main

import (
	"fmt"
	"strconv"
	"strings"
)

// service is what one of FileFlow's Gradle modules becomes when it runs.
type service struct {
	name      string
	mainClass string
	port      int
}

// services by Gradle module; the ports are those of the deployment guide.
var services = map[string]service{
	"bootstrap-web-api":            {"fileflow-web-api", "FileFlowWebApiApplication", 8083},
	"bootstrap-scheduler-download": {"fileflow-scheduler-download", "DownloadSchedulerApplication", 9091},
	"bootstrap-scheduler-pipeline": {"fileflow-scheduler-pipeline", "PipelineSchedulerApplication", 9092},
}

// springBootPort is where a Spring Boot application listens that was told nothing.
const springBootPort = 8080

type settings struct {
	applicationName string
	mainClass       string
	logClass        string
	module          string
	port            int
	managementPort  int
	simulated       simulated
}

func (s settings) ports() []int {
	if s.managementPort == s.port {
		return []int{s.port}
	}
	return []int{s.port, s.managementPort}
}

// readSettings reads what a Spring Boot application would read by the same names. FILEFLOW_MODULE comes from
// the image; it decides the name and the port unless SPRING_APPLICATION_NAME, SERVER_PORT or
// MANAGEMENT_SERVER_PORT say otherwise.
func readSettings(get func(string) string) (settings, error) {
	module := get("FILEFLOW_MODULE")
	shortName := module[strings.LastIndex(module, ":")+1:]
	found, known := services[shortName]
	if !known {
		name := shortName
		if name == "" {
			name = "fileflow"
		}
		found = service{name, "FileFlowApplication", springBootPort}
	}
	result := settings{
		applicationName: found.name,
		mainClass:       found.mainClass,
		logClass:        "c.r.fileflow." + found.mainClass,
		module:          module,
		port:            found.port,
	}
	if name := get("SPRING_APPLICATION_NAME"); name != "" {
		result.applicationName = name
	}
	var err error
	if result.port, err = readPort(get, "SERVER_PORT", result.port); err != nil {
		return settings{}, err
	}
	if result.managementPort, err = readPort(get, "MANAGEMENT_SERVER_PORT", result.port); err != nil {
		return settings{}, err
	}
	result.simulated, err = readSimulated(get)
	return result, err
}

func readPort(get func(string) string, name string, otherwise int) (int, error) {
	text := get(name)
	if text == "" {
		return otherwise, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("%s is %q; it must be a port from 1 to 65535", name, text)
	}
	return port, nil
}
