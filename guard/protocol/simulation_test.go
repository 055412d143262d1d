package protocol

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	histories = flag.Int("histories", 20_000, "random histories to play")
	seed      = flag.Uint64("seed", 0, "the first history's seed; by default another one each time")
	deep      = flag.Bool("deep", false, "search three faults exhaustively instead of two")
)

var timing = For(time.Minute, 2*time.Minute)

func between(random *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(random.Int64N(int64(high-low)+1))
}

// randomWorld is a history: two to four guards, and trouble of a kind and amount that differ from history to history.
func randomWorld(seed uint64) *world {
	random := rand.New(rand.NewPCG(seed, 0x1ea5e))
	chance := func(probability float64) bool { return random.Float64() < probability }
	rate := func() float64 { return 0.99 + 0.02*random.Float64() }
	s := settings{timing: timing, until: between(random, 90*time.Second, 260*time.Second), order: random.Uint32}
	s.quiet = chance(0.2)
	for i := range 2 + random.IntN(3) {
		p := plan{rate: rate(), stop: -1, childEnds: between(random, 0, 20*time.Second), childFails: -1}
		if i > 0 && !chance(0.2) {
			p.start = between(random, 0, s.until*2/3)
		}
		if chance(0.5) {
			p.stop = p.start + between(random, 0, 90*time.Second)
		}
		if chance(0.2) {
			p.childEnds = -1
		}
		if chance(0.1) {
			p.childFails = between(random, 0, time.Minute)
		}
		s.plans = append(s.plans, p)
	}
	loss := []float64{0, 0.05, 0.2, 0.5}[random.IntN(4)]
	slow := []float64{0, 0.05, 0.3}[random.IntN(3)]
	trouble := []float64{0, 0.01, 0.05}[random.IntN(3)]
	outage := between(random, 0, s.until)
	outageEnds := outage
	if chance(0.2) {
		outageEnds += between(random, 0, 100*time.Second)
	}
	w := &world{settings: s}
	w.fate = func(n *node) fate {
		f := fate{arrivals: []time.Duration{between(random, 0, 50*time.Millisecond)}, answer: between(random, 0, 50*time.Millisecond)}
		if w.quiet {
			f.crash, f.then = chance(0.01), between(random, 0, 200*time.Millisecond)
			return f
		}
		if chance(slow) {
			f.arrivals[0] = between(random, 0, 10*time.Second)
		}
		if chance(slow) {
			f.answer = between(random, 0, 10*time.Second)
		}
		if chance(loss) {
			f.answer = -1
		}
		if chance(loss / 2) {
			f.arrivals[0] = between(random, 0, 100*time.Second)
		}
		if chance(loss / 4) {
			f.arrivals = append(f.arrivals, between(random, 0, 100*time.Second))
		}
		if chance(loss/2) || w.now >= outage && w.now < outageEnds || w.now >= n.cutFrom && w.now < n.cutUntil {
			f.arrivals = nil
		}
		if chance(loss / 4) {
			f.error, f.answer = true, between(random, 0, time.Second)
		}
		if chance(trouble) {
			f.then = between(random, 0, []time.Duration{60 * time.Millisecond, 4 * time.Second}[random.IntN(2)])
			switch random.IntN(3) {
			case 0:
				f.crash = true
			case 1:
				f.guardPaused = between(random, 0, 100*time.Second)
				if chance(0.5) {
					// What stood still comes back to a network that is gone.
					n.cutFrom = w.now + f.then + f.guardPaused
					n.cutUntil = n.cutFrom + between(random, 0, 100*time.Second)
				}
			case 2:
				f.allPaused = between(random, 0, 100*time.Second)
			}
		}
		return f
	}
	return w
}

// play plays random histories until one fails or `count` are played, and returns the failing seed with what was wrong.
func play(first uint64, count int, limit time.Duration, change func(*world)) (played int64, starts int64, failed uint64, problem string) {
	var next, started atomic.Int64
	var ended atomic.Bool
	var mutex sync.Mutex
	var wait sync.WaitGroup
	deadline := time.Now().Add(limit)
	for range runtime.NumCPU() {
		wait.Go(func() {
			for {
				number := next.Add(1) - 1
				if number >= int64(count) || ended.Load() || number%64 == 0 && time.Now().After(deadline) {
					return
				}
				w := randomWorld(first + uint64(number))
				if change != nil {
					change(w)
				}
				found := w.run()
				started.Add(int64(w.starts))
				if found != "" {
					mutex.Lock()
					failed, problem = first+uint64(number), found
					mutex.Unlock()
					ended.Store(true)
					return
				}
			}
		})
	}
	wait.Wait()
	return min(next.Load(), int64(count)), started.Load(), failed, problem
}

