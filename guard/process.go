package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bootTime is a clock that nobody sets and that goes on while the machine is suspended.
func bootTime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		panic(err)
	}
	return time.Duration(now.Nano())
}

// newWatchdog makes a timer of the kernel, and answers what sets it, with 0 for never. It kills this process, however that
// stands still: stopped by a signal, without the processor, or suspended. The child goes with it.
func newWatchdog() (set func(deadline time.Duration), err error) {
	// The kernel's struct sigevent on 64-bit machines: a value, the signal, and how it comes.
	event := struct {
		value          uint64
		signal, notify int32
		_              [48]byte
	}{signal: int32(unix.SIGKILL)}
	var timer int32
	_, _, errno := unix.Syscall(unix.SYS_TIMER_CREATE, unix.CLOCK_BOOTTIME,
		uintptr(unsafe.Pointer(&event)), uintptr(unsafe.Pointer(&timer)))
	if errno != 0 {
		return nil, fmt.Errorf("the kernel gives no timer: %w", errno)
	}
	return func(deadline time.Duration) {
		// An interval, which is none, and the time.
		setting := [2]unix.Timespec{{}, unix.NsecToTimespec(int64(deadline))}
		_, _, errno := unix.Syscall6(unix.SYS_TIMER_SETTIME, uintptr(timer), unix.TIMER_ABSTIME,
			uintptr(unsafe.Pointer(&setting)), 0, 0, 0)
		if errno != 0 {
			panic(fmt.Errorf("timer_settime: %w", errno))
		}
	}, nil
}

// withOwnStreams is a command that reads and writes what this process does.
func withOwnStreams(words []string) *exec.Cmd {
	command := exec.Command(words[0], words[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command
}

// child is the scheduler; its code comes once nothing of it is left.
type child struct {
	*exec.Cmd
	code chan int
}

// startChild starts a command that the kernel kills when this process ends. One that can't start has ended at once.
func startChild(words, environment []string) child {
	started := child{withOwnStreams(words), make(chan int, 1)}
	started.Env = environment
	// In a group of its own a signal to the guard's doesn't reach it twice.
	started.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	switch err := started.Start(); {
	case err == nil:
		go func() { started.code <- reap(started.Process.Pid) }()
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		started.code <- fail(exitNotFound, err)
	default:
		started.code <- fail(exitCannotRun, err)
	}
	return started
}

func (c child) signal(signal os.Signal) {
	if c.Cmd != nil && c.Process != nil {
		// It may have ended a moment ago.
		_ = c.Process.Signal(signal)
	}
}

// reap waits for a child and answers its exit code, or 128 and the signal that ended it. What it has left running ends
// too, in whatever session: this process inherits that, and what that leaves in its turn.
func reap(child int) (code int) {
	for options := 0; ; {
		var status syscall.WaitStatus
		switch pid, err := syscall.Wait4(-1, &status, options, nil); {
		case err == syscall.ECHILD:
			return code
		case err == nil && pid == 0:
			killChildren()
			time.Sleep(time.Millisecond)
		case pid == child:
			code, options = status.ExitStatus(), syscall.WNOHANG
			if status.Signaled() {
				code = 128 + int(status.Signal())
			}
			// Most of it is in the child's group, and gone in a moment.
			_ = syscall.Kill(-child, syscall.SIGKILL)
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// killChildren looks for a parent's name, since the kernel's own list of children may miss some that move.
// Source: https://man7.org/linux/man-pages/man5/proc_pid_task.5.html
func killChildren() {
	own := fmt.Sprintf("\nPPid:\t%d\n", os.Getpid())
	processes, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, process := range processes {
		if status, _ := os.ReadFile(process); strings.Contains(string(status), own) {
			pid, _ := strconv.Atoi(strings.Split(process, "/")[2])
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
