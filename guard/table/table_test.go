package table

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"fileflow/guard/protocol"
)

type answering struct {
	status int
	body   []byte
}

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status,
		Header:     http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:       io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}

func open(t testing.TB, status int, body []byte) *Table {
	environment := map[string]string{"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
	opened, err := Open("leases", "database", "eu-west-1", func(name string) string { return environment[name] }, answering{status, body})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// FuzzAnswers: whatever DynamoDB, or something in its place, answers, a guard takes only a success for a success, reads a
// record that the protocol can work with, and doesn't fail itself.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"Item":{}}`, `{"Item":null}`, `[]`, `null`, ``, `<html>`, `{"Item":{"Version":{"S":"v"}}}`,
		`{"Item":{"Version":{"S":"v"},"Session":{"S":"s"},"Holder":{"S":"h"},"Fencing":{"N":"7"},"LeaseMilliseconds":{"N":"60000"},"Held":{"BOOL":true}}}`,
		`{"Item":{"Version":{"N":"1"},"Fencing":{"S":"x"},"LeaseMilliseconds":{"N":"-1e400"},"Held":{"NULL":true}}}`,
		`{"Item":{"Version":{"S":"v"},"LeaseMilliseconds":{"N":"9223372036854775807"},"Fencing":{"N":"1e30"}}}`,
		`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}`,
		`{"__type":"x#ThrottlingException"}`, `{"__type":7}`, `{"Item":{"Version":{"S":"v","N":"1"}}}`,
	} {
		for _, status := range []int{200, 400, 500, 503} {
			f.Add(status, []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 100 || status > 599 {
			return
		}
		opened := open(t, status, body)
		read := opened.Read(context.Background())
		written := opened.Write(context.Background(), "", protocol.Record{Version: "a/1", Held: true})
		for _, answer := range []protocol.Answer{read, written} {
			if success := status >= 200 && status < 300; answer.Outcome == protocol.Done && !success {
				t.Fatalf("status %d counts as a success", status)
			}
			if answer.Outcome != protocol.Done && answer.Reason == "" {
				t.Fatal("a failure without a reason")
			}
		}
		record := read.Record
		if record.Lease < 0 || record.Lease.Milliseconds() > longestMilliseconds || record.Fencing < 0 || record.Held && record.Version == "" {
			t.Fatalf("%+v", record)
		}
	})
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	record := protocol.Record{Version: "a/1", Session: "a", Holder: "task", Fencing: 7, Lease: protocol.For(60e9, 120e9).Lease, Held: true}
	if read := decode(open(t, 200, nil).encode(record)); read != record {
		t.Fatalf("%+v", read)
	}
}

func TestErrorsAreTakenForWhatTheyMean(t *testing.T) {
	for code, outcome := range map[string]protocol.Outcome{
		"ConditionalCheckFailedException":        protocol.Refused,
		"ProvisionedThroughputExceededException": protocol.Unknown,
		"ThrottlingException":                    protocol.Unknown,
		"InternalServerError":                    protocol.Unknown,
		"TransactionConflictException":           protocol.Unknown,
		"AccessDeniedException":                  protocol.Denied,
		"ResourceNotFoundException":              protocol.Denied,
		"ValidationException":                    protocol.Denied,
	} {
		opened := open(t, 400, []byte(`{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":"why"}`))
		for _, answer := range []protocol.Answer{
			opened.Read(context.Background()), opened.Write(context.Background(), "v", protocol.Record{}),
		} {
			if answer.Outcome != outcome || !strings.Contains(answer.Reason, "why") {
				t.Errorf("%s: %+v", code, answer)
			}
		}
	}
}
