package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asGuard in its environment lets the test's own program be the guard.
const asGuard = "TEST_AS_GUARD"

func TestMain(m *testing.M) {
	if os.Getenv(asGuard) != "" {
		main()
	}
	os.Exit(m.Run())
}

// fakeTable answers GetItem and PutItem as DynamoDB does, as far as one item goes; the emulated AWS's DynamoDB has the
// same guard in front of it in the tests of the local stack.
type fakeTable struct {
	*httptest.Server
	mutex sync.Mutex
	item  map[string]map[string]any
	// refuse answers every call with this status and error, where set.
	refuse string
	status int
	puts   int
}

func newFakeTable(t *testing.T) *fakeTable {
	table := &fakeTable{}
	table.Server = httptest.NewServer(table)
	t.Cleanup(table.Close)
	return table
}

func (f *fakeTable) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	var body struct {
		Item                      map[string]map[string]any
		ConditionExpression       string
		ExpressionAttributeValues map[string]map[string]any
	}
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
		panic(err)
	}
	writer.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if f.refuse != "" {
		writer.WriteHeader(f.status)
		fmt.Fprintf(writer, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"as the test wants"}`, f.refuse)
		return
	}
	if strings.HasSuffix(request.Header.Get("X-Amz-Target"), ".GetItem") {
		json.NewEncoder(writer).Encode(map[string]any{"Item": f.item})
		return
	}
	f.puts++
	version, isText := f.item["Version"]["S"]
	held := isText && version == body.ExpressionAttributeValues[":version"]["S"]
	if strings.Contains(body.ConditionExpression, "attribute_not_exists") {
		held = !isText || version == ""
	}
	if !held {
		writer.WriteHeader(http.StatusBadRequest)
		io.WriteString(writer, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}`)
		return
	}
	f.item = body.Item
	io.WriteString(writer, "{}")
}

func (f *fakeTable) set(change func()) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	change()
}

// running is a guard under test.
type running struct {
	*exec.Cmd
	stdout, stderr *lockedBuffer
}

type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(written []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(written)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}

func command(table *fakeTable, arguments ...string) *running {
	run := &running{exec.Command(os.Args[0], arguments...), &lockedBuffer{}, &lockedBuffer{}}
	run.Stdout, run.Stderr = run.stdout, run.stderr
	run.Env = append(os.Environ(), asGuard+"=1", "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=key",
		"AWS_SECRET_ACCESS_KEY=secret")
	if table != nil {
		run.Env = append(run.Env, "AWS_ENDPOINT_URL_DYNAMODB="+table.URL)
	}
	return run
}

// guarded starts a guard with a lease that runs ten times as fast as in production.
func guarded(t *testing.T, table *fakeTable, shell string) *running {
	t.Helper()
	socket := fmt.Sprintf("@test/%d", time.Now().UnixNano())
	run := command(table, "run", "--table", "leases", "--key", "database", "--lease", "6s", "--stop-timeout", "4s",
		"--socket", socket, "--", "/bin/sh", "-c", shell)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Process.Kill() })
	return run
}

// exit waits for the guard's end and returns its exit code.
func (r *running) exit(t *testing.T) int {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- r.Wait() }()
	select {
	case <-done:
		return r.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		t.Fatalf("the guard doesn't end; it said: %s", r.stderr)
		return 0
	}
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 1200 {
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func (r *running) hasSaid(event string) func() bool {
	return func() bool { return strings.Contains(r.stderr.String(), `"msg":"scheduler lease `+event+`"`) }
}

// childOf is the process identifier that a child wrote into a file.
func childOf(t *testing.T, file string) int {
	t.Helper()
	pid := 0
	until(t, "a child in "+file, func() bool {
		content, _ := os.ReadFile(file)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(content)))
		return pid > 0
	})
	return pid
}

func gone(pid int) func() bool {
	return func() bool {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		return err != nil || strings.Contains(string(status), "State:\tZ")
	}
}

func TestAChildsExitCodeStreamsAndNumberPassThrough(t *testing.T) {
	table := newFakeTable(t)
	run := guarded(t, table, `echo out $LEASE_FENCING_TOKEN; echo err >&2; exit 23`)
	if code := run.exit(t); code != 23 {
		t.Fatalf("exit code %d: %s", code, run.stderr)
	}
	fencing := table.item["Fencing"]["N"]
	if run.stdout.String() != fmt.Sprintf("out %s\n", fencing) || !strings.Contains(run.stderr.String(), "err\n") {
		t.Fatalf("stdout %q, stderr %q, number %v", run.stdout, run.stderr, fencing)
	}
	if table.item["Held"]["BOOL"] != false {
		t.Fatalf("the lease isn't released: %v", table.item)
	}
	for _, said := range strings.Split(strings.TrimSpace(run.stderr.String()), "\n") {
		if said != "err" && !json.Valid([]byte(said)) {
			t.Fatalf("not JSON: %s", said)
		}
	}
}

