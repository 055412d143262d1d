package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	// A container may have no certificates of its own.
	_ "golang.org/x/crypto/x509roots/fallback"
	"golang.org/x/sys/unix"

	"fileflow/guard/protocol"
	"fileflow/guard/table"
)

// guard drives one machine: it owns the clock, the calls and the child.
type guard struct {
	key        string
	command    []string
	timing     protocol.Timing
	table      *table.Table
	machine    *protocol.Machine
	watchdog   func(deadline time.Duration)
	child      child
	stopSignal os.Signal
	answers    chan func()
	state      atomic.Pointer[state]
	begun      time.Duration
	code       int
	done       bool
}

func run(arguments []string) int {
	// The guard idles for months: a small heap is worth more than the processor's time for collecting it.
	debug.SetGCPercent(25)
	// The kernel kills the child when the *thread* that started it ends, so it is started by this one, which stays.
	// Source: https://github.com/golang/go/issues/27505
	runtime.LockOSThread()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals)
	// The Go runtime sends itself the one all the time, and a child's end is waited for elsewhere.
	signal.Reset(syscall.SIGURG, syscall.SIGCHLD)
	signal.Ignore(syscall.SIGPIPE)

	g := &guard{stopSignal: syscall.SIGTERM, answers: make(chan func(), 4), begun: bootTime()}
	name, socket := flag.String("table", "", ""), flag.String("socket", ownSocket(), "")
	region := flag.String("region", os.Getenv("AWS_REGION"), "")
	flag.StringVar(&g.key, "key", "", "")
	lease := flag.Duration("lease", time.Minute, "")
	stopTimeout := flag.Duration("stop-timeout", 2*time.Minute, "")
	_ = flag.CommandLine.Parse(arguments)
	g.command, g.timing = flag.Args(), protocol.For(*lease, *stopTimeout)
	switch {
	case *name == "" || g.key == "" || *region == "":
		return misused(errors.New("--table, --key and --region, or AWS_REGION, are needed"))
	case len(g.command) == 0:
		return misused(errors.New("a command is needed after --"))
	case *lease < time.Second || *lease > 10*time.Minute || *stopTimeout <= 0:
		return misused(fmt.Errorf("--lease is %v, of 1s to 10m, and --stop-timeout %v, of above 0", *lease, *stopTimeout))
	}
	if err := g.prepare(*name, *region, *socket); err != nil {
		return fail(exitSetting, err)
	}
	return g.loop(signals)
}

// prepare makes what the guard stands on.
func (g *guard) prepare(name, region, socket string) error {
	if os.Getpid() == 1 {
		// The kernel spares a container's first process the timer's SIGKILL.
		// Source: https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
		return errors.New("the guard can't be a container's first process: set linuxParameters.initProcessEnabled")
	}
	// HTTP/1.1, where a call without an answer costs its connection; the next one gets a new one.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = false
	var noTable, noWatchdog error
	g.table, noTable = table.Open(name, g.key, region, os.Getenv, transport)
	g.watchdog, noWatchdog = newWatchdog()
	// What the child leaves running comes to the guard, which ends it.
	noOrphans := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	g.tell(stateWaiting)
	noState := serveState(socket, &g.state)
	task := taskName(os.Getenv("ECS_CONTAINER_METADATA_URI_V4"))
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("key", g.key, "task", task))
	g.machine = protocol.New(g.timing, rand.Text(), task, time.Now().Unix(), bootTime())
	return errors.Join(noTable, noWatchdog, noOrphans, noState)
}

func (g *guard) loop(signals <-chan os.Signal) int {
	g.act(g.machine.Wake(bootTime()))
	for !g.done {
		select {
		// Go's timers don't count the time that the machine was suspended for, so none is long.
		case <-time.After(min(g.machine.Next()-bootTime(), time.Second)):
			g.act(g.machine.Wake(bootTime()))
		case answered := <-g.answers:
			answered()
		case got := <-signals:
			g.signalled(got)
		case g.code = <-g.child.code:
			g.tell(stateEnded)
			g.act(g.machine.ChildEnded(bootTime()))
			g.watchdog(0)
		}
	}
	return g.code
}

// tell lets health checks know what the guard does.
func (g *guard) tell(now string) { g.state.Store(&state{now, g.begun, bootTime()}) }

// signalled passes on what the guard is sent. Three signals mean the end: an image may name another one than SIGTERM.
// Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html
func (g *guard) signalled(got os.Signal) {
	if got != syscall.SIGTERM && got != syscall.SIGINT && got != syscall.SIGQUIT {
		g.child.signal(got)
		return
	}
	if g.child.Cmd == nil {
		g.code = 128 + int(got.(syscall.Signal))
	}
	g.stopSignal = got
	g.act(g.machine.Stop(bootTime()))
}

func (g *guard) act(actions []protocol.Action) {
	// Before anything else, and before a child is started above all: from here on the kernel sees to the deadline.
	if deadline, ok := g.machine.Deadline(); ok {
		g.watchdog(deadline)
	}
	for _, action := range actions {
		switch action.Kind {
		case protocol.Read, protocol.Write:
			go g.call(action)
		case protocol.Start:
			token := fmt.Sprintf("LEASE_FENCING_TOKEN=%d", action.Record.Fencing)
			g.child = startChild(g.command, append(os.Environ(), token))
			g.tell(stateRunning)
		case protocol.Terminate:
			g.child.signal(g.stopSignal)
		case protocol.Kill:
			g.child.signal(syscall.SIGKILL)
		case protocol.Say:
			// The metric filters look for these words.
			slog.Info("scheduler lease "+action.Event, "holder", action.Record.Holder, "fencing", action.Record.Fencing,
				"seconds", action.Waited.Seconds(), "reason", action.Reason)
		case protocol.Exit:
			g.done = true
			if action.Reason != "" {
				g.code = fail(exitNotAllowed, errors.New(action.Reason))
			}
		}
	}
}

func (g *guard) call(action protocol.Action) {
	limited, cancel := context.WithTimeout(context.Background(), g.timing.Limit)
	defer cancel()
	var answer protocol.Answer
	if action.Kind == protocol.Read {
		answer = g.table.Read(limited)
	} else {
		answer = g.table.Write(limited, action.Expect, action.Record)
	}
	g.answers <- func() { g.act(g.machine.Answered(bootTime(), action.Call, answer)) }
}

// taskName is the ARN of the task that the guard runs in; without one the host and the process's number have to do.
// Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
func taskName(metadata string) string {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var task struct{ TaskARN string }
	if response, err := client.Get(metadata + "/task"); err == nil {
		_ = json.NewDecoder(response.Body).Decode(&task)
		response.Body.Close()
	}
	if task.TaskARN == "" {
		host, _ := os.Hostname()
		return fmt.Sprintf("%s/%d", host, os.Getpid())
	}
	return task.TaskARN
}
