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
	"cmp"
	"fmt"
	"math"
	"time"
)

// Record is the lease as the table holds it, under the names of its fields.
type Record struct {
	Version          string        // another one after every write; "" is a record that no guard has written
	Session          string        // tells one guard's life from every other's
	Holder           string        // for people: the task that holds the lease, or held it last
	Fencing          int64         // grows with every acquisition
	LeaseNanoseconds time.Duration // how long the holder may go on without a renewal
	Started          time.Duration // when this write was begun, on the holder's own clock and for the holder alone
	Held             bool
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
	Kill                  // end the child and what it started
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

// Timing is how long things take or may take.
type Timing struct {
	Lease     time.Duration // how long a contender waits without a new version before it takes over
	Renew     time.Duration // from the start of one renewal to the start of the next
	Limit     time.Duration // how long one call may take
	Retry     time.Duration // the pause after one that failed
	Poll      time.Duration // how often a waiting guard looks
	Terminate time.Duration // from the start of the last renewal that succeeded: when the child is asked to end
	Kill      time.Duration // likewise: when it is killed
	Watchdog  time.Duration // likewise: when the kernel kills the guard, should that stand still, and the child with it
	Stop      time.Duration // how long a child may take to end after it was asked to
	Release   time.Duration // how long the guard then tries to say so
	Overdue   time.Duration // a guard that waits longer than that waits for no rollout
	Repeat    time.Duration // how often a waiting guard says so: an alarm looks at a minute at a time
}

// For are the timings of a lease, all of them in proportion to it (60 s: renewed every 10 s, and so on), under a
// container's stop timeout, of which the guard keeps a part for itself.
func For(lease, stopTimeout time.Duration) Timing {
	part := lease / 60
	reserve := min(5*part, stopTimeout/2)
	return Timing{
		Lease:     lease,
		Renew:     10 * part,
		Limit:     3 * part,
		Retry:     part,
		Poll:      2 * part,
		Terminate: 30 * part,
		Kill:      50 * part,
		Watchdog:  52 * part,
		Stop:      stopTimeout - reserve,
		Release:   reserve * 4 / 5,
		Overdue:   2*lease + stopTimeout,
		Repeat:    min(lease, 30*time.Second),
	}
}

// Machine is one guard. Its methods take the time on the guard's own clock, which must count suspended time.
type Machine struct {
	timing          Timing
	session, holder string
	epoch           int64
	actions         []Action

	// The call under way (0: none), the record that it writes, and when the next one is due.
	call, calls       int
	writing           bool
	written           Record
	started, nextCall time.Duration
	// What the last write did is in doubt: only reading tells.
	doubt bool
	// Waiting: since when, what was said of it, which version was seen and when first.
	begun, saidAt, seenAt time.Duration
	said                  string
	seen                  Record
	denials               int
	// Holding: the record as it was last known to be its own, and the start of the write that made it so.
	holding bool
	record  Record
	since   time.Duration
	// The child, and what ends it; from then on endBy is when the patience is over: with the child, then with the table.
	child, stopping, killed, done bool
	endBy                         time.Duration
}

// New returns a guard that begins to wait for the lease at `now`. `session` is unique, `holder` is its name for people.
// `epoch` is that moment in seconds since 1970: an acquisition's fencing number is at least its own, so that it still
// grows where a table was lost or put back to an older state.
func New(timing Timing, session, holder string, epoch int64, now time.Duration) *Machine {
	return &Machine{timing: timing, session: session, holder: holder, epoch: epoch, begun: now, nextCall: now,
		saidAt: now - timing.Repeat, endBy: math.MaxInt64}
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
	if m.call != 0 {
		return min(m.patience(), m.started+m.timing.Limit)
	}
	return min(m.patience(), m.nextCall)
}

// patience is how long the child, or without one the guard, may go on as it does.
func (m *Machine) patience() time.Duration {
	switch {
	case !m.child:
		return m.endBy
	case m.killed:
		return math.MaxInt64
	case m.stopping:
		return min(m.endBy, m.since+m.timing.Kill)
	}
	return m.since + m.timing.Terminate
}

// Wake does what has become due.
func (m *Machine) Wake(now time.Duration) []Action {
	if now >= m.patience() && !m.done {
		m.end(now)
	}
	if m.call != 0 && now >= m.started+m.timing.Limit {
		m.take(now, Answer{Outcome: Unknown, Reason: fmt.Sprintf("no answer within %v", m.timing.Limit)})
	}
	if m.call == 0 && !m.done && now >= m.nextCall {
		m.ask(now)
	}
	actions := m.actions
	m.actions = nil
	return actions
}

// end ends what has gone on for as long as it may.
func (m *Machine) end(now time.Duration) {
	switch {
	case !m.child:
		m.exit("")
	case now >= m.since+m.timing.Kill:
		m.kill(fmt.Sprintf("no renewal for %v", now-m.since))
	case m.stopping:
		m.kill("")
	default:
		m.terminate(now)
	}
}

func (m *Machine) terminate(now time.Duration) {
	if !m.stopping {
		m.stopping, m.endBy = true, now+m.timing.Stop
	}
	m.do(Action{Kind: Terminate})
}

// kill ends the child; `lost` is how the lease was, where it was.
func (m *Machine) kill(lost string) {
	if lost != "" {
		m.do(Action{Kind: Say, Event: "lost", Record: m.record, Reason: lost})
	}
	m.killed = true
	m.do(Action{Kind: Kill})
}

// leave goes over to releasing, once there is no child; a write under way is waited for, it may bring the lease yet.
func (m *Machine) leave(now time.Duration) {
	m.stopping, m.endBy, m.nextCall = true, now+m.timing.Release, now
	if !m.holding && !m.writing && !m.doubt {
		m.exit("")
	}
}

func (m *Machine) exit(reason string) {
	m.done, m.call = true, 0
	m.do(Action{Kind: Exit, Reason: reason})
}

// ask begins the call that is due: what is in doubt is read, what is held is written.
func (m *Machine) ask(now time.Duration) {
	if !m.holding || m.doubt {
		m.begin(now, Action{Kind: Read})
		return
	}
	next := m.record
	next.Held = m.child || !m.stopping
	m.begin(now, Action{Kind: Write, Expect: m.record.Version, Record: next})
}

func (m *Machine) begin(now time.Duration, action Action) {
	m.calls++
	m.call, m.started, m.writing = m.calls, now, action.Kind == Write
	action.Call, action.Record.Version, action.Record.Started = m.call, fmt.Sprintf("%s/%d", m.session, m.call), now
	m.written = action.Record
	m.do(action)
}

func (m *Machine) take(now time.Duration, answer Answer) {
	wrote := m.writing
	m.call, m.writing = 0, false
	switch {
	case answer.Outcome != Done:
		m.failed(now, wrote, answer)
	case wrote:
		m.wrote(now, m.written)
	default:
		m.denials = 0
		m.found(now, answer.Record)
	}
}

func (m *Machine) failed(now time.Duration, wrote bool, answer Answer) {
	m.doubt, m.nextCall = m.doubt || wrote, now
	if answer.Outcome != Refused {
		m.nextCall += m.timing.Retry
	}
	if answer.Outcome == Denied {
		m.denials++
	}
	switch {
	case m.child:
		m.do(Action{Kind: Say, Event: "renewal failed", Record: m.record, Reason: answer.Reason})
	case m.stopping || answer.Outcome == Refused:
	case m.denials > 10:
		// A permission or a table is missing, not just late as AWS may be, and a person must act.
		m.exit(answer.Reason)
	default:
		m.sayWaiting(now, m.seen, answer.Reason)
	}
}

// wrote takes note of a write of this guard that happened: it counts from when it was begun.
func (m *Machine) wrote(now time.Duration, record Record) {
	m.doubt = false
	if !record.Held {
		m.do(Action{Kind: Say, Event: "released", Record: record})
		m.exit("")
		return
	}
	m.record, m.since, m.nextCall = record, record.Started, record.Started+m.timing.Renew
	if m.stopping && !m.child {
		m.holding, m.nextCall = true, now
	} else if !m.holding && now < m.since+m.timing.Terminate {
		m.holding, m.child = true, true
		m.do(Action{Kind: Say, Event: "acquired", Record: record})
		m.do(Action{Kind: Start, Record: record})
	}
}

// found acts on what a read tells.
func (m *Machine) found(now time.Duration, record Record) {
	m.doubt, m.nextCall = false, now
	isOwn := record.Version != "" && record.Session == m.session
	switch {
	case isOwn && record.Held && (m.holding || m.stopping || now < record.Started+m.timing.Terminate):
		// A write whose answer was lost: its own start counts, not that of the read.
		m.wrote(now, record)
	case m.child:
		m.holding, m.nextCall = false, math.MaxInt64
		m.kill(fmt.Sprintf("the lease in the table is %s's", cmp.Or(record.Holder, "nobody")))
	case m.stopping:
		if m.holding && isOwn {
			m.do(Action{Kind: Say, Event: "released", Record: record})
		}
		m.exit("")
	case isOwn || !record.Held:
		// Nobody is to be waited for: its own is from long ago, and without a child.
		m.acquire(now, record)
	default:
		m.contend(now, record)
	}
}

func (m *Machine) acquire(now time.Duration, record Record) {
	fencing := max(record.Fencing+1, m.epoch+int64((now-m.begun)/time.Second))
	m.begin(now, Action{Kind: Write, Expect: record.Version, Record: Record{
		Session: m.session, Holder: m.holder, Fencing: fencing, LeaseNanoseconds: m.timing.Lease, Held: true}})
}

// contend waits a whole lease without a new version, counted from when the answer with that version was here.
func (m *Machine) contend(now time.Duration, record Record) {
	if record.Version != m.seen.Version {
		m.seen, m.seenAt = record, now
	}
	until := m.seenAt + max(record.LeaseNanoseconds, m.timing.Lease)
	if now >= until {
		m.acquire(now, record)
		return
	}
	m.nextCall = min(now+m.timing.Poll, until)
	m.sayWaiting(now, record, "")
}

// sayWaiting tells of each other holder at once, and of the same one, or of what is in the way, now and then.
func (m *Machine) sayWaiting(now time.Duration, record Record, reason string) {
	if now < m.saidAt+m.timing.Repeat && (reason != "" || record.Holder == m.said) {
		return
	}
	event := "waiting"
	if now > m.begun+m.timing.Overdue {
		event = "overdue"
	}
	m.said, m.saidAt = record.Holder, now
	m.do(Action{Kind: Say, Event: event, Record: record, Reason: reason, Waited: now - m.begun})
}

func (m *Machine) do(action Action) { m.actions = append(m.actions, action) }
