// The guard runs a scheduler as its child while it holds a lease in DynamoDB, so that of all the tasks that were
// started, by whomever, one works. It changes nothing in the scheduler: streams, signals and exit codes pass through.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

const usage = `usage:
  guard run --table NAME --key KEY [--region REGION] [--lease 60s] [--stop-timeout 120s] -- COMMAND [ARGUMENT]...
  guard health [--start-period 120s] [-- COMMAND [ARGUMENT]...]
  guard install DIRECTORY`

// Exit codes of the guard itself, by the flag package, sysexits.h and the shell; all others are the child's.
const (
	exitUsage      = 2
	exitNotAllowed = 77
	exitSetting    = 78
	exitCannotRun  = 126
	exitNotFound   = 127
)

func main() {
	flag.Usage = func() { fmt.Fprintln(os.Stderr, usage) }
	name := append(os.Args, "")[1]
	if command := map[string]func([]string) int{"run": run, "health": health, "install": install}[name]; command != nil {
		os.Exit(command(os.Args[2:]))
	}
	os.Exit(misused(fmt.Errorf("there is no command %q", name)))
}

func fail(code int, reason error) int {
	fmt.Fprintln(os.Stderr, "guard:", reason)
	return code
}

func misused(reason error) int { return fail(exitUsage, fmt.Errorf("%w\n%s", reason, usage)) }

// install copies this program into a folder that another container mounts.
func install(arguments []string) int {
	if len(arguments) != 1 {
		return misused(errors.New("install needs one folder"))
	}
	program, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(filepath.Join(arguments[0], "guard"), program, 0o755)
	}
	if err != nil {
		return fail(exitSetting, err)
	}
	return 0
}
