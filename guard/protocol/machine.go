// Package protocol decides what a guard does next. It owns the rules of the lease alone: no clock, no network, no
// process. Time comes in as a reading of the caller's own clock, answers and the child's end come in as calls, and what
// is to be done comes out as actions; so the simulation runs the very code that runs in production.
//
// The rules are those of Amazon's DynamoDB lock client: conditional writes, a record version that is another one after
// every write, and no comparison of two machines' clocks. A contender that has seen one version for a whole lease on
// its own clock takes over.
// Source: https://aws.amazon.com/blogs/database/building-distributed-locks-with-the-dynamodb-lock-client/
package protocol

import (
	"fmt"
	"time"
)

// Record is the lease as the table holds it.
type Record struct {
	Version string        // another one after every write; "" is a record that doesn't exist
	Session string        // tells one guard's life from every other's
	Holder  string        // for people: the task that holds the lease, or held it last
	Fencing int64         // grows with every acquisition
	Lease   time.Duration // how long the holder may go on without a renewal
	Held    bool
}

// Outcome is what a guard knows after a call.
type Outcome int

const (
	Done    Outcome = iota // it happened
	Refused                // the write's condition didn't hold; an earlier copy of the same write may be the reason
	Unknown                // no answer, or an error: a write may have happened, or may happen yet
	Denied                 // as unknown, by an error that time doesn't mend: a missing permission or table
)

// Answer is what came back of a call; Record is what a read found.
type Answer struct {
	Outcome Outcome
	Record  Record
	Reason  string
}

// Kind is what an action does.
type Kind int

const (
	Read      Kind = iota // read the record, consistently, and report the answer under Call
	Write                 // write Record where the version is Expect ("": where there is none), and report under Call
	Start                 // set the kernel's timer to Deadline, then start the child with the number Record.Fencing
	Terminate             // ask the child to end
	Kill                  // end the child and its process group
	Say                   // one line: Event with Record, Reason, and for how long the guard has waited
	Exit                  // the guard ends; a Reason is an error
)

// Action is one thing to do.
type Action struct {
	Kind          Kind
	Call          int
	Expect        string
	Record        Record
	Event, Reason string
	Waited        time.Duration
}

// The events that a guard tells of.
const (
	Waiting       = "waiting"
	WaitingLong   = "overdue" // waiting for longer than a rollout takes
	Acquired      = "acquired"
	RenewalFailed = "renewal failed"
	Lost          = "lost"
	Released      = "released"
)

// Machine is one guard. Its methods take the time on the guard's own clock, which must count suspended time.
type Machine struct {
	timing  Timing
	session string
	holder  string
	epoch   int64

	// The call under way (0: none), the record that it writes, and when the next one is due.
	call, calls       int
	writing           bool
	written           Record
	started, nextCall time.Duration
	// What the last write did is in doubt; these versions may have been written, or may be yet. Each has its start.
	doubt    bool
	attempts map[string]time.Duration
	// Waiting: since when, what was said of it, which version was seen and when first.
	begun, saidAt, seenAt time.Duration
	said                  string
	seen                  Record
	denials               int
	// Holding: the record as it was last known to be its own, and the start of the write that made it so.
	holding bool
	record  Record
	since   time.Duration
	// The child, and its end.
	child, stopping, killed, lost, done bool
	stoppedAt, releaseBy                time.Duration

	actions []Action
}

// New returns a guard that begins to wait for the lease at `now`. `session` is unique, `holder` is its name for people.
// `epoch` is that moment in seconds since 1970: an acquisition's fencing number is at least its own, so that it still
// grows where a table was lost or put back to an older state.
func New(timing Timing, session, holder string, epoch int64, now time.Duration) *Machine {
	return &Machine{timing: timing, session: session, holder: holder, epoch: epoch, begun: now, nextCall: now,
		attempts: map[string]time.Duration{}}
}

// Stop passes a request to end on to the child. The lease is renewed until the child has ended.
func (m *Machine) Stop(now time.Duration) []Action {
	if m.child {
		m.terminate(now)
	} else if !m.done && !m.stopping {
		m.leave(now)
	}
	return m.Wake(now)
}

// ChildEnded releases the lease.
func (m *Machine) ChildEnded(now time.Duration) []Action {
	m.child = false
	m.leave(now)
	return m.Wake(now)
}