func firstSeed() uint64 {
	if *seed != 0 {
		return *seed
	}
	return rand.Uint64() >> 1
}

func TestNoRandomHistoryHasTwoChildrenAtOnce(t *testing.T) {
	first := firstSeed()
	begun := time.Now()
	played, starts, failed, problem := play(first, *histories, time.Hour, nil)
	fmt.Fprintf(os.Stderr, "simulation: %d random histories from seed %d, %d children, %.0f s\n",
		played, first, starts, time.Since(begun).Seconds())
	if problem != "" {
		t.Fatalf("seed %d: %s", failed, problem)
	}
	if starts < played/2 {
		t.Fatalf("only %d children in %d histories: the simulation shows nothing", starts, played)
	}
}

func TestMain(m *testing.M) {
	// Histories are short-lived garbage.
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}

// The exhaustive search: one history after another, with every fault at every call.

var faults = []fate{
	{arrivals: []time.Duration{0}, answer: 0},
	{arrivals: nil},
	{arrivals: []time.Duration{0}, answer: -1},
	{arrivals: []time.Duration{0, 45 * time.Second}, answer: 2900 * time.Millisecond},
	{arrivals: []time.Duration{58 * time.Second}, answer: -1},
	{error: true},
	{arrivals: []time.Duration{0}, guardPaused: 70 * time.Second, then: time.Millisecond},
	{arrivals: []time.Duration{10 * time.Millisecond}, answer: 0, guardPaused: 40 * time.Second, then: time.Millisecond},
	{arrivals: []time.Duration{0}, allPaused: 70 * time.Second, then: time.Millisecond},
	{arrivals: []time.Duration{0}, answer: time.Millisecond, crash: true},
	{arrivals: []time.Duration{0}, answer: 0, crash: true, then: time.Millisecond},
}

// search plays every history of a scenario with at most `budget` faults.
func search(s settings, budget int, change func(*world)) (played int, problem string, script []int) {
	script = []int{}
	for {
		position, spent, order := 0, 0, uint32(0)
		w := &world{settings: s}
		w.order = func() uint32 { order++; return order }
		w.fate = func(*node) fate {
			if spent == budget {
				return faults[0]
			}
			if position == len(script) {
				script = append(script, 0)
			}
			chosen := script[position]
			position++
			if chosen > 0 {
				spent++
			}
			return faults[chosen]
		}
		if change != nil {
			change(w)
		}
		problem = w.run()
		played++
		if problem != "" {
			return played, problem, script
		}
		script = script[:position]
		for len(script) > 0 && script[len(script)-1] == len(faults)-1 {
			script = script[:len(script)-1]
		}
		if len(script) == 0 {
			return played, "", nil
		}
		script[len(script)-1]++
	}
}

// scenarios are small: two guards, the holder's clock slow and the contender's fast, over one takeover.
func scenarios() map[string]settings {
	holder := plan{rate: 0.99, stop: -1, childEnds: -1, childFails: -1}
	contender := plan{start: 5 * time.Second, rate: 1.01, stop: -1, childEnds: 0, childFails: -1}
	stopped, obedient, together := holder, holder, contender
	stopped.stop = 12 * time.Second
	obedient.stop, obedient.childEnds = 12*time.Second, 3*time.Second
	together.start = 0
	slowly := timing
	// Fewer calls, so that all of them can be searched.
	slowly.Poll, slowly.Retry = 15*time.Second, 5*time.Second
	return map[string]settings{
		"together":              {timing: slowly, until: 80 * time.Second, plans: []plan{holder, together}},
		"contender":             {timing: slowly, until: 90 * time.Second, plans: []plan{holder, contender}},
		"child ignores SIGTERM": {timing: slowly, until: 100 * time.Second, plans: []plan{stopped, contender}},
		"clean restart":         {timing: slowly, until: 90 * time.Second, plans: []plan{obedient, contender}},
	}
}