func TestEachAcquisitionHasAHigherNumber(t *testing.T) {
	table := newFakeTable(t)
	last := ""
	for range 3 {
		run := guarded(t, table, `echo $LEASE_FENCING_TOKEN`)
		run.exit(t)
		if number := run.stdout.String(); number <= last {
			t.Fatalf("%q follows %q", number, last)
		}
		last = run.stdout.String()
	}
}

func TestAChildKilledByASignalShowsInTheExitCode(t *testing.T) {
	if code := guarded(t, newFakeTable(t), `kill -9 $$`).exit(t); code != 128+9 {
		t.Fatalf("exit code %d", code)
	}
}

func TestACommandThatIsntThereIsOneErrorAndReleasesTheLease(t *testing.T) {
	table := newFakeTable(t)
	run := command(table, "run", "--table", "t", "--key", "k", "--", "/no/such/program")
	run.Start()
	if code := run.exit(t); code != exitNotFound || table.item["Held"]["BOOL"] != false {
		t.Fatalf("exit code %d, %v: %s", code, table.item, run.stderr)
	}
}

func TestSIGTERMIsPassedOnAndTheLeaseRenewedUntilTheChildHasEnded(t *testing.T) {
	table := newFakeTable(t)
	folder := t.TempDir()
	run := guarded(t, table, `trap 'while [ ! -e '$PWD'/never ] && [ ! -e `+folder+`/go ]; do sleep 0.1; done; exit 7' TERM
		echo ready; while :; do sleep 0.1; done`)
	until(t, "ready", func() bool { return run.stdout.String() == "ready\n" })
	run.Process.Signal(syscall.SIGTERM)
	puts := 0
	table.set(func() { puts = table.puts })
	until(t, "two renewals after SIGTERM", func() bool {
		now := 0
		table.set(func() { now = table.puts })
		return now >= puts+2
	})
	if run.hasSaid("released")() {
		t.Fatalf("released before the child's end: %s", run.stderr)
	}
	os.WriteFile(filepath.Join(folder, "go"), nil, 0o600)
	if code := run.exit(t); code != 7 || !run.hasSaid("released")() {
		t.Fatalf("exit code %d: %s", code, run.stderr)
	}
}

func TestAChildThatIgnoresSIGTERMIsKilledInTimeToRelease(t *testing.T) {
	table := newFakeTable(t)
	run := guarded(t, table, `trap '' TERM; echo ready; while :; do sleep 0.1; done`)
	until(t, "ready", func() bool { return run.stdout.String() == "ready\n" })
	run.Process.Signal(syscall.SIGTERM)
	if code := run.exit(t); code != 128+9 || table.item["Held"]["BOOL"] != false {
		t.Fatalf("exit code %d, %v", code, table.item)
	}
}

func TestOtherSignalsReachTheChild(t *testing.T) {
	run := guarded(t, newFakeTable(t), `trap 'exit 5' USR1; echo ready; while :; do sleep 0.1; done`)
	until(t, "ready", func() bool { return run.stdout.String() == "ready\n" })
	run.Process.Signal(syscall.SIGUSR1)
	if code := run.exit(t); code != 5 {
		t.Fatalf("exit code %d", code)
	}
}

func TestAKilledGuardTakesItsChildWithItAndASuccessorTakesOver(t *testing.T) {
	table := newFakeTable(t)
	file := filepath.Join(t.TempDir(), "pid")
	first := guarded(t, table, `echo $$ > `+file+`; exec sleep 600`)
	pid := childOf(t, file)
	second := guarded(t, table, `echo second`)
	until(t, "waiting", second.hasSaid("waiting"))
	first.Process.Kill()
	first.Wait()
	until(t, "the child's end", gone(pid))
	if code := second.exit(t); code != 0 || second.stdout.String() != "second\n" {
		t.Fatalf("exit code %d: %s", code, second.stderr)
	}
}

func TestAFrozenGuardIsKilledByTheKernelBeforeASuccessorStarts(t *testing.T) {
	table := newFakeTable(t)
	file := filepath.Join(t.TempDir(), "pid")
	first := guarded(t, table, `echo $$ > `+file+`; exec sleep 600`)
	pid := childOf(t, file)
	second := guarded(t, table, `kill -0 `+strconv.Itoa(pid)+` 2>/dev/null && ! grep -q Z /proc/`+strconv.Itoa(pid)+`/status && echo overlap; true`)
	until(t, "waiting", second.hasSaid("waiting"))
	first.Process.Signal(syscall.SIGSTOP)
	second.exit(t)
	if second.stdout.String() != "" || !gone(pid)() {
		t.Fatalf("the frozen guard's child lives: %q", second.stdout)
	}
}

