package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// simulated is what the stand-in was told to suffer. The variables are the local stack's own: the emulated
// ECS reads those that make sense there even where no container runs.
//
//	FILEFLOW_SIMULATE_EXIT                 exit with this code (0 to 255)
//	FILEFLOW_SIMULATE_EXIT_AFTER_SECONDS   how long after the start; 0.3 if omitted
//	FILEFLOW_SIMULATE_FAILURE              database, redis, secrets or oom: log what FileFlow logs then, exit 1
//	FILEFLOW_SIMULATE_OOM                  1: take more memory than the container has, until the kernel ends it
//	FILEFLOW_SIMULATE_LOG                  lines to log first, as they are
//	FILEFLOW_SIMULATE_UNHEALTHY            1: health is DOWN
//	FILEFLOW_SIMULATE_HANG                 1: accept connections and never answer
//	FILEFLOW_SIMULATE_START_SECONDS        stay not ready for so long
//	FILEFLOW_SIMULATE_STOP_SECONDS         take so long to stop
//	FILEFLOW_SIMULATE_IGNORE_SIGTERM       1: don't stop at all
type simulated struct {
	exits          bool
	exitCode       int
	endsAfter      time.Duration
	failure        string
	outOfMemory    bool
	logLines       []string
	unhealthy      bool
	hangs          bool
	startsAfter    time.Duration
	stopAfter      time.Duration
	ignoresSIGTERM bool
}

const (
	variablePrefix  = "FILEFLOW_SIMULATE_"
	exitAfter       = 300 * time.Millisecond
	exitByOOMKiller = 137
)

// failures are the last words of a FileFlow that can't start, by cause.
var failures = map[string][]string{
	"database": {
		"com.zaxxer.hikari.pool.HikariPool$PoolInitializationException: Failed to initialize pool: Communications link failure",
		"Caused by: java.net.ConnectException: Connection refused",
		"APPLICATION FAILED TO START: Unable to open JDBC Connection to the database",
	},
	"redis": {
		"org.springframework.data.redis.RedisConnectionFailureException: Unable to connect to Redis",
		"Caused by: io.lettuce.core.RedisConnectionException: Unable to connect to redis:6379",
		"Caused by: java.net.ConnectException: Connection refused",
		"APPLICATION FAILED TO START: Unable to connect to Redis",
	},
	"secrets": {
		"software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException: User is not authorized to " +
			"perform: secretsmanager:GetSecretValue (Service: SecretsManager, Status Code: 400)",
		"APPLICATION FAILED TO START: AccessDeniedException while reading a secret",
	},
	"oom": {
		`Exception in thread "main" java.lang.OutOfMemoryError: Java heap space`,
		"Terminating due to java.lang.OutOfMemoryError: Java heap space",
	},
}

func readSimulated(get func(string) string) (simulated, error) {
	result := simulated{failure: get(variablePrefix + "FAILURE"), endsAfter: exitAfter}
	if _, known := failures[result.failure]; result.failure != "" && !known {
		return simulated{}, fmt.Errorf(
			"%sFAILURE is %q; it must be database, redis, secrets or oom", variablePrefix, result.failure)
	}
	if text := get(variablePrefix + "EXIT"); text != "" {
		code, err := strconv.Atoi(text)
		if err != nil || code < 0 || code > 255 {
			return simulated{}, fmt.Errorf("%sEXIT is %q; it must be an exit code from 0 to 255", variablePrefix, text)
		}
		result.exits, result.exitCode = true, code
	}
	if text := get(variablePrefix + "LOG"); text != "" {
		result.logLines = strings.Split(strings.TrimRight(text, "\n"), "\n")
	}
	for name, target := range map[string]*bool{
		"OOM":            &result.outOfMemory,
		"UNHEALTHY":      &result.unhealthy,
		"HANG":           &result.hangs,
		"IGNORE_SIGTERM": &result.ignoresSIGTERM,
	} {
		*target = get(variablePrefix+name) == "1"
	}
	for name, target := range map[string]*time.Duration{
		"EXIT_AFTER_SECONDS": &result.endsAfter,
		"START_SECONDS":      &result.startsAfter,
		"STOP_SECONDS":       &result.stopAfter,
	} {
		text := get(variablePrefix + name)
		if text == "" {
			continue
		}
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds >= 0 && seconds <= 86400) {
			return simulated{}, fmt.Errorf(
				"%s%s is %q; it must be a number of seconds from 0 to 86400", variablePrefix, name, text)
		}
		*target = time.Duration(seconds * float64(time.Second))
	}
	return result, nil
}

// run waits and fails as told, and returns the exit code. The second result is false if nothing was told.
func (s simulated) run(log *logger) (int, bool) {
	if !s.exits && !s.outOfMemory && s.failure == "" {
		return 0, false
	}
	time.Sleep(s.endsAfter)
	if s.outOfMemory {
		return takeAllMemory(log), true
	}
	code := s.exitCode
	if s.failure != "" {
		for _, line := range failures[s.failure] {
			log.raw(line)
		}
		if !s.exits {
			code = 1
		}
		if s.failure == "oom" && !s.exits {
			// What a JVM exits with under -XX:+ExitOnOutOfMemoryError.
			code = 3
		}
	}
	log.info("main", "o.s.boot.SpringApplication", fmt.Sprintf("Stopping, as simulated, with exit code %d", code))
	return code, true
}

// takeAllMemory lets the kernel end this process. Where the container has no limit it only pretends, so as
// not to bring the whole machine down.
func takeAllMemory(log *logger) int {
	limit := memoryLimitBytes()
	if limit <= 0 {
		log.raw("java.lang.OutOfMemoryError: simulated, because this container has no memory limit to exceed")
		return exitByOOMKiller
	}
	const chunkBytes = 1 << 20
	var taken [][]byte
	for total := int64(0); total < 2*limit; total += chunkBytes {
		chunk := make([]byte, chunkBytes)
		for offset := 0; offset < chunkBytes; offset += 4096 {
			chunk[offset] = 1
		}
		taken = append(taken, chunk)
	}
	runtime.KeepAlive(taken)
	log.raw("java.lang.OutOfMemoryError: simulated, because the kernel let this process exceed its memory limit")
	return exitByOOMKiller
}

// memoryLimitBytes is the container's memory limit, by cgroup version 2 or 1; 0 if it has none.
func memoryLimitBytes() int64 {
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		// Version 1 says "no limit" by a huge number, version 2 by the word max.
		if err == nil && limit > 0 && limit < 1<<50 {
			return limit
		}
	}
	return 0
}
