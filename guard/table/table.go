// Package table reads and writes the lease in DynamoDB. It owns the item's form and what an answer means; it neither
// retries nor waits, which is the protocol's to decide.
package table

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"fileflow/guard/protocol"
)

const (
	// keyName is the table's partition key.
	keyName = "LeaseKey"
	// longestLease bounds how long a mistaken item can block everybody.
	longestLease = 10 * time.Minute
	// nobodys is the condition for no item, or one that no guard has written: a guard's version is a text, not empty.
	nobodys = "attribute_not_exists(#version) OR NOT attribute_type(#version, :text) OR #version = :empty"
)

// Table is one lease in one table.
type Table struct {
	client    *dynamodb.Client
	name, key string
}

// Open returns the lease `key` of a table. Credentials come from the environment: a task's role, or keys. So does an
// endpoint of DynamoDB alone, AWS_ENDPOINT_URL_DYNAMODB: the application may have any other service elsewhere.
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
	if endpoint := getenv("AWS_ENDPOINT_URL_DYNAMODB"); endpoint != "" {
		options.BaseEndpoint = aws.String(endpoint)
	}
	return &Table{client: dynamodb.New(options), name: name, key: key}, nil
}

// provider is the task's role where there is one: keys in the environment may be the application's, for elsewhere.
// Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
func provider(getenv func(string) string) (aws.CredentialsProvider, error) {
	id, secret, token := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")
	if role := getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); role != "" {
		return endpointcreds.New("http://169.254.170.2"+role, func(options *endpointcreds.Options) {
			// The SDK shares one request among all calls and takes their limits off; and it would ask a proxy for what
			// is on the same host.
			options.HTTPClient = &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		}), nil
	}
	if id == "" {
		return nil, errors.New("no credentials: the task has no role, and AWS_ACCESS_KEY_ID isn't set")
	}
	return credentials.NewStaticCredentialsProvider(id, secret, token), nil
}

// Read reads the lease as it is after every write that has happened.
func (t *Table) Read(ctx context.Context) protocol.Answer {
	output, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(t.name),
		Key:            attributes(map[string]string{keyName: t.key}),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return t.failed(err)
	}
	return protocol.Answer{Outcome: protocol.Done, Record: decode(output.Item)}
}

// Write writes the lease where the table's version is still `expect`; "" where no guard has written one.
func (t *Table) Write(ctx context.Context, expect string, record protocol.Record) protocol.Answer {
	condition, values := "#version = :version", map[string]string{":version": expect}
	if expect == "" {
		condition, values = nobodys, map[string]string{":text": "S", ":empty": ""}
	}
	item := attributes(record)
	item[keyName] = &types.AttributeValueMemberS{Value: t.key}
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                 aws.String(t.name),
		Item:                      item,
		ConditionExpression:       aws.String(condition),
		ExpressionAttributeNames:  map[string]string{"#version": "Version"},
		ExpressionAttributeValues: attributes(values),
	})
	if err != nil {
		return t.failed(err)
	}
	return protocol.Answer{Outcome: protocol.Done}
}

func attributes(of any) map[string]types.AttributeValue {
	// Texts, numbers and yes or no have a form each.
	encoded, _ := attributevalue.MarshalMap(of)
	return encoded
}

// decode reads what is there. An item without a version is nobody's: no guard wrote it. One with a version is held until
// it says otherwise, whatever else somebody wrote into it.
func decode(item map[string]types.AttributeValue) protocol.Record {
	record := protocol.Record{Held: true}
	if attributevalue.UnmarshalMap(item, &record) != nil {
		record = protocol.Record{Held: true}
	}
	version, ok := item["Version"].(*types.AttributeValueMemberS)
	if !ok || version.Value == "" {
		return protocol.Record{}
	}
	record.Version = version.Value
	record.Fencing = max(0, record.Fencing)
	record.LeaseNanoseconds = max(0, min(record.LeaseNanoseconds, longestLease))
	return record
}

func (t *Table) failed(err error) protocol.Answer {
	var api smithy.APIError
	if !errors.As(err, &api) {
		// The innermost error: the SDK's own words around it name the operation, and no more.
		for inner := err; inner != nil; inner = errors.Unwrap(inner) {
			err = inner
		}
		return protocol.Answer{Outcome: protocol.Unknown, Reason: err.Error()}
	}
	reason := fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	switch api.ErrorCode() {
	case "ConditionalCheckFailedException":
		return protocol.Answer{Outcome: protocol.Refused, Reason: reason}
	case "AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException", "ValidationException":
		return protocol.Answer{Outcome: protocol.Denied, Reason: fmt.Sprintf(
			"the lease %s can't be had from the table %s: %s. The table must exist with the partition key %s (S), and the"+
				" task's role may GetItem and PutItem this key.", t.key, t.name, strings.TrimSuffix(reason, "."), keyName)}
	}
	return protocol.Answer{Outcome: protocol.Unknown, Reason: reason}
}
