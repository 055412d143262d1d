package table

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
		`{"Item":{"Version":{"S":"v"},"Session":{"S":"s"},"Holder":{"S":"h"},"Fencing":{"N":"7"},"LeaseNanoseconds":{"N":"60000000000"},"Held":{"BOOL":true}}}`,
		`{"Item":{"Version":{"N":"1"},"Fencing":{"S":"x"},"LeaseNanoseconds":{"N":"-1e400"},"Held":{"NULL":true}}}`,
		`{"Item":{"Version":{"S":"v"},"LeaseNanoseconds":{"N":"9223372036854775807"},"Fencing":{"N":"1e30"}}}`,
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
		if record.LeaseNanoseconds < 0 || record.LeaseNanoseconds > longestLease || record.Fencing < 0 || record.Held && record.Version == "" {
			t.Fatalf("%+v", record)
		}
	})
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	record := protocol.Record{Version: "a/1", Session: "a", Holder: "task", Fencing: 7, LeaseNanoseconds: 60e9, Started: 5, Held: true}
	if read := decode(attributes(record)); read != record {
		t.Fatalf("%+v", read)
	}
}

func TestAnItemThatNoGuardWroteIsNobodysAndOneThatIsSpoiledIsHeld(t *testing.T) {
	text := func(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }
	number := func(value string) types.AttributeValue { return &types.AttributeValueMemberN{Value: value} }
	for name, each := range map[string]struct {
		item map[string]types.AttributeValue
		read protocol.Record
	}{
		"nothing":               {nil, protocol.Record{}},
		"no version":            {map[string]types.AttributeValue{"Held": &types.AttributeValueMemberBOOL{Value: true}}, protocol.Record{}},
		"an empty version":      {map[string]types.AttributeValue{"Version": text("")}, protocol.Record{}},
		"a version of a kind":   {map[string]types.AttributeValue{"Version": number("1")}, protocol.Record{}},
		"a version alone":       {map[string]types.AttributeValue{"Version": text("v")}, protocol.Record{Version: "v", Held: true}},
		"a huge number":         {map[string]types.AttributeValue{"Version": text("v"), "LeaseNanoseconds": number("1e400")}, protocol.Record{Version: "v", Held: true}},
		"a negative number":     {map[string]types.AttributeValue{"Version": text("v"), "Fencing": number("-3")}, protocol.Record{Version: "v", Held: true}},
		"a lease of a century":  {map[string]types.AttributeValue{"Version": text("v"), "LeaseNanoseconds": number("3153600000000000000")}, protocol.Record{Version: "v", LeaseNanoseconds: longestLease, Held: true}},
		"a holder of a kind":    {map[string]types.AttributeValue{"Version": text("v"), "Holder": number("1")}, protocol.Record{Version: "v", Holder: "1", Held: true}},
		"released by its guard": {map[string]types.AttributeValue{"Version": text("v"), "Held": &types.AttributeValueMemberBOOL{}}, protocol.Record{Version: "v"}},
	} {
		if read := decode(each.item); read != each.read {
			t.Errorf("%s: %+v", name, read)
		}
	}
}

func TestATasksRoleComesBeforeKeysOfItsEnvironment(t *testing.T) {
	for name, each := range map[string]struct {
		environment map[string]string
		isRole      bool
	}{
		"a task with keys of its application": {map[string]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x", "AWS_ACCESS_KEY_ID": "k"}, true},
		"a task":                              {map[string]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"}, true},
		"keys alone":                          {map[string]string{"AWS_ACCESS_KEY_ID": "k"}, false},
	} {
		chosen, err := provider(func(variable string) string { return each.environment[variable] })
		if _, isRole := chosen.(*endpointcreds.Provider); err != nil || isRole != each.isRole {
			t.Errorf("%s: %T, %v", name, chosen, err)
		}
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
