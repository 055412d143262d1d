package protocol

import (
	"testing"
	"time"
)

// only returns the one action of a kind.
func only(t *testing.T, actions []Action, kind Kind) Action {
	t.Helper()
	var found []Action
	for _, action := range actions {
		if action.Kind == kind {
			found = append(found, action)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d actions of kind %d among %+v", len(found), kind, actions)
	}
	return found[0]
}

func TestAnAcquisitionsNumberIsAtLeastItsOwnMoment(t *testing.T) {
	const started = 1000
	guard := New(For(time.Minute, 2*time.Minute), "a", "A", started, 0)
	read := only(t, guard.Wake(0), Read)
	guard.Answered(0, read.Call, Answer{Record: Record{Version: "b/1", Session: "b", Fencing: started + 1, LeaseNanoseconds: time.Minute, Held: true}})

	read = only(t, guard.Wake(time.Hour), Read)
	write := only(t, guard.Answered(time.Hour, read.Call, Answer{}), Write)

	if least := int64(started + 3600); write.Record.Fencing < least {
		t.Errorf("after an hour of waiting and a lost table the number is %d, below %d", write.Record.Fencing, least)
	}
}

func TestADenialLongAgoDoesNotCountAgainstAGuardThatHasReadSince(t *testing.T) {
	guard := New(For(time.Minute, 2*time.Minute), "a", "A", 1, 0)
	now := time.Duration(0)
	read := func(answer Answer) []Action {
		call := only(t, guard.Wake(now), Read)
		now += 5 * time.Second
		return guard.Answered(now-4*time.Second, call.Call, answer)
	}
	for range 3 {
		for range 10 {
			for _, action := range read(Answer{Outcome: Denied, Reason: "no"}) {
				if action.Kind == Exit {
					t.Fatal("gave up")
				}
			}
		}
		read(Answer{Record: Record{Version: "b/1", Session: "b", Held: true, Fencing: 1, LeaseNanoseconds: time.Hour}})
	}
	var last []Action
	for range 11 {
		last = read(Answer{Outcome: Denied, Reason: "no"})
	}
	only(t, last, Exit)
}

func TestWhatIsOverdueIsSaidInEveryMinute(t *testing.T) {
	guard := New(For(10*time.Minute, 2*time.Minute), "a", "A", 1, 0)
	said := map[time.Duration]bool{}
	for now := time.Duration(0); now < time.Hour; now += time.Second {
		for _, action := range guard.Wake(now) {
			if action.Kind == Say && action.Event == "overdue" {
				said[now.Truncate(time.Minute)] = true
			}
			if action.Kind == Read {
				// Another one that renews.
				record := Record{Version: now.Truncate(time.Minute).String(), Session: "b", Holder: "B", Held: true}
				for _, next := range guard.Answered(now, action.Call, Answer{Record: record}) {
					if next.Kind == Say && next.Event == "overdue" {
						said[now.Truncate(time.Minute)] = true
					}
				}
			}
		}
	}
	for minute := 23 * time.Minute; minute < time.Hour; minute += time.Minute {
		if !said[minute] {
			t.Errorf("nothing in minute %v", minute)
		}
	}
}
