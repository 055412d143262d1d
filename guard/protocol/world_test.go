package protocol

import (
	"container/heap"
	"fmt"
	"time"
)

// A world is one history: guards that run the protocol's own code, their children, one record, and a network and a fate
// that do to them what a chooser says. Its time is real time; each guard has a clock of its own.

// actor is a guard: the machine, or a broken one around it.
type actor interface {
	Wake(now time.Duration) []Action
	Stop(now time.Duration) []Action
	ChildEnded(now time.Duration) []Action
	Answered(now time.Duration, call int, answer Answer) []Action
	Deadline() (time.Duration, bool)
	Next() time.Duration
}

// fate is what happens to one call and to the guard that makes it.
type fate struct {
	// arrivals are when copies of the request reach the table; the answer of the first comes back after `answer`
	// (negative: never). An error answers without an effect.
	arrivals []time.Duration
	answer   time.Duration
	error    bool
	// The guard alone, or with its child, stands still for so long from `then` on; or dies then.
	then         time.Duration
	guardPaused  time.Duration
	allPaused    time.Duration
	crash        bool
	clockStepped time.Duration
}

// plan is when a guard is started, told to stop, and how its child takes that.
type plan struct {
	start, stop time.Duration
	rate        float64
	// childEnds is how long the child takes after SIGTERM; negative: for ever.
	childEnds time.Duration
	// childFails is when the child ends by itself, after its start; negative: never.
	childFails time.Duration
}

type settings struct {
	timing Timing
	until  time.Duration
	plans  []plan
	fate   func(*node) fate
	order  func() uint32
	// What a world without a part of the protocol looks like.
	wrap          func(*Machine) actor
	unconditional bool
	noWatchdog    bool
	// quiet worlds have a network without faults: there takeovers keep their bounds.
	quiet bool
}

type node struct {
	id          int
	plan        plan
	actor       actor
	offset      time.Duration
	dead        bool
	child       bool
	childNumber int
	pausedUntil time.Duration
	frozenUntil time.Duration
	// The guard's own way to the table is cut.
	cutFrom, cutUntil time.Duration
	wakeAt            time.Duration
	watchedUntil      time.Duration
}

