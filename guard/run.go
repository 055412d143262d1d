package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	// A container may have no certificates of its own.
	_ "golang.org/x/crypto/x509roots/fallback"

	"fileflow/guard/protocol"
	"fileflow/guard/table"
)

// FencingVariable is how the child learns the number of its acquisition.
const FencingVariable = "LEASE_FENCING_TOKEN"

// longestSleep is how late the guard notices that the machine was suspended: Go's timers don't count that time.
const longestSleep = time.Second

// guard drives one machine: it owns the clock, the calls and the child.
type guard struct {
	options  options
	table    *table.Table
	machine  *protocol.Machine
	task     string
	watchdog *watchdog
	child    *child
	answers  chan func()
	state    atomic.Pointer[state]
	begun    time.Duration
	code     int
	done     bool
}

func run(arguments []string) int {
	// The guard idles for months: a small heap is worth more than the processor's time for collecting it.
	debug.SetGCPercent(25)
	signals := make(chan os.Signal, 16)
	signal.Notify(signals)
	// The Go runtime sends itself this one all the time.
	signal.Reset(syscall.SIGURG)
	signal.Ignore(syscall.SIGPIPE)
	if os.Getpid() == 1 {
		return runAsInit(signals)
	}
	options, err := parse(arguments)
	if err != nil {
		return fail(exitUsage, err.Error()+"\n"+usage)
	}
	opened, err := table.Open(options.table, options.key, options.region, os.Getenv, transport())
	if err != nil {
		return fail(exitSetting, err.Error())
	}
	watchdog, err := newWatchdog()
	if err != nil {
		return fail(exitSetting, err.Error())
	}
	task := taskName(os.Getenv("ECS_CONTAINER_METADATA_URI_V4"))
	g := &guard{
		options:  options,
		table:    opened,
		task:     task,
		machine:  protocol.New(options.timing, rand.Text(), task, time.Now().Unix(), bootTime()),
		watchdog: watchdog,
		answers:  make(chan func(), 4),
		begun:    bootTime(),
	}
	g.tell(stateWaiting)
	go serveState(options.socket, &g.state)
	return g.loop(signals)
}

func (g *guard) loop(signals <-chan os.Signal) int {
	g.act(g.machine.Wake(bootTime()))
	for !g.done {
		timer := time.NewTimer(max(0, min(g.machine.Next()-bootTime(), longestSleep)))
		select {
		case <-timer.C:
			g.act(g.machine.Wake(bootTime()))
		case answered := <-g.answers:
			answered()
		case got := <-signals:
			g.signalled(got)
		case g.code = <-g.child.ended():
			g.child = nil
			g.tell(stateEnded)
			g.act(g.machine.ChildEnded(bootTime()))
			g.watchdog.set(0)
		}
		timer.Stop()
	}
	return g.code
}

// tell lets health checks know what the guard does.
func (g *guard) tell(now string) { g.state.Store(&state{now, g.begun, bootTime()}) }

// signalled passes on what the guard is sent. Two signals mean the end; the others are the child's affair.
func (g *guard) signalled(got os.Signal) {
	switch got {
	case syscall.SIGTERM, syscall.SIGINT:
		if g.child == nil {
			g.code = 128 + int(got.(syscall.Signal))
		}
		g.act(g.machine.Stop(bootTime()))
	case syscall.SIGCHLD:
		// A child's end is waited for elsewhere.
	default:
		g.child.signal(got.(syscall.Signal))
	}
}

func (g *guard) act(actions []protocol.Action) {
	// Before anything else, and before a child is started above all: from here on the kernel sees to the deadline.
	if deadline, ok := g.machine.Deadline(); ok {
		g.watchdog.set(deadline)
	}
	for _, action := range actions {
		switch action.Kind {
		case protocol.Read, protocol.Write:
			go g.call(action)
		case protocol.Start:
			g.start(action.Record)
		case protocol.Terminate:
			g.child.signal(syscall.SIGTERM)
		case protocol.Kill:
			g.child.kill()
		case protocol.Say:
			say(os.Stderr, line{Event: "scheduler lease " + action.Event, Key: g.options.key, Task: g.task, Holder: action.Record.Holder,
				Fencing: action.Record.Fencing, Seconds: action.Waited.Seconds(), Reason: action.Reason})
		case protocol.Exit:
			g.done = true
			if action.Reason != "" {
				g.code = fail(exitNotAllowed, action.Reason)
			}
		}
	}
}

func (g *guard) call(action protocol.Action) {
	limited, cancel := context.WithTimeout(context.Background(), g.options.timing.Limit)
	defer cancel()
	var answer protocol.Answer
	if action.Kind == protocol.Read {
		answer = g.table.Read(limited)
	} else {
		answer = g.table.Write(limited, action.Expect, action.Record)
	}
	g.answers <- func() { g.act(g.machine.Answered(bootTime(), action.Call, answer)) }
}

func (g *guard) start(record protocol.Record) {
	environment := append(os.Environ(), FencingVariable+"="+strconv.FormatInt(record.Fencing, 10))
	child, code, err := startChild(g.options.command, environment)
	if err != nil {
		fail(code, err.Error())
		g.code = code
		g.act(g.machine.ChildEnded(bootTime()))
		g.watchdog.set(0)
		return
	}
	g.child = child
	g.tell(stateRunning)
}

// transport speaks HTTP/1.1, where a call without an answer costs its connection; the next one gets a new one.
func transport() http.RoundTripper {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = false
	return transport
}

// taskName is the ARN of the task that the guard runs in, or the host and process where there is none.
// Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
func taskName(metadata string) string {
	if metadata != "" {
		client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		if response, err := client.Get(metadata + "/task"); err == nil {
			defer response.Body.Close()
			var task struct{ TaskARN string }
			if json.NewDecoder(response.Body).Decode(&task) == nil && task.TaskARN != "" {
				return task.TaskARN
			}
		}
	}
	// Without a name the process's number has to do.
	host, _ := os.Hostname()
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}
