// The guard runs a scheduler as its child while it holds a lease in DynamoDB, so that of all the tasks that were
// started, by whomever, one works. It changes nothing in the scheduler: streams, signals and exit codes pass through.
//
//	guard run --table NAME --key KEY [--region REGION] [--lease 60s] [--stop-timeout 120s] -- COMMAND [ARGUMENT]...
//	guard health [--start-period 120s] [-- COMMAND [ARGUMENT]...]
//	guard install DIRECTORY
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fileflow/guard/protocol"
)

const usage = `usage:
  guard run --table NAME --key KEY [--region REGION] [--lease 60s] [--stop-timeout 120s] -- COMMAND [ARGUMENT]...
  guard health [--start-period 120s] [-- COMMAND [ARGUMENT]...]
  guard install DIRECTORY`

// Exit codes of the guard itself, by sysexits.h and the shell; all others are the child's.
const (
	exitUsage      = 64
	exitNotAllowed = 77
	exitSetting    = 78
	exitCannotRun  = 126
	exitNotFound   = 127
)

func main() {
	commands := map[string]func([]string) int{"run": run, "health": health, "install": install}
	name := append(os.Args, "")[1]
	command, known := commands[name]
	if !known {
		os.Exit(fail(exitUsage, fmt.Sprintf("there is no command %q\n%s", name, usage)))
	}
	os.Exit(command(os.Args[2:]))
}

func fail(code int, reason string) int {
	fmt.Fprintln(os.Stderr, "guard:", reason)
	return code
}

// options are the arguments of `guard run`.
type options struct {
	table, key, region, socket string
	timing                     protocol.Timing
	command                    []string
}

func parse(arguments []string) (options, error) {
	var parsed options
	flags := flag.NewFlagSet("guard run", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&parsed.table, "table", "", "")
	flags.StringVar(&parsed.key, "key", "", "")
	flags.StringVar(&parsed.region, "region", cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")), "")
	flags.StringVar(&parsed.socket, "socket", ownSocket(), "")
	lease := flags.Duration("lease", time.Minute, "")
	stopTimeout := flags.Duration("stop-timeout", 2*time.Minute, "")
	if err := flags.Parse(arguments); err != nil {
		return parsed, err
	}
	parsed.command = flags.Args()
	parsed.timing = protocol.For(*lease, *stopTimeout)
	switch {
	case parsed.table == "" || parsed.key == "" || parsed.region == "":
		return parsed, errors.New("--table, --key and --region, or AWS_REGION, are needed")
	case len(parsed.command) == 0:
		return parsed, errors.New("a command is needed after --")
	case *lease < time.Second || *lease > 10*time.Minute:
		return parsed, fmt.Errorf("--lease is %v; it is from 1s to 10m", *lease)
	case *stopTimeout <= 0:
		return parsed, fmt.Errorf("--stop-timeout is %v; it is above 0", *stopTimeout)
	}
	return parsed, nil
}

// install copies this program into a folder that another container mounts.
func install(arguments []string) int {
	if len(arguments) != 1 {
		return fail(exitUsage, usage)
	}
	program, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(filepath.Join(arguments[0], "guard"), program, 0o755)
	}
	if err != nil {
		return fail(exitSetting, err.Error())
	}
	return 0
}

// line is what the guard says, one a line, on stderr. The names are what the metric filters look for.
type line struct {
	Time    string  `json:"time"`
	Event   string  `json:"event"`
	Key     string  `json:"key"`
	Task    string  `json:"task"`
	Holder  string  `json:"holder,omitempty"`
	Fencing int64   `json:"fencing,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Reason  string  `json:"reason,omitempty"`
}

func say(output io.Writer, said line) {
	said.Time = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	said.Reason = strings.Join(strings.Fields(said.Reason), " ")
	// A struct of texts and numbers always becomes JSON; nobody is left to tell of a closed stream.
	encoded, _ := json.Marshal(said)
	_, _ = output.Write(append(encoded, '\n'))
}
