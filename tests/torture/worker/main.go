// The scheduler of the torture: it does a unit of work every few milliseconds and writes its begin and its end to one
// place, with its fencing number, so that a watcher can tell whether two of them worked at once. Nothing in it knows of
// the lease.
//
// Usage: worker PLACE NAME [STOP]
//
// PLACE is a file or tcp:HOST:PORT. NAME tells the workers of one place apart; "-" makes one of WORKER, what it works
// for, and the machine's name, which differs in each container. STOP is how long it goes on working after SIGTERM, 0s if
// omitted.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	clockBootTime = 7
	unit          = 10 * time.Millisecond
	pause         = 2 * time.Millisecond
)

// now is on the clock that all processes of the machine read, and nobody sets.
func now() int64 {
	var at syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockBootTime, uintptr(unsafe.Pointer(&at)), 0); errno != 0 {
		panic(errno)
	}
	return at.Nano()
}

func open(place string) (io.Writer, error) {
	if address, ok := strings.CutPrefix(place, "tcp:"); ok {
		return net.Dial("tcp", address)
	}
	return os.OpenFile(place, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
}

func main() {
	var stop time.Duration
	if len(os.Args) > 3 {
		var err error
		if stop, err = time.ParseDuration(os.Args[3]); err != nil {
			panic(err)
		}
	}
	place, err := open(os.Args[1])
	if err != nil {
		panic(err)
	}
	name := os.Args[2]
	if name == "-" {
		machine, err := os.Hostname()
		if err != nil {
			panic(err)
		}
		name = os.Getenv("WORKER") + "/" + machine
	}
	token := os.Getenv("LEASE_FENCING_TOKEN")
	if token == "" {
		token = "0"
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	var last <-chan time.Time
	for number := 0; ; number++ {
		select {
		case <-told:
			last = time.After(stop)
		case <-last:
			return
		default:
		}
		// One write each, which the kernel appends as a whole.
		fmt.Fprintf(place, "begin %s %s %d %d\n", name, token, number, now())
		time.Sleep(unit)
		fmt.Fprintf(place, "end %s %s %d %d\n", name, token, number, now())
		time.Sleep(pause)
	}
}