func TestNoSmallHistoryHasTwoChildrenAtOnce(t *testing.T) {
	budget := 2
	if *deep {
		budget = 3
	}
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			played, problem, script := search(s, budget, nil)
			fmt.Fprintf(os.Stderr, "simulation: %d histories of %q with up to %d faults, %.0f s\n",
				played, name, budget, time.Since(begun).Seconds())
			if problem != "" {
				t.Fatalf("%v: %s", script, problem)
			}
		})
	}
}

// Broken protocols: each lacks one thing that the guarantee rests on.

// withoutReadBack takes a renewal whose answer was lost for one that happened.
type withoutReadBack struct{ *Machine }

func (b withoutReadBack) Answered(now time.Duration, call int, answer Answer) []Action {
	if b.writing && answer.Outcome == Unknown {
		answer.Outcome = Done
	}
	return b.Machine.Answered(now, call, answer)
}

func (b withoutReadBack) Wake(now time.Duration) []Action {
	if b.call != 0 && b.writing && now >= b.started+b.timing.Limit {
		return b.Machine.Answered(now, b.call, Answer{Outcome: Done})
	}
	return b.Machine.Wake(now)
}

// releasingEarly releases when the child was asked to end, not when it has ended.
type releasingEarly struct{ *Machine }

func (b releasingEarly) Stop(now time.Duration) []Action {
	actions := b.Machine.Stop(now)
	if b.child {
		actions = append(actions, b.Machine.ChildEnded(now)...)
	}
	return actions
}

// countingFromTheAnswer takes a renewal for as young as its answer.
type countingFromTheAnswer struct{ *Machine }

func (b countingFromTheAnswer) Answered(now time.Duration, call int, answer Answer) []Action {
	if call == b.call && b.writing && answer.Outcome == Done && now < b.since+b.timing.Lease {
		b.written.Started = now
	}
	return b.Machine.Answered(now, call, answer)
}

// watchingTheHolder waits a lease from when it first saw the holder, not the version.
type watchingTheHolder struct{ *Machine }

func (b watchingTheHolder) Answered(now time.Duration, call int, answer Answer) []Action {
	if answer.Record.Held && answer.Record.Session == b.seen.Session {
		b.seen = answer.Record
	}
	return b.Machine.Answered(now, call, answer)
}

// killingLate lets the child live for as long as the lease.
type killingLate struct{ *Machine }

func (b killingLate) Deadline() (time.Duration, bool) {
	deadline, ok := b.Machine.Deadline()
	return deadline + 10*time.Second, ok
}

var broken = map[string]func(*world){
	"without reading back":       func(w *world) { w.wrap = func(m *Machine) actor { return withoutReadBack{m} } },
	"released before the end":    func(w *world) { w.wrap = func(m *Machine) actor { return releasingEarly{m} } },
	"counted from the answer":    func(w *world) { w.wrap = func(m *Machine) actor { return countingFromTheAnswer{m} } },
	"waiting for the holder":     func(w *world) { w.wrap = func(m *Machine) actor { return watchingTheHolder{m} } },
	"killed when the lease ends": func(w *world) { w.wrap = func(m *Machine) actor { return killingLate{m} } },
	"without conditions":         func(w *world) { w.unconditional = true },
	"without the kernel's timer": func(w *world) { w.noWatchdog = true },
	"by a clock that people set": steppingClocks,
	"by clocks that differ by 1/4": func(w *world) {
		for i := range w.plans {
			w.plans[i].rate = 0.75 + 0.5*float64(i%2)
		}
	},
}

// steppingClocks are wall clocks: set forth and back by up to two minutes now and then.
func steppingClocks(w *world) {
	inner, random := w.fate, rand.New(rand.NewPCG(uint64(w.order()), 1))
	w.fate = func(n *node) fate {
		f := inner(n)
		if random.IntN(20) == 0 {
			f.clockStepped = between(random, -2*time.Minute, 2*time.Minute)
		}
		return f
	}
}

func TestABrokenProtocolIsCaughtWithinSeconds(t *testing.T) {
	for name, change := range broken {
		t.Run(name, func(t *testing.T) {
			first := firstSeed()
			begun := time.Now()
			played, _, failed, problem := play(first, 1_000_000, time.Minute, change)
			if problem == "" {
				t.Fatalf("no history of %d from seed %d shows that it is broken", played, first)
			}
			fmt.Fprintf(os.Stderr, "simulation: %s: caught after %d histories, %.1f s (seed %d: %s)\n",
				name, played, time.Since(begun).Seconds(), failed, problem)
		})
	}
}