func TestAGuardThatTheKernelCouldNotKillInTimeRefusesToStart(t *testing.T) {
	run := command(newFakeTable(t), "run", "--table", "leases", "--key", "database", "--", "echo", "started")
	// The first process of a namespace of its own, as in a container without an init process.
	run.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	if code := run.exit(t); code != exitSetting || run.stdout.String() != "" || !strings.Contains(run.stderr.String(), "initProcessEnabled") {
		t.Fatalf("exit code %d: %s", code, run.stderr)
	}
}

func TestWhatLeftTheChildsSessionEndsBeforeTheLeaseIsReleased(t *testing.T) {
	table := newFakeTable(t)
	folder := t.TempDir()
	orphan, inner := filepath.Join(folder, "orphan"), filepath.Join(folder, "inner")
	run := guarded(t, table, `setsid sh -c 'trap "" TERM HUP; setsid sh -c "echo \$\$ > `+inner+`; exec sleep 600" & echo $$ > `+orphan+
		`; while :; do sleep 0.1; done' & while [ ! -s `+inner+` ] || [ ! -s `+orphan+` ]; do sleep 0.05; done; exit 4`)
	if code := run.exit(t); code != 4 || table.item["Held"]["BOOL"] != false {
		t.Fatalf("exit code %d, %v: %s", code, table.item, run.stderr)
	}
	for _, file := range []string{orphan, inner} {
		if pid := childOf(t, file); !gone(pid)() {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Errorf("process %d of %s outlives the lease", pid, file)
		}
	}
}

func TestAnotherStopSignalIsPassedOnAsItIs(t *testing.T) {
	run := guarded(t, newFakeTable(t), `trap 'exit 6' QUIT; echo ready; while :; do sleep 0.1; done`)
	until(t, "ready", func() bool { return run.stdout.String() == "ready\n" })
	run.Process.Signal(syscall.SIGQUIT)
	if code := run.exit(t); code != 6 || !run.hasSaid("released")() {
		t.Fatalf("exit code %d: %s", code, run.stderr)
	}
}

func TestTheApplicationsOwnEndpointAndKeysAreNotTheGuards(t *testing.T) {
	table := newFakeTable(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the guard asked elsewhere") }))
	t.Cleanup(elsewhere.Close)
	run := command(table, "run", "--table", "t", "--key", "k", "--socket", "@test/elsewhere", "--", "true")
	run.Env = append(run.Env, "AWS_ENDPOINT_URL="+elsewhere.URL)
	run.Start()
	if code := run.exit(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, run.stderr)
	}
}

func TestAGuardWithoutItsTableStopsTheChildBeforeTheLeaseEnds(t *testing.T) {
	for refuse, status := range map[string]int{
		"ProvisionedThroughputExceededException": 400, "InternalServerError": 500,
		"AccessDeniedException": 400, "ResourceNotFoundException": 400,
	} {
		t.Run(refuse, func(t *testing.T) {
			t.Parallel()
			table := newFakeTable(t)
			run := guarded(t, table, `trap 'echo stopping' TERM; echo ready; while :; do sleep 0.1; done`)
			until(t, "ready", func() bool { return run.stdout.String() == "ready\n" })
			table.set(func() { table.refuse, table.status = refuse, status })
			if code := run.exit(t); code != 128+9 {
				t.Fatalf("exit code %d: %s", code, run.stderr)
			}
			for _, event := range []string{"renewal failed", "lost"} {
				if !run.hasSaid(event)() {
					t.Errorf("not said: %s in %s", event, run.stderr)
				}
			}
			if run.stdout.String() != "ready\nstopping\n" {
				t.Errorf("the child wasn't asked to end first: %q", run.stdout)
			}
		})
	}
}

func TestAnItemOfSomebodyElseEndsTheChildAtOnce(t *testing.T) {
	table := newFakeTable(t)
	run := guarded(t, table, `echo ready; while :; do sleep 0.1; done`)
	until(t, "ready", func() bool { return run.stdout.String() == "ready\n" })
	table.set(func() { table.item = nil })
	if code := run.exit(t); code != 128+9 || !strings.Contains(run.stderr.String(), "nobody's") {
		t.Fatalf("exit code %d: %s", code, run.stderr)
	}
}

func TestAMissingPermissionOrTableAtTheStartIsOneClearError(t *testing.T) {
	for _, refuse := range []string{"AccessDeniedException", "ResourceNotFoundException", "ValidationException"} {
		t.Run(refuse, func(t *testing.T) {
			t.Parallel()
			table := newFakeTable(t)
			table.refuse, table.status = refuse, 400
			run := guarded(t, table, `echo started`)
			code := run.exit(t)
			if code != exitNotAllowed || run.stdout.String() != "" || strings.Count(run.stderr.String(), "guard: ") != 1 ||
				!strings.Contains(run.stderr.String(), refuse) {
				t.Fatalf("exit code %d: %s", code, run.stderr)
			}
		})
	}
}