// Answered takes the answer of a call. One that comes after its limit is nobody's any more.
func (m *Machine) Answered(now time.Duration, call int, answer Answer) []Action {
	if call == m.call && call != 0 && !m.done {
		m.take(now, answer)
	}
	return m.Wake(now)
}

// Deadline is when the child must be dead, whatever this process does meanwhile; ok is false without a child to fear.
func (m *Machine) Deadline() (at time.Duration, ok bool) {
	return m.since + m.timing.Watchdog, m.child
}

// Next is when Wake has something to do.
func (m *Machine) Next() time.Duration {
	next := m.nextCall
	if m.call != 0 {
		next = m.started + m.timing.Limit
	}
	if m.lost {
		next = 1<<63 - 1
	}
	if m.child && !m.killed {
		next = min(next, m.since+m.timing.Kill)
		if m.stopping {
			next = min(next, m.stoppedAt+m.timing.Stop)
		} else {
			next = min(next, m.since+m.timing.Terminate)
		}
	}
	if !m.child && m.stopping {
		next = min(next, m.releaseBy)
	}
	return next
}

// Wake does what has become due.
func (m *Machine) Wake(now time.Duration) []Action {
	if m.child && !m.killed {
		m.guard(now)
	}
	if m.call != 0 && now >= m.started+m.timing.Limit {
		m.take(now, Answer{Outcome: Unknown, Reason: fmt.Sprintf("no answer within %v", m.timing.Limit)})
	}
	if !m.child && m.stopping && !m.done && now >= m.releaseBy {
		m.exit("")
	}
	if m.call == 0 && !m.done && !m.lost && now >= m.nextCall {
		m.ask(now)
	}
	actions := m.actions
	m.actions = nil
	return actions
}

// guard ends a child whose lease is running out.
func (m *Machine) guard(now time.Duration) {
	switch {
	case now >= m.since+m.timing.Kill:
		m.lose(fmt.Sprintf("no renewal for %v", now-m.since))
	case m.stopping && now >= m.stoppedAt+m.timing.Stop:
		m.kill()
	case !m.stopping && now >= m.since+m.timing.Terminate:
		m.terminate(now)
	}
}

func (m *Machine) terminate(now time.Duration) {
	if !m.stopping {
		m.stopping, m.stoppedAt = true, now
	}
	m.do(Action{Kind: Terminate})
}

func (m *Machine) kill() {
	if !m.killed {
		m.killed = true
		m.do(Action{Kind: Kill})
	}
}

func (m *Machine) lose(reason string) {
	m.say(Lost, m.record, reason)
	m.kill()
}

// leave goes over to releasing, once there is no child; a write under way is waited for, it may bring the lease yet.
func (m *Machine) leave(now time.Duration) {
	m.stopping = true
	m.releaseBy, m.nextCall = now+m.timing.Release, now
	if m.lost || (!m.holding && !m.writing && len(m.attempts) == 0) {
		m.exit("")
	}
}

func (m *Machine) exit(reason string) {
	m.done, m.call = true, 0
	m.do(Action{Kind: Exit, Reason: reason})
}

// ask begins the call that is due: what is in doubt is read, what is held is written.
func (m *Machine) ask(now time.Duration) {
	switch {
	case !m.holding || m.doubt:
		m.begin(now, false)
		m.do(Action{Kind: Read, Call: m.call})
	case m.stopping && !m.child:
		released := m.record
		released.Held = false
		m.write(now, m.record.Version, released)
	default:
		m.write(now, m.record.Version, m.record)
	}
}

func (m *Machine) write(now time.Duration, expect string, record Record) {
	m.begin(now, true)
	record.Version = fmt.Sprintf("%s/%d", m.session, m.call)
	m.written = record
	m.do(Action{Kind: Write, Call: m.call, Expect: expect, Record: record})
}

func (m *Machine) begin(now time.Duration, writing bool) {
	m.calls++
	m.call, m.writing, m.started = m.calls, writing, now
}

