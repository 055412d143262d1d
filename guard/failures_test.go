package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The ways in which a lease can go wrong, one test each; those about a guard that stands still, is killed or has no table
// are beside the guard's other tests. Leases run ten times as fast as in production, so that its 65 s are 6.5 s here.

// network is a way to the table that can be cut: open connections go silent, new ones are refused an answer.
type network struct {
	listener net.Listener
	mutex    sync.Mutex
	isCut    bool
}

func newNetwork(t *testing.T, table *fakeTable) *network {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	way := &network{listener: listener}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", table.Listener.Addr().String())
			if err != nil {
				near.Close()
				return
			}
			go way.carry(near, far)
			go way.carry(far, near)
		}
	}()
	return way
}

func (n *network) carry(from, to net.Conn) {
	defer to.Close()
	buffer := make([]byte, 4096)
	for {
		read, err := from.Read(buffer)
		n.mutex.Lock()
		isCut := n.isCut
		n.mutex.Unlock()
		if err != nil {
			return
		}
		if isCut {
			// What was sent is lost, and nobody hears of it.
			continue
		}
		if _, err := to.Write(buffer[:read]); err != nil {
			return
		}
	}
}

func (n *network) cut(isCut bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.isCut = isCut
}

// behind starts a guard whose way to the table is the network.
func behind(t *testing.T, way *network, shell string) *running {
	t.Helper()
	run := command(nil, "run", "--table", "leases", "--key", "database", "--lease", "6s", "--stop-timeout", "4s",
		"--socket", fmt.Sprintf("@test/%d", time.Now().UnixNano()), "--", "/bin/sh", "-c", shell)
	run.Env = append(run.Env, "AWS_ENDPOINT_URL_DYNAMODB=http://"+way.listener.Addr().String())
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Process.Kill() })
	return run
}

func TestAPartitionEndsTheOldChildBeforeASuccessorStarts(t *testing.T) {
	table := newFakeTable(t)
	way := newNetwork(t, table)
	file := filepath.Join(t.TempDir(), "pid")
	first := behind(t, way, `trap '' TERM; echo $$ > `+file+`; while :; do sleep 0.1; done`)
	pid := childOf(t, file)
	second := guarded(t, table, `kill -0 `+strconv.Itoa(pid)+` 2>/dev/null && echo overlap; true`)
	until(t, "waiting", second.hasSaid("waiting"))
	way.cut(true)
	if code := second.exit(t); code != 0 || second.stdout.String() != "" {
		t.Fatalf("exit code %d: %s %s", code, second.stdout, second.stderr)
	}
	if code := first.exit(t); code != 128+9 || !first.hasSaid("lost")() {
		t.Fatalf("exit code %d: %s", code, first.stderr)
	}
}

func TestAPartitionThatHealsInTimeCostsNothing(t *testing.T) {
	table := newFakeTable(t)
	way := newNetwork(t, table)
	run := behind(t, way, `trap 'echo stopping' TERM; echo ready; while :; do sleep 0.1; done`)
	until(t, "ready", func() bool { return run.stdout.String() == "ready\n" })
	way.cut(true)
	until(t, "a failed renewal", run.hasSaid("renewal failed"))
	way.cut(false)
	puts := 0
	table.set(func() { puts = table.puts })
	until(t, "three renewals", func() bool {
		now := 0
		table.set(func() { now = table.puts })
		return now >= puts+3
	})
	if run.stdout.String() != "ready\n" {
		t.Fatalf("the child was disturbed: %q", run.stdout)
	}
}

func TestTwoThatStartInTheSameMomentAreOneAndThenTheOther(t *testing.T) {
	for range 5 {
		table := newFakeTable(t)
		lock := filepath.Join(t.TempDir(), "lock")
		// A folder is made by one alone.
		shell := `mkdir ` + lock + ` || echo overlap; sleep 0.2; rmdir ` + lock
		runs := []*running{}
		for range 3 {
			runs = append(runs, guarded(t, table, shell))
		}
		for _, run := range runs {
			if code := run.exit(t); code != 0 || run.stdout.String() != "" {
				t.Fatalf("exit code %d: %s %s", code, run.stdout, run.stderr)
			}
		}
	}
}

func TestAFrozenChildIsKilledWhenItsTimeToStopIsOver(t *testing.T) {
	table := newFakeTable(t)
	file := filepath.Join(t.TempDir(), "pid")
	run := guarded(t, table, `echo $$ > `+file+`; exec sleep 600`)
	pid := childOf(t, file)
	syscall.Kill(pid, syscall.SIGSTOP)
	until(t, "stopped", func() bool {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		return strings.Contains(string(status), "State:\tT")
	})
	run.Process.Signal(syscall.SIGTERM)
	if code := run.exit(t); code != 128+9 || table.item["Held"]["BOOL"] != false {
		t.Fatalf("exit code %d, %v: %s", code, table.item, run.stderr)
	}
}

func TestAKilledChildReleasesTheLease(t *testing.T) {
	table := newFakeTable(t)
	file := filepath.Join(t.TempDir(), "pid")
	run := guarded(t, table, `echo $$ > `+file+`; exec sleep 600`)
	syscall.Kill(childOf(t, file), syscall.SIGKILL)
	if code := run.exit(t); code != 128+9 || table.item["Held"]["BOOL"] != false {
		t.Fatalf("exit code %d, %v: %s", code, table.item, run.stderr)
	}
}