type event struct {
	at    time.Duration
	order uint32
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

type world struct {
	settings
	now      time.Duration
	events   events
	nodes    []*node
	record   Record
	starts   int
	fencing  int64
	freeFrom time.Duration
	unclean  bool
	longest  time.Duration
	problem  string
	trace    func(format string, arguments ...any)
}

func (w *world) at(when time.Duration, do func()) {
	heap.Push(&w.events, event{max(when, w.now), w.order(), do})
}

// run plays the history and returns what was wrong with it.
func (w *world) run() string {
	for i := range w.plans {
		n := &node{id: i, plan: w.plans[i], offset: time.Duration(i+1) * time.Hour, wakeAt: -1}
		w.nodes = append(w.nodes, n)
		w.at(n.plan.start, func() { w.begin(n) })
	}
	for len(w.events) > 0 && w.problem == "" {
		next := heap.Pop(&w.events).(event)
		if next.at > w.until {
			break
		}
		w.now = next.at
		next.do()
	}
	return w.problem
}

func (w *world) begin(n *node) {
	machine := New(w.timing, string(rune('a'+n.id)), string(rune('A'+n.id)), 1, n.local(w.now))
	n.actor = machine
	if w.wrap != nil {
		n.actor = w.wrap(machine)
	}
	w.wake(n)
	if n.plan.stop >= 0 {
		w.at(n.plan.stop, func() {
			w.deliver(n, func() { w.act(n, n.actor.Stop(n.local(w.now))) })
			// ECS's own end of the stop timeout.
			w.at(w.now+120*time.Second, func() { w.crash(n) })
		})
	}
}

// deliver lets something happen to a guard, or once it no longer stands still.
func (w *world) deliver(n *node, do func()) {
	if n.dead {
		return
	}
	if until := max(n.pausedUntil, n.frozenUntil); w.now < until {
		w.at(until, func() { w.deliver(n, do) })
		return
	}
	do()
}

func (w *world) wake(n *node) {
	w.deliver(n, func() { w.act(n, n.actor.Wake(n.local(w.now))) })
}

func (w *world) act(n *node, actions []Action) {
	for _, action := range actions {
		switch action.Kind {
		case Read, Write:
			w.call(n, action)
		case Start:
			w.startChild(n, action.Record)
		case Terminate:
			if n.plan.childEnds >= 0 {
				w.endChildAt(n, w.now+n.plan.childEnds)
			}
		case Kill:
			w.endChildAt(n, w.now+10*time.Millisecond)
		case Exit:
			if n.child {
				w.problem = fmt.Sprintf("guard %d ended before its child", n.id)
			}
			n.dead = true
		}
	}
	w.watch(n)
	if n.dead {
		return
	}
	next := n.real(n.actor.Next())
	if n.wakeAt < w.now || next < n.wakeAt {
		n.wakeAt = max(next, w.now)
		at := n.wakeAt
		w.at(at, func() {
			if n.wakeAt == at {
				n.wakeAt = -1
				w.wake(n)
			}
		})
	}
}

// watch is the kernel's timer: nothing holds it up.
func (w *world) watch(n *node) {
	deadline, ok := n.actor.Deadline()
	if !ok || w.noWatchdog || n.watchedUntil == deadline {
		return
	}
	n.watchedUntil = deadline
	w.at(n.real(deadline), func() {
		if now, ok := n.actor.Deadline(); ok && now == deadline && !n.dead {
			w.crash(n)
		}
	})
}

func (w *world) call(n *node, action Action) {
	f := w.fate(n)
	w.suffer(n, f)
	if f.error {
		w.answer(n, action.Call, f.answer, Answer{Outcome: Unknown, Reason: "error"})
		return
	}
	for i, arrival := range f.arrivals {
		w.at(w.now+arrival, func() {
			answer := w.serve(n, action)
			if i == 0 && f.answer >= 0 {
				w.answer(n, action.Call, f.answer, answer)
			}
		})
	}
}

func (w *world) answer(n *node, call int, after time.Duration, answer Answer) {
	w.at(w.now+after, func() {
		w.deliver(n, func() { w.act(n, n.actor.Answered(n.local(w.now), call, answer)) })
	})
}

func (w *world) suffer(n *node, f fate) {
	if f.crash {
		w.at(w.now+f.then, func() { w.crash(n) })
	}
	if f.guardPaused > 0 {
		w.at(w.now+f.then, func() { n.pausedUntil = max(n.pausedUntil, w.now+f.guardPaused) })
	}
	if f.allPaused > 0 {
		w.at(w.now+f.then, func() { n.frozenUntil = max(n.frozenUntil, w.now+f.allPaused) })
	}
	n.offset += f.clockStepped
}

func (w *world) serve(n *node, action Action) Answer {
	if action.Kind == Read {
		return Answer{Outcome: Done, Record: w.record}
	}
	if w.record.Version != action.Expect && !w.unconditional {
		return Answer{Outcome: Refused}
	}
	w.record = action.Record
	if n.dead && w.record.Held {
		// A dead guard's write holds the lease up like a dead guard.
		w.freeFrom, w.unclean = w.now, true
	} else if !w.record.Held {
		w.freeFrom, w.unclean = w.now, false
	}
	return Answer{Outcome: Done}
}

func (w *world) startChild(n *node, record Record) {
	for _, other := range w.nodes {
		if other.child && w.now >= other.frozenUntil {
			w.problem = fmt.Sprintf("at %v guard %d starts a child beside that of guard %d", w.now, n.id, other.id)
			return
		}
	}
	if record.Fencing <= w.fencing {
		w.problem = fmt.Sprintf("at %v the number %d follows %d", w.now, record.Fencing, w.fencing)
		return
	}
	w.checkTakeover(n)
	w.fencing = record.Fencing
	w.starts++
	n.child = true
	n.childNumber++
	if n.plan.childFails >= 0 {
		w.endChildAt(n, w.now+n.plan.childFails)
	}
}

// checkTakeover holds a quiet world to its bounds: 65 s after a death, 5 s after a release.
func (w *world) checkTakeover(n *node) {
	if !w.quiet {
		return
	}
	waited := w.now - max(w.freeFrom, n.plan.start)
	bound := 5 * time.Second
	if w.unclean {
		bound = 65 * time.Second
	}
	if waited > bound {
		w.problem = fmt.Sprintf("at %v guard %d takes over after %v (unclean: %v)", w.now, n.id, waited, w.unclean)
	}
	w.longest = max(w.longest, waited)
}

func (w *world) endChildAt(n *node, when time.Duration) {
	number := n.childNumber
	w.at(when, func() {
		if !n.child || n.childNumber != number {
			return
		}
		if w.now < n.frozenUntil {
			w.endChildAt(n, n.frozenUntil)
			return
		}
		n.child = false
		w.deliver(n, func() { w.act(n, n.actor.ChildEnded(n.local(w.now))) })
	})
}

func (w *world) crash(n *node) {
	if n.dead || n.actor == nil {
		return
	}
	if w.record.Session == string(rune('a'+n.id)) && w.record.Held {
		w.freeFrom, w.unclean = w.now, true
	}
	n.dead, n.child = true, false
}

func (n *node) local(now time.Duration) time.Duration {
	return n.offset + time.Duration(float64(now)*n.plan.rate)
}

func (n *node) real(local time.Duration) time.Duration {
	if local-n.offset > 1<<60 {
		return 1 << 60
	}
	// A nanosecond later, so that rounding never wakes a guard before its time.
	return time.Duration(float64(local-n.offset)/n.plan.rate) + 1
}
