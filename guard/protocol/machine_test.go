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