func TestAPausedContainerThatWakesAfterItsLeaseFindsItsChildDead(t *testing.T) {
	table := newFakeTable(t)
	folder := t.TempDir()
	file, work := filepath.Join(folder, "pid"), filepath.Join(folder, "work")
	first := guarded(t, table, `echo $$ > `+file+`; while :; do echo 1 >> `+work+`; sleep 0.02; done`)
	pid := childOf(t, file)
	second := guarded(t, table, `exec sleep 600`)
	until(t, "waiting", second.hasSaid("waiting"))
	// As an engine pauses a container: the guard and its child stand still.
	first.Process.Signal(syscall.SIGSTOP)
	syscall.Kill(pid, syscall.SIGSTOP)
	until(t, "acquired by the second", second.hasSaid("acquired"))
	worked, _ := os.ReadFile(work)
	first.Process.Signal(syscall.SIGCONT)
	syscall.Kill(pid, syscall.SIGCONT)
	first.exit(t)
	until(t, "the child's end", gone(pid))
	if now, _ := os.ReadFile(work); len(now) != len(worked) {
		t.Fatalf("the first worked %d times beside the second", (len(now)-len(worked))/2)
	}
}

func TestACleanRestartTakesOverBeforeTheLeaseEndsAndADeadTasksSuccessorAfterIt(t *testing.T) {
	table := newFakeTable(t)
	takeover := func(end syscall.Signal) time.Duration {
		first := guarded(t, table, `trap 'exit 0' TERM; while :; do sleep 0.02; done`)
		until(t, "acquired", first.hasSaid("acquired"))
		second := guarded(t, table, `exec sleep 600`)
		until(t, "waiting", second.hasSaid("waiting"))
		first.Process.Signal(end)
		first.exit(t)
		ended := time.Now()
		until(t, "acquired by the second", second.hasSaid("acquired"))
		waited := time.Since(ended)
		second.Process.Signal(syscall.SIGTERM)
		second.exit(t)
		return waited
	}
	clean, dead := takeover(syscall.SIGTERM), takeover(syscall.SIGKILL)
	if dead <= clean {
		t.Fatalf("a clean restart takes %v, a dead task's successor waits %v", clean, dead)
	}
	t.Logf("clean restart %v, after a death %v, of a lease of 6 s", clean, dead)
}

func TestNoTimeOfDayTakesPart(t *testing.T) {
	// A guard whose clock is set differs from another one in time.Now alone, of which the code has one use: the least
	// fencing number.
	uses := 0
	for _, folder := range []string{".", "protocol", "table"} {
		files, _ := filepath.Glob(filepath.Join(folder, "*.go"))
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			opened, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			source, _ := io.ReadAll(opened)
			opened.Close()
			for _, line := range strings.Split(string(source), "\n") {
				if strings.Contains(line, "time.Now()") && !strings.Contains(line, "SetDeadline") {
					uses++
				}
			}
		}
	}
	if uses != 1 {
		t.Fatalf("%d uses of the time of day", uses)
	}
}

func TestAFencingNumberGrowsWhereTheClockWasSetBack(t *testing.T) {
	table := newFakeTable(t)
	future := time.Now().Add(100 * 365 * 24 * time.Hour).Unix()
	table.item = map[string]map[string]any{
		"Version": {"S": "old/1"}, "Held": {"BOOL": false}, "Fencing": {"N": strconv.FormatInt(future, 10)},
	}
	run := guarded(t, table, `echo $LEASE_FENCING_TOKEN`)
	run.exit(t)
	if run.stdout.String() != strconv.FormatInt(future+1, 10)+"\n" {
		t.Fatalf("%q after %d", run.stdout, future)
	}
}

func TestAGuardThatCannotReachItsTableWaitsWithoutAChildAndSaysWhy(t *testing.T) {
	run := command(nil, "run", "--table", "leases", "--key", "database", "--lease", "6s", "--socket", "@test/unreachable",
		"--", "echo", "started")
	run.Env = append(run.Env, "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Process.Kill() })
	until(t, "waiting", run.hasSaid("waiting"))
	run.Process.Signal(syscall.SIGTERM)
	if code := run.exit(t); code != 128+15 || run.stdout.String() != "" || !strings.Contains(run.stderr.String(), "connection refused") {
		t.Fatalf("exit code %d: %s %s", code, run.stdout, run.stderr)
	}
}

func TestAnItemThatNoGuardWroteIsTakenOverAtOnce(t *testing.T) {
	for name, item := range map[string]map[string]map[string]any{
		"no version":             {"LeaseKey": {"S": "database"}, "Held": {"BOOL": true}},
		"an empty version":       {"Version": {"S": ""}, "Held": {"BOOL": true}},
		"a version that is none": {"Version": {"N": "1"}, "Held": {"BOOL": true}},
	} {
		t.Run(name, func(t *testing.T) {
			table := newFakeTable(t)
			table.item = item
			if run := guarded(t, table, `exit 3`); run.exit(t) != 3 || run.hasSaid("waiting")() {
				t.Fatalf("%s", run.stderr)
			}
		})
	}
}