func (m *Machine) take(now time.Duration, answer Answer) {
	wrote := m.writing
	m.call, m.writing = 0, false
	switch {
	case answer.Outcome == Done && wrote:
		m.wrote(now, m.written, m.started)
		return
	case answer.Outcome == Done:
		m.found(now, answer.Record)
		return
	case wrote:
		// It may have happened, or may happen yet: only reading tells.
		m.doubt = true
		m.attempts[m.written.Version] = m.started
	}
	m.nextCall = now
	if answer.Outcome != Refused {
		m.nextCall = now + m.timing.Retry
	}
	switch {
	case m.child:
		m.say(RenewalFailed, m.record, answer.Reason)
	case m.stopping || answer.Outcome == Refused:
	case answer.Outcome == Denied && m.denials == m.timing.Denials:
		// A permission or a table is missing, and a person must act.
		m.exit(answer.Reason)
	default:
		if answer.Outcome == Denied {
			m.denials++
		}
		m.sayWaiting(now, m.seen, answer.Reason)
	}
}

// wrote takes note of a write of this guard that happened: it counts from when it was begun.
func (m *Machine) wrote(now time.Duration, record Record, started time.Duration) {
	m.doubt = false
	clear(m.attempts)
	if !record.Held {
		m.say(Released, record, "")
		m.holding = false
		m.exit("")
		return
	}
	m.record, m.since = record, max(started, m.since)
	m.nextCall = m.since + m.timing.Renew
	if m.stopping && !m.child {
		m.holding, m.nextCall = true, now
		return
	}
	if !m.holding && now < m.since+m.timing.Terminate {
		m.holding, m.child = true, true
		m.say(Acquired, record, "")
		m.do(Action{Kind: Start, Record: record})
	}
}

// found acts on what a read tells.
func (m *Machine) found(now time.Duration, record Record) {
	m.doubt, m.nextCall = false, now
	if record.Version != "" && record.Session == m.session && record.Held {
		m.foundOwn(now, record)
		return
	}
	switch {
	case m.child:
		m.lost = true
		m.lose("the lease is " + owner(record))
	case m.stopping:
		if m.holding && record.Session == m.session {
			m.say(Released, record, "")
		}
		m.exit("")
	case !record.Held:
		m.acquire(now, record)
	default:
		m.contend(now, record)
	}
}

// foundOwn is for a write whose answer was lost: its own start counts, not that of the read.
func (m *Machine) foundOwn(now time.Duration, record Record) {
	started, known := m.attempts[record.Version]
	if known && (m.holding || m.stopping || now < started+m.timing.Terminate) {
		m.wrote(now, record, started)
		m.nextCall = min(m.nextCall, m.since+m.timing.Renew)
	} else if !m.holding && !m.stopping {
		// Its own, from long ago, and without a child: nobody else is to be waited for.
		m.acquire(now, record)
	}
}

func (m *Machine) acquire(now time.Duration, record Record) {
	m.write(now, record.Version, Record{
		Session: m.session,
		Holder:  m.holder,
		Fencing: max(record.Fencing+1, m.epoch+int64((now-m.begun)/time.Second)),
		Lease:   m.timing.Lease,
		Held:    true,
	})
}

// contend waits a whole lease without a new version, counted from when the answer with that version was here.
func (m *Machine) contend(now time.Duration, record Record) {
	if record.Version != m.seen.Version {
		m.seen, m.seenAt = record, now
	}
	until := m.seenAt + max(record.Lease, m.timing.Lease)
	if now >= until {
		m.acquire(now, record)
		return
	}
	m.nextCall = min(now+m.timing.Poll, until)
	m.sayWaiting(now, record, "")
}

// sayWaiting tells of each other holder, and of the same one, or of what is in the way, once a lease.
func (m *Machine) sayWaiting(now time.Duration, record Record, reason string) {
	if (reason != "" && m.said != "" || record.Holder == m.said) && now < m.saidAt+m.timing.Lease {
		return
	}
	m.said, m.saidAt = record.Holder, now
	event := Waiting
	if now > m.begun+m.timing.Overdue {
		event = WaitingLong
	}
	m.do(Action{Kind: Say, Event: event, Record: record, Reason: reason, Waited: now - m.begun})
}

func (m *Machine) say(event string, of Record, why string) {
	m.do(Action{Kind: Say, Event: event, Record: of, Reason: why})
}

func (m *Machine) do(action Action) { m.actions = append(m.actions, action) }

func owner(record Record) string {
	switch {
	case record.Version == "":
		return "gone from the table"
	case !record.Held:
		return "released by " + record.Holder
	default:
		return "held by " + record.Holder
	}
}
