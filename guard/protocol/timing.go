package protocol

import "time"

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
	Denials   int           // how often a missing permission or table is put up with: both come with a delay in AWS
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
		Denials:   10,
	}
}
