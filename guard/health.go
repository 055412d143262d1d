package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"time"
)

// The states that a guard is in, for the health check.
const (
	stateWaiting = "waiting"
	stateRunning = "running"
	stateEnded   = "ended"
)

// state is what a guard tells its health check: a state, and since when the guard and the state have been, on the clock
// that both read.
type state struct {
	State        string
	Begun, Since time.Duration
}

// ownSocket is an abstract address, which needs no writable folder. Containers on a common network have process
// identifiers of their own, and so an address of their own.
func ownSocket() string {
	// Without /proc there is one address for all.
	namespace, _ := os.Readlink("/proc/self/ns/pid")
	return "@fileflow-guard/" + namespace
}

func serveState(socket string, state *atomic.Pointer[state]) {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		fail(0, fmt.Sprintf("no health check will get an answer: %v", err))
		return
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		_ = connection.SetDeadline(time.Now().Add(time.Second))
		// A health check that has gone away needs no answer.
		_ = json.NewEncoder(connection).Encode(state.Load())
		connection.Close()
	}
}

// health is a container's health check. A guard that waits for the lease is well, but not before the start period has
// passed: until then ECS counts no failure, and its rollout isn't done before the child has answered. A child has the
// start period too, from when it was started. Without a command a running child is a healthy one.
func health(arguments []string) int {
	flags := flag.NewFlagSet("guard health", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	socket := flags.String("socket", ownSocket(), "")
	startPeriod := flags.Duration("start-period", 2*time.Minute, "")
	if err := flags.Parse(arguments); err != nil {
		return fail(exitUsage, err.Error()+"\n"+usage)
	}
	told, err := ask(*socket)
	if err != nil {
		return fail(1, fmt.Sprintf("no guard answers: %v", err))
	}
	return judge(told, bootTime(), *startPeriod, func() int { return check(flags.Args()) })
}

func ask(socket string) (told state, err error) {
	connection, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return told, err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(time.Second))
	return told, json.NewDecoder(connection).Decode(&told)
}

func judge(told state, now, startPeriod time.Duration, check func() int) int {
	starting := now < told.Begun+startPeriod
	switch told.State {
	case stateWaiting:
		if starting {
			return fail(1, "the guard waits for the lease")
		}
		return 0
	case stateRunning:
		code := check()
		if code != 0 && !starting && now < told.Since+startPeriod {
			return 0
		}
		return code
	default:
		return fail(1, "the child has ended")
	}
}

// check asks the child itself, where there is a command to ask with.
func check(command []string) int {
	if len(command) == 0 {
		return 0
	}
	asking := exec.Command(command[0], command[1:]...)
	asking.Stdout, asking.Stderr = os.Stdout, os.Stderr
	if err := asking.Run(); err != nil {
		return fail(1, err.Error())
	}
	return 0
}