func TestAWaitingGuardEndsOnSIGTERMWithoutAChild(t *testing.T) {
	table := newFakeTable(t)
	first := guarded(t, table, `exec sleep 600`)
	until(t, "acquired", first.hasSaid("acquired"))
	second := guarded(t, table, `echo second`)
	until(t, "waiting", second.hasSaid("waiting"))
	second.Process.Signal(syscall.SIGTERM)
	if code := second.exit(t); code != 128+15 || second.stdout.String() != "" {
		t.Fatalf("exit code %d", code)
	}
	if !strings.Contains(second.stderr.String(), `"holder":"`) {
		t.Fatalf("the holder isn't named: %s", second.stderr)
	}
}

func TestWrongArgumentsAreRefusedWithTheUsage(t *testing.T) {
	for _, arguments := range [][]string{
		{}, {"fly"}, {"run"}, {"run", "--table", "t", "--key", "k"}, {"run", "--table", "t", "--", "true"},
		{"run", "--table", "t", "--key", "k", "--lease", "1ms", "--", "true"},
		{"run", "--table", "t", "--key", "k", "--stop-timeout", "0s", "--", "true"},
		{"run", "--nonsense"}, {"health", "--nonsense"}, {"install"},
	} {
		run := command(nil, arguments...)
		run.Start()
		if code := run.exit(t); code != exitUsage || !strings.Contains(run.stderr.String(), "usage:") {
			t.Errorf("%q: exit code %d: %s", arguments, code, run.stderr)
		}
	}
}

func TestWithoutRegionOrCredentialsTheErrorNamesThem(t *testing.T) {
	for missing, says := range map[string]string{"AWS_REGION": "AWS_REGION", "AWS_ACCESS_KEY_ID": "credentials"} {
		run := command(nil, "run", "--table", "t", "--key", "k", "--", "true")
		run.Env = append(run.Env, missing+"=", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=")
		run.Start()
		if code := run.exit(t); code != exitUsage && code != exitSetting || !strings.Contains(run.stderr.String(), says) {
			t.Errorf("exit code %d: %s", code, run.stderr)
		}
	}
}

func TestInstallPutsARunnableCopyIntoTheFolder(t *testing.T) {
	folder := t.TempDir()
	run := command(nil, "install", folder)
	run.Start()
	if code := run.exit(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, run.stderr)
	}
	information, err := os.Stat(filepath.Join(folder, "guard"))
	if err != nil || information.Mode().Perm() != 0o755 {
		t.Fatal(information, err)
	}
}

func TestTheHealthCheckKnowsAWaitingGuardFromADeadChild(t *testing.T) {
	const fails, succeeds = "false", "true"
	const period = time.Minute
	for name, each := range map[string]struct {
		state state
		check string
		code  int
	}{
		"waits, and may still start": {state{State: stateWaiting, Begun: 5 * time.Minute}, succeeds, 1},
		"waits longer":               {state{State: stateWaiting}, fails, 0},
		"runs and answers":           {state{State: stateRunning, Begun: 5 * time.Minute, Since: 5 * time.Minute}, succeeds, 0},
		"starts, as ECS knows":       {state{State: stateRunning, Begun: 5 * time.Minute, Since: 5 * time.Minute}, fails, 1},
		"starts after a long wait":   {state{State: stateRunning, Since: 5 * time.Minute}, fails, 0},
		"doesn't answer":             {state{State: stateRunning}, fails, 1},
		"has ended":                  {state{State: stateEnded}, succeeds, 1},
	} {
		if code := judge(each.state, 5*time.Minute+time.Second, period, []string{each.check}); code != each.code {
			t.Errorf("%s: %d", name, code)
		}
	}
}

func TestTheHealthCommandAsksTheRunningGuardAndRunsTheChildsOwnCheck(t *testing.T) {
	table := newFakeTable(t)
	health := func(check ...string) int {
		run := command(nil, append([]string{"health", "--socket", "@test/health"}, check...)...)
		run.Start()
		return run.exit(t)
	}
	if code := health(); code != 1 {
		t.Errorf("without a guard: %d", code)
	}
	run := command(table, "run", "--table", "t", "--key", "k", "--socket", "@test/health", "--", "sleep", "600")
	run.Start()
	t.Cleanup(func() { run.Process.Kill() })
	until(t, "healthy", func() bool { return health("--", "true") == 0 })
	if code := health("--", "false"); code != 1 {
		t.Errorf("a check that fails: %d", code)
	}
}
