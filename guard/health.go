package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// state is what a guard tells its health check: what it does, and since when the guard and that have been, on the clock
// that both read.
type state struct {
	State        string
	Begun, Since time.Duration
}

const (
	stateWaiting = "waiting"
	stateRunning = "running"
	stateEnded   = "ended"
)

// ownSocket is an abstract address, which needs no writable folder. Containers on a common network have process
// identifiers of their own, and so an address of their own; without /proc all have one.
func ownSocket() string {
	namespace, _ := os.Readlink("/proc/self/ns/pid")
	return "@fileflow-guard/" + namespace
}

func serveState(socket string, state *atomic.Pointer[state]) error {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() {
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
	}()
	return nil
}

// health is a container's health check.
func health(arguments []string) int {
	socket := flag.String("socket", ownSocket(), "")
	startPeriod := flag.Duration("start-period", 2*time.Minute, "")
	// A flag that it doesn't know ends the program with the usage.
	_ = flag.CommandLine.Parse(arguments)
	var told state
	connection, err := net.DialTimeout("unix", *socket, time.Second)
	if err == nil {
		_ = connection.SetDeadline(time.Now().Add(time.Second))
		err = json.NewDecoder(connection).Decode(&told)
	}
	if err != nil {
		return fail(1, fmt.Errorf("no guard answers: %w", err))
	}
	return judge(told, bootTime(), *startPeriod, flag.Args())
}

// judge: a guard that waits for the lease is well, but not before the start period has passed. Until then ECS counts no
// failure, and its rollout isn't done before the child has answered. A child has the start period too, from when it was
// started; afterwards its own check decides, where there is one.
func judge(told state, now, startPeriod time.Duration, check []string) int {
	isStarting := now < told.Begun+startPeriod
	switch {
	case told.State == stateWaiting && isStarting:
		return fail(1, errors.New("the guard waits for the lease"))
	case told.State == stateEnded:
		return fail(1, errors.New("the child has ended"))
	case told.State == stateWaiting || len(check) == 0:
		return 0
	}
	err := withOwnStreams(check).Run()
	if err != nil && (isStarting || now >= told.Since+startPeriod) {
		return fail(1, err)
	}
	return 0
}
