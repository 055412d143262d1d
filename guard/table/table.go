// Package table reads and writes the lease in DynamoDB. It owns the item's form and what an answer means; it neither
// retries nor waits, which is the protocol's to decide.
package table

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"fileflow/guard/protocol"
)

// KeyName is the table's partition key.
const KeyName = "LeaseKey"

// containerCredentials is where ECS hands out a task role's credentials.
// Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
const containerCredentials = "http://169.254.170.2"

// credentialsLimit is how long that may take: it is on the same host.
const credentialsLimit = 2 * time.Second

// Table is one lease in one table.
type Table struct {
	client *dynamodb.Client
	name   string
	key    string
}

// Open returns the lease `key` of a table. Endpoint and credentials come from the environment, by the SDKs' names: a
// task's role, or keys. An error says which of them is missing.
func Open(name, key, region string, getenv func(string) string, transport http.RoundTripper) (*Table, error) {
	provider, err := provider(getenv)
	if err != nil {
		return nil, err
	}
	options := dynamodb.Options{
		Region:      region,
		Credentials: aws.NewCredentialsCache(provider),
		HTTPClient:  &http.Client{Transport: transport},
		// The protocol reads back before it tries again; a repetition behind its back would refuse itself.
		Retryer:               aws.NopRetryer{},
		AccountIDEndpointMode: aws.AccountIDEndpointModeDisabled,
	}
	if endpoint := cmp.Or(getenv("AWS_ENDPOINT_URL_DYNAMODB"), getenv("AWS_ENDPOINT_URL")); endpoint != "" {
		options.BaseEndpoint = aws.String(endpoint)
	}
	return &Table{client: dynamodb.New(options), name: name, key: key}, nil
}

func provider(getenv func(string) string) (aws.CredentialsProvider, error) {
	if id := getenv("AWS_ACCESS_KEY_ID"); id != "" {
		return credentials.NewStaticCredentialsProvider(
			id, getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")), nil
	}
	endpoint := getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if relative := getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); relative != "" {
		endpoint = containerCredentials + relative
	}
	if endpoint == "" {
		return nil, errors.New("no credentials: the task has no role, and AWS_ACCESS_KEY_ID isn't set")
	}
	return endpointcreds.New(endpoint, func(options *endpointcreds.Options) {
		// The SDK shares one request among all calls and takes their limits off; and it would ask a proxy for it.
		options.HTTPClient = &http.Client{Timeout: credentialsLimit, Transport: &http.Transport{DisableKeepAlives: true}}
		options.AuthorizationToken = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	}), nil
}

// Read reads the lease as it is after every write that has happened.
func (t *Table) Read(ctx context.Context) protocol.Answer {
	output, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(t.name),
		Key:            map[string]types.AttributeValue{KeyName: text(t.key)},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return t.failed(err)
	}
	return protocol.Answer{Outcome: protocol.Done, Record: decode(output.Item)}
}

// Write writes the lease where the table's version is still `expect`; "" where there is none.
func (t *Table) Write(ctx context.Context, expect string, record protocol.Record) protocol.Answer {
	input := &dynamodb.PutItemInput{
		TableName:                aws.String(t.name),
		Item:                     t.encode(record),
		ConditionExpression:      aws.String("attribute_not_exists(#version)"),
		ExpressionAttributeNames: map[string]string{"#version": "Version"},
	}
	if expect != "" {
		input.ConditionExpression = aws.String("#version = :version")
		input.ExpressionAttributeValues = map[string]types.AttributeValue{":version": text(expect)}
	}
	if _, err := t.client.PutItem(ctx, input); err != nil {
		return t.failed(err)
	}
	return protocol.Answer{Outcome: protocol.Done}
}

func (t *Table) encode(record protocol.Record) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		KeyName:             text(t.key),
		"Version":           text(record.Version),
		"Session":           text(record.Session),
		"Holder":            text(record.Holder),
		"Fencing":           number(record.Fencing),
		"LeaseMilliseconds": number(record.Lease.Milliseconds()),
		"Held":              &types.AttributeValueMemberBOOL{Value: record.Held},
	}
}

// decode reads what is there. An item without a version is nobody's: no guard wrote it. One with a version is held until
// it says otherwise.
func decode(item map[string]types.AttributeValue) protocol.Record {
	held, said := item["Held"].(*types.AttributeValueMemberBOOL)
	return protocol.Record{
		Version: textOf(item["Version"]),
		Session: textOf(item["Session"]),
		Holder:  textOf(item["Holder"]),
		Fencing: numberOf(item["Fencing"]),
		Lease:   time.Duration(min(numberOf(item["LeaseMilliseconds"]), longestMilliseconds)) * time.Millisecond,
		Held:    textOf(item["Version"]) != "" && (!said || held.Value),
	}
}

// longestMilliseconds bounds how long a mistaken item can block everybody.
const longestMilliseconds = 10 * 60 * 1000

func (t *Table) failed(err error) protocol.Answer {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return protocol.Answer{Outcome: protocol.Unknown, Reason: root(err)}
	}
	reason := fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	switch api.ErrorCode() {
	case "ConditionalCheckFailedException":
		return protocol.Answer{Outcome: protocol.Refused, Reason: reason}
	case "AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException", "ValidationException":
		return protocol.Answer{Outcome: protocol.Denied, Reason: fmt.Sprintf(
			"the lease %s can't be had from the table %s: %s. The table must exist with the partition key %s (S), and the"+
				" task's role may GetItem and PutItem this key.", t.key, t.name, strings.TrimSuffix(reason, "."), KeyName)}
	}
	return protocol.Answer{Outcome: protocol.Unknown, Reason: reason}
}

// root is the innermost error: the SDK's own words around it name the operation, and no more.
func root(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
}

func textOf(value types.AttributeValue) string {
	if found, ok := value.(*types.AttributeValueMemberS); ok {
		return found.Value
	}
	return ""
}

func numberOf(value types.AttributeValue) int64 {
	if found, ok := value.(*types.AttributeValueMemberN); ok {
		if read, err := strconv.ParseInt(found.Value, 10, 64); err == nil && read > 0 {
			return read
		}
	}
	return 0
}
