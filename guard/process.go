package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
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

// watchdog is a timer of the kernel that kills this process, however it stands still: stopped by a signal, without the
// processor, or suspended. The child goes with it.
type watchdog struct{ timer int32 }

// signalEvent is the kernel's struct sigevent on 64-bit machines.
type signalEvent struct {
	value  uint64
	signal int32
	notify int32
	_      [48]byte
}

func newWatchdog() (*watchdog, error) {
	event := signalEvent{signal: int32(unix.SIGKILL)}
	var made watchdog
	_, _, errno := unix.Syscall(unix.SYS_TIMER_CREATE, unix.CLOCK_BOOTTIME,
		uintptr(unsafe.Pointer(&event)), uintptr(unsafe.Pointer(&made.timer)))
	if errno != 0 {
		return nil, fmt.Errorf("the kernel gives no timer: %w", errno)
	}
	return &made, nil
}

// set sets the time; 0 is none.
func (w *watchdog) set(deadline time.Duration) {
	// An interval, which is none, and the time.
	setting := [2]unix.Timespec{{}, unix.NsecToTimespec(int64(deadline))}
	_, _, errno := unix.Syscall6(unix.SYS_TIMER_SETTIME, uintptr(w.timer), unix.TIMER_ABSTIME,
		uintptr(unsafe.Pointer(&setting)), 0, 0, 0)
	if errno != 0 {
		panic(fmt.Errorf("timer_settime: %w", errno))
	}
}

// child is the scheduler, in a process group of its own.
type child struct {
	process *os.Process
	codes   chan int
}

// startChild starts a command that the kernel kills when this process ends. An error comes with an exit code.
func startChild(command, environment []string) (*child, int, error) {
	path, err := exec.LookPath(command[0])
	if err != nil {
		code := exitNotFound
		if errors.Is(err, fs.ErrPermission) {
			code = exitCannotRun
		}
		return nil, code, err
	}
	started := &child{codes: make(chan int, 1)}
	failure := make(chan error)
	go func() {
		// The kernel sends the signal when the *thread* that started the child ends, so this one stays.
		// Source: https://github.com/golang/go/issues/27505
		runtime.LockOSThread()
		process, err := os.StartProcess(path, command, &os.ProcAttr{
			Env:   environment,
			Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
			Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
		})
		started.process = process
		failure <- err
		if err == nil {
			started.codes <- wait(process)
		}
	}()
	if err := <-failure; err != nil {
		return nil, exitCannotRun, err
	}
	return started, 0, nil
}

// wait returns the child's exit code. What the child left running ends too.
func wait(process *os.Process) int {
	state, err := process.Wait()
	killGroup(process.Pid)
	if err != nil {
		return exitCannotRun
	}
	return exitCode(state.Sys().(syscall.WaitStatus))
}

// exitCode is the process's own, or 128 and the signal that ended it.
func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// runAsInit runs this program again, under itself, and reaps what is left to it: the kernel spares the first process of
// a container the timer's SIGKILL.
// Source: https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
func runAsInit(signals <-chan os.Signal) int {
	guard, err := os.StartProcess("/proc/self/exe", os.Args,
		&os.ProcAttr{Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return fail(exitSetting, err.Error())
	}
	for got := range signals {
		if got != syscall.SIGCHLD {
			_ = guard.Signal(got)
			continue
		}
		for {
			var status syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
			if err != nil || pid <= 0 {
				break
			}
			if pid == guard.Pid {
				return exitCode(status)
			}
		}
	}
	return exitCannotRun
}

// ended is where the exit code comes from; nothing comes from there without a child.
func (c *child) ended() <-chan int {
	if c == nil {
		return nil
	}
	return c.codes
}

func (c *child) signal(signal syscall.Signal) {
	if c != nil {
		// It may have ended a moment ago.
		_ = c.process.Signal(signal)
	}
}

func (c *child) kill() { killGroup(c.process.Pid) }

// killGroup ends what is left of a process group.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
